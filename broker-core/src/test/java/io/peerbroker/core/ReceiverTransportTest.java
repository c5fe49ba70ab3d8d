package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Parties in this JVM: one event at a time, never nested, on any executor. */
final class ReceiverTransportTest {

  @RegisterExtension final BrokerLog log = new BrokerLog();

  private final Broker broker =
      Broker.builder()
          .messageRate(Limits.Rate.UNLIMITED)
          .maxQueuedEvents(1_000_000)
          .maxQueuedBytes(1 << 30)
          .build();

  @AfterEach
  void nothingIsLeft() {
    broker.close();
    LeakAssert.assertNone(broker);
  }

  @Test
  void ofManyWakeupsOneTaskIsMade() {
    ManualExecutor hands = new ManualExecutor();
    Party party = new Party(broker, hands);
    for (int i = 0; i < 10; i++) {
      party.send(party.id(), "1");
    }
    assertThat(hands.waiting()).isEqualTo(1);
    hands.runAll();
    assertThat(party.received).hasSize(10);
    party.channel.close();
    hands.runAll();
  }

  @Test
  void afterATurnItLetsOthersOnTheExecutorGoFirst() {
    ManualExecutor hands = new ManualExecutor();
    Party party = new Party(broker, hands);
    for (int i = 0; i < 150; i++) {
      party.send(party.id(), "1");
    }
    hands.runOne();
    assertThat(party.received).hasSizeBetween(1, 100);
    assertThat(hands.waiting()).isEqualTo(1);
    hands.runAll();
    assertThat(party.received).hasSize(150);
    party.channel.close();
    hands.runAll();
  }

  @Test
  void receiversInPlaceAreNeverNested() {
    AtomicInteger inside = new AtomicInteger();
    AtomicInteger deepest = new AtomicInteger();
    List<String> received = new ArrayList<>();
    Receiver counting =
        (channel, message) -> {
          deepest.accumulateAndGet(inside.incrementAndGet(), Math::max);
          int count = message.json().to(Integer.class);
          received.add(channel.id());
          if (count > 0) {
            channel.sendOrThrow(message.reply(Json.of(count - 1)));
          }
          inside.decrementAndGet();
        };
    Channel ada = broker.openChannel(counting, Runnable::run);
    Channel bob = broker.openChannel(counting, Runnable::run);
    ada.sendOrThrow(bob.id(), Json.of(20_000));
    assertThat(received).hasSize(20_001).startsWith(bob.id(), ada.id(), bob.id());
    assertThat(deepest).hasValue(1);
  }

  @Test
  @DisplayName(
      "A receiver on an in-place executor is not called inside another one on a pool thread.")
  void aReceiverInPlaceIsNotCalledInsideAnother() {
    List<String> events = new ArrayList<>();
    CompletableFuture<List<String>> all = new CompletableFuture<>();
    Channel inner =
        broker.openChannel(
            (channel, message) -> {
              events.add("inner");
              all.complete(events);
            },
            Runnable::run);
    Channel outer =
        broker.openChannel(
            (channel, message) -> {
              events.add("outer begins");
              channel.sendOrThrow(inner.id(), Json.NULL);
              events.add("outer ends");
            });
    outer.sendOrThrow(outer.id(), Json.NULL);
    assertThat(all).succeedsWithin(Duration.ofSeconds(10));
    assertThat(all.join()).containsExactly("outer begins", "outer ends", "inner");
  }

  @Test
  void whatAReceiverSendsIsOnItsWayBeforeItReturns() {
    CompletableFuture<String> answer = new CompletableFuture<>();
    CompletableFuture<String> seen = new CompletableFuture<>();
    Channel echo =
        broker.openChannel((channel, message) -> channel.sendOrThrow(message.reply(Json.of(2))));
    Channel client =
        broker.openChannel((channel, message) -> answer.complete(message.json().toString()));
    Channel waiting =
        broker.openChannel(
            (channel, message) -> {
              client.sendOrThrow(echo.id(), Json.of(1));
              seen.complete(answer.orTimeout(10, java.util.concurrent.TimeUnit.SECONDS).join());
            });
    waiting.sendOrThrow(waiting.id(), Json.NULL);
    assertThat(seen).succeedsWithin(Duration.ofSeconds(20)).isEqualTo("2");
  }

