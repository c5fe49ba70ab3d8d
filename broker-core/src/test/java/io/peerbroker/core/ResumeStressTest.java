package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/**
 * Real threads and the system's timer: senders, a reader that is cut again and again, and closers.
 */
final class ResumeStressTest {

  private static final int MESSAGES = 20_000;
  private static final int CHANNELS = 1_000;

  @Test
  void nothingIsLostHoweverOftenTheReaderIsCut() throws Exception {
    ContractListener witness = new ContractListener();
    Broker broker =
        Broker.builder()
            .listener(witness)
            .messageRate(Limits.Rate.UNLIMITED)
            .maxReplayBytes(10 << 20)
            .maxReplayEvents(10_000)
            .build();
    Party sender = new Party(broker);
    AtomicLong queued = new AtomicLong();
    ChannelOptions options = ChannelOptions.none().withResume(Duration.ofMinutes(1));
    ManualTransport line = ManualTransport.open(broker, options);
    line.readAll();
    Channel channel = line.channel;
    List<String> ids = new ArrayList<>(line.ids);
    // It begins with an absent reader, or by chance the reader might be there for every message.
    line.cut();
    CompletableFuture<Void> sending =
        CompletableFuture.runAsync(
            () -> {
              for (int i = 0; i < MESSAGES; ) {
                Delivery delivery = sender.send(channel.id(), Integer.toString(i));
                if (delivery instanceof Delivery.Refused) {
                  Party.assertRefused(delivery, Refusal.Code.TARGET_BUSY);
                  Thread.onSpinWait();
                } else {
                  i++;
                  if (delivery instanceof Delivery.Queued) {
                    queued.incrementAndGet();
                  }
                }
              }
            });
    await().until(() -> queued.get() > 0);
    line = ManualTransport.open(broker, options.after(ids.get(ids.size() - 1)));
    Random random = new Random(1);
    List<String> seen = new ArrayList<>();
    int presented = 1;
    int cuts = 1;
    while (seen.size() < MESSAGES) {
      for (int i = random.nextInt(50); i >= 0; i--) {
        String text = line.poll();
        if (text != null) {
          seen.add(text);
          ids.add(line.lastId());
          if (random.nextInt(10) > 0) {
            line.consumed(1);
            continue;
          }
          break;
        }
      }
      if (random.nextBoolean()) {
        // The other half is superseded.
        line.cut();
      }
      // The last events did not come through.
      int lost = Math.min(random.nextInt(3), ids.size() - presented);
      seen.subList(seen.size() - lost, seen.size()).clear();
      ids.subList(ids.size() - lost, ids.size()).clear();
      presented = ids.size();
      ManualTransport before = line;
      line = ManualTransport.open(broker, options.after(ids.get(ids.size() - 1)));
      assertThat(line.channel).isSameAs(channel);
      before.cut();
      cuts++;
    }
    sending.join();
    for (int i = 0; i < MESSAGES; i++) {
      assertThat(seen.get(i)).isEqualTo(Integer.toString(i));
    }
    assertThat(line.readAll()).isEmpty();
    assertThat(cuts).isGreaterThan(MESSAGES / 50);
    assertThat(queued).hasPositiveValue();
    BrokerStats stats = broker.stats();
    assertThat(stats.messagesQueued()).isEqualTo(queued.get());
    assertThat(stats.messagesSent()).isEqualTo(MESSAGES - queued.get());
    assertThat(stats.channelsResumed()).isEqualTo(cuts);
    line.cut();
    assertThat(broker.stats().waiting()).isEqualTo(1);
    witness.assertAgrees(broker);
    broker.close();
    LeakAssert.assertNone(broker);
    witness.assertAgrees(broker);
    assertThat(broker.stats().messagesUndelivered()).isZero();
  }

  @Test
  void whateverComesTogetherNothingIsLeft()
      throws ExecutionException, InterruptedException, TimeoutException {
    for (Duration grace : List.of(Duration.ofNanos(1), Duration.ofMillis(1), Duration.ofHours(1))) {
      ContractListener witness = new ContractListener();
      Broker broker = Broker.builder().drainTimeout(Duration.ZERO).listener(witness).build();
      Party sender = new Party(broker);
      ChannelOptions options =
          ChannelOptions.none().withResume(grace).withLease(Duration.ofSeconds(20));
      CompletableFuture<Void> shutdown = new CompletableFuture<>();
      for (int i = 0; i < CHANNELS; i++) {
        ManualTransport line = ManualTransport.open(broker, options);
        line.readAll();
        ChannelOptions again = options.after(line.lastId());
        List<Runnable> at =
            new ArrayList<>(
                List.of(
                    line::cut,
                    () -> comeBack(broker, again),
                    () -> comeBack(broker, again),
                    () -> sender.send(line.channel.id(), "1")));
        if (i % 4 == 0) {
          at.add(line.channel::close);
        }
        if (i == CHANNELS - 1) {
          at.add(broker::close);
          at.add(() -> shutdown.complete(null));
        }
        CompletableFuture.allOf(
                at.stream().map(CompletableFuture::runAsync).toArray(CompletableFuture[]::new))
            .get(1, TimeUnit.MINUTES);
      }
      shutdown.join();
      Awaitility.await()
          .untilAsserted(
              () -> {
                LeakAssert.assertNone(broker);
                witness.assertAgrees(broker);
              });
    }
  }

  /** Comes back, or is given a new channel; and breaks. */
  private static void comeBack(Broker broker, ChannelOptions options) {
    try {
      ManualTransport back = ManualTransport.open(broker, options);
      back.readAll();
      back.cut();
    } catch (RefusedException shuttingDown) {
      assertThat(shuttingDown.refusal().code()).isEqualTo(Refusal.Code.SHUTTING_DOWN);
    }
  }
}