  @Test
  void aQueueThatIsNeverEmptyNeedsNoStack() throws InterruptedException {
    AtomicInteger received = new AtomicInteger();
    Channel channel =
        broker.openChannel(
            (to, message) -> {
              if (received.incrementAndGet() < 200_000) {
                Object unused = to.send(to.id(), Json.NULL);
              }
            },
            Runnable::run);
    Runnable flood =
        () -> {
          Object unused = channel.send(channel.id(), Json.NULL);
        };
    Thread small = new Thread(null, flood, "small stack", 160 << 10);
    small.start();
    small.join();
    assertThat(received).hasValue(200_000);
    log.assertSize(0);
  }

  @Test
  @DisplayName("An exception from a receiver affects no other receiver, and its next event comes.")
  void aReceiverThatThrowsGetsTheNextEvent() {
    for (boolean direct : new boolean[] {true, false}) {
      List<String> received = new java.util.concurrent.CopyOnWriteArrayList<>();
      Receiver throwing =
          new Receiver() {
            @Override
            public void received(Channel channel, Message message) {
              received.add(message.json().toString());
              if (message.json().isNull()) {
                throw new IllegalStateException("no");
              }
              throw new Error("no");
            }

            @Override
            public void closed(Channel channel, CloseReason reason) {
              received.add("closed");
              throw new Error("no");
            }
          };
      Channel channel =
          direct ? broker.openChannel(throwing, Runnable::run) : broker.openChannel(throwing);
      for (String json : List.of("1", "null", "2")) {
        Party.assertSent(Party.answer(channel.send(channel.id(), Json.parse(json))));
      }
      channel.close();
      Awaitility.await()
          .untilAsserted(() -> assertThat(received).containsExactly("1", "null", "2", "closed"));
      Awaitility.await().untilAsserted(() -> log.assertSize(direct ? 4 : 8));
    }
  }

  @Test
  void whereItsExecutorTakesNoTaskTheChannelCloses() {
    for (Throwable thrown :
        List.of(
            new RejectedExecutionException(),
            new IllegalStateException(),
            new OutOfMemoryError("not really"))) {
      Queue<Runnable> tasks = new ArrayDeque<>();
      Executor failing =
          task -> {
            if (tasks.size() == 1) {
              ReceiverTransportTest.<RuntimeException>sneak(thrown);
            }
            tasks.add(task);
          };
      Party party = new Party(broker, failing);
      Session session = party.host("a");
      tasks.peek().run();
      Party sender = new Party(broker);
      Party.assertSent(sender.send(session.id(), "1"));
      assertThat(party.channel.isOpen()).isFalse();
      Party.assertRefused(sender.send(session.id(), "2"), Refusal.Code.UNKNOWN_TARGET);
      sender.channel.close();
      LeakAssert.assertNone(broker);
    }
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> void sneak(Throwable thrown) throws T {
    throw (T) thrown;
  }

  @Test
  @DisplayName("A channel whose executor never accepted a task is closed from the start.")
  void anExecutorThatTakesNothingClosesAtOnce() {
    Party party =
        new Party(
            broker,
            task -> {
              throw new RejectedExecutionException();
            });
    assertThat(party.channel.isOpen()).isFalse();
    assertThat(party.closed).isEmpty();
  }

  /** Takes tasks, and silently drops some. */
  private static final class Forgetful implements Executor {

    private boolean shutDown;
    private Runnable last;

    @Override
    public void execute(Runnable task) {
      if (shutDown) {
        throw new RejectedExecutionException();
      }
      last = task;
    }
  }

  @Test
  void aDroppedTaskClosesTheChannelInTime() {
    ManualTimer timer = new ManualTimer();
    Broker timed = Broker.builder().timer(timer).drainTimeout(Duration.ofMinutes(1)).build();
    Forgetful discarding = new Forgetful();
    Party party = new Party(timed, discarding);
    Replay replay = new Replay();
    timed.watch(TagFilter.all(), replay, discarding);
    Duration moment = Duration.ofNanos(1);
    timer.advance(ReceiverTransport.LOOK.multipliedBy(ReceiverTransport.GIVEN_UP).minus(moment));
    assertThat(party.channel.isOpen()).isTrue();
    Party sender = new Party(timed);
    Party.assertSent(sender.send(party.id(), "1"));
    timer.advance(moment);
    assertThat(party.channel.isOpen()).isFalse();
    Party.assertRefused(sender.send(party.id(), "2"), Refusal.Code.UNKNOWN_TARGET);
    assertThat(timed.stats().channelsClosed()).containsEntry(CloseReason.STALLED, 1L);
    assertThat(timed.stats().watchesClosed()).containsEntry(CloseReason.STALLED, 1L);
    log.assertSize(2);
    // It was only slow: its receiver is notified in the end.
    discarding.last.run();
    assertThat(replay.told()).containsExactly("closed STALLED");
    sender.channel.close();
    LeakAssert.assertNone(timed);
    assertThat(timer.scheduled()).isZero();
    timed.close();
  }

  @Test
  @DisplayName("A channel whose executor has shut down closes at the next check.")
  void anExecutorThatShutDownClosesTheChannel() {
    ManualTimer timer = new ManualTimer();
    Broker timed = Broker.builder().timer(timer).build();
    Forgetful executor = new Forgetful();
    Party party = new Party(timed, executor);
    executor.shutDown = true;
    timer.advance(ReceiverTransport.LOOK);
    assertThat(party.channel.isOpen()).isFalse();
    LeakAssert.assertNone(timed);
    assertThat(timer.scheduled()).isZero();
    timed.close();
  }

  @Test
  void anExecutorThatShutDownIsNotWaitedFor() {
    Broker closing = Broker.builder().drainTimeout(Duration.ofHours(1)).build();
    Forgetful executor = new Forgetful();
    new Party(closing, executor);
    closing.watch(TagFilter.all(), new Replay(), executor);
    executor.shutDown = true;
    closing.close();
    LeakAssert.assertNone(closing);
  }

  @Test
  @DisplayName("A slow executor is not given up, and each turn begins once.")
  void aSlowExecutorIsNotGivenUp() {
    ManualTimer timer = new ManualTimer();
    Broker timed = Broker.builder().timer(timer).build();
    ManualExecutor slow = new ManualExecutor();
    Party party = new Party(timed, slow);
    for (int i = 0; i < 10; i++) {
      timer.advance(ReceiverTransport.LOOK.multipliedBy(ReceiverTransport.GIVEN_UP - 1));
      Party.assertSent(party.send(party.id(), Integer.toString(i)));
      slow.runAll();
    }
    assertThat(party.texts()).hasSize(10).startsWith("0", "1").endsWith("9");
    party.channel.close();
    slow.runAll();
    assertThat(party.closed).hasSize(1);
    timer.advance(ReceiverTransport.LOOK);
    assertThat(timer.scheduled()).isZero();
    timed.close();
  }

  @Test
  @DisplayName("Receivers that block do not silence others, up to the documented number.")
  void blockedReceiversSilenceNobody() throws InterruptedException {
    CountDownLatch release = new CountDownLatch(1);
    CountDownLatch received = new CountDownLatch(1);
    int threads = 8;
    try (Broker small = Broker.builder().maxReceiverThreads(threads).build()) {
      for (int i = 0; i < threads - 1; i++) {
        Channel channel = small.openChannel((to, message) -> awaitQuietly(release));
        Party.assertSent(Party.answer(channel.send(channel.id(), Json.NULL)));
      }
      Channel other = small.openChannel((to, message) -> received.countDown());
      Party.assertSent(Party.answer(other.send(other.id(), Json.NULL)));
      received.await();
      release.countDown();
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void theBuildersExecutorIsTheDefault() {
    ManualExecutor hands = new ManualExecutor();
    Broker given = Broker.builder().receiverExecutor(hands).build();
    List<String> received = new ArrayList<>();
    Channel channel = given.openChannel((to, message) -> received.add("message"));
    given.watch(TagFilter.all(), new Replay());
    Party.assertSent(Party.answer(channel.send(channel.id(), Json.NULL)));
    assertThat(received).isEmpty();
    assertThat(hands.waiting()).isEqualTo(2);
    hands.runAll();
    assertThat(received).containsExactly("message");
    given.forCaller(() -> null).watch(TagFilter.all(), new Replay());
    assertThat(hands.waiting()).isEqualTo(1);
    hands.runAll();
    Thread closer = new Thread(given::close);
    closer.start();
    Awaitility.await()
        .until(
            () -> {
              hands.runAll();
              return !closer.isAlive();
            });
    LeakAssert.assertNone(given);
  }
}
