package io.peerbroker.core;

import static io.peerbroker.core.RefusalAssert.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Refusal.Code;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The broker's close: streams are notified, drained within a bound, and then ended. */
final class ShutdownTest {

  private static final Duration LONG = Duration.ofMinutes(1);
  private static final Duration SHORT = Duration.ofMillis(50);

  private static Broker broker(Duration drainTimeout) {
    return Broker.builder().drainTimeout(drainTimeout).build();
  }

  @Test
  void tellsEverybodyAndRefusesWhatIsNew() {
    Broker broker = broker(LONG);
    Party party = new Party(broker);
    Session session = party.host("a");
    Replay replay = new Replay();
    broker.watch(TagFilter.all(), replay, Runnable::run);

    broker.close();
    broker.close();

    assertThat(party.closed).containsExactly(CloseReason.SHUTTING_DOWN);
    // No watch is notified of the sessions one by one.
    assertThat(replay.told()).containsExactly("add [a]", "ready 1", "closed SHUTTING_DOWN");
    LeakAssert.assertNone(broker);

    TagFilter all = TagFilter.all();
    assertRefused(() -> new Party(broker), Code.SHUTTING_DOWN);
    assertRefused(() -> broker.watch(all, replay), Code.SHUTTING_DOWN);
    assertRefused(() -> broker.list(all), Code.SHUTTING_DOWN);
    assertRefused(() -> Wired.claim(broker, party.id(), party.channel.key()), Code.SHUTTING_DOWN);
    assertRefused(() -> Wired.claimHost(broker, party.id(), null), Code.SHUTTING_DOWN);
    assertRefused(() -> party.host("b"), Code.SHUTTING_DOWN);
    assertRefused(
        () -> session.update(SessionUpdate.nothing().withListed(false)), Code.SHUTTING_DOWN);
    Party.assertRefused(party.send(party.id(), "1"), Code.SHUTTING_DOWN);
    session.close();
    party.channel.close();
  }

  @Test
  void letsAReaderHaveWhatIsQueuedForIt() throws InterruptedException {
    Broker broker = broker(LONG);
    ManualExecutor hands = new ManualExecutor();
    Party slow = new Party(broker, hands);
    Party sender = new Party(broker);
    for (int i = 0; i < 100; i++) {
      Party.assertSent(sender.send(slow.id(), "1"));
    }
    Thread closer = new Thread(broker::close);
    closer.start();
    Awaitility.await().until(() -> !slow.channel.isOpen());
    assertThat(closer.isAlive()).isTrue();
    hands.runAll();
    closer.join();
    assertThat(slow.received).hasSize(100);
    assertThat(slow.closed).containsExactly(CloseReason.SHUTTING_DOWN);
    LeakAssert.assertNone(broker);
  }

  @Test
  void waitsNoLongerThanItsBound() {
    Broker broker = broker(SHORT);
    ManualExecutor never = new ManualExecutor();
    Party stalled = new Party(broker, never);
    Party.assertSent(stalled.send(stalled.id(), "1"));
    broker.close();
    LeakAssert.assertNone(broker);
    // It reads after all: the queue is gone, and the end is reported all the same.
    never.runAll();
    assertThat(stalled.received).isEmpty();
    assertThat(stalled.closed).containsExactly(CloseReason.SHUTTING_DOWN);
  }

  @Test
  @DisplayName("A receiver that outlasts the bound is notified of the end when it returns.")
  void aLateReceiverIsToldTheEndWhenItReturns() throws InterruptedException {
    Broker broker = broker(SHORT);
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    AtomicReference<CloseReason> told = new AtomicReference<>();
    Channel channel =
        broker.openChannel(
            new Receiver() {
              @Override
              public void received(Channel to, Message message) {
                inside.countDown();
                awaitQuietly(release);
              }

              @Override
              public void closed(Channel to, CloseReason reason) {
                told.set(reason);
              }
            });
    channel.sendOrThrow(channel.id(), Json.NULL);
    inside.await();
    broker.close();
    LeakAssert.assertNone(broker);
    assertThat(told).hasValue(null);
    release.countDown();
    Awaitility.await().until(() -> told.get() == CloseReason.SHUTTING_DOWN);
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  @DisplayName("A receiver may close the broker, though the close then takes its whole bound.")
  void mayBeCalledByAReceiver() {
    for (boolean direct : new boolean[] {true, false}) {
      Broker broker = broker(SHORT);
      AtomicBoolean returned = new AtomicBoolean();
      Receiver closer =
          (channel, message) -> {
            broker.close();
            returned.set(true);
          };
      Channel channel =
          direct ? broker.openChannel(closer, Runnable::run) : broker.openChannel(closer);
      Party other = new Party(broker);
      channel.sendOrThrow(channel.id(), Json.NULL);
      Awaitility.await().untilTrue(returned);
      LeakAssert.assertNone(broker);
      Awaitility.await().until(() -> !other.closed.isEmpty());
      assertThat(other.closed).containsExactly(CloseReason.SHUTTING_DOWN);
    }
  }

  @Test
  void anInterruptEndsTheWaitAndIsKept() {
    Broker broker = broker(LONG);
    new Party(broker, new ManualExecutor());
    Thread.currentThread().interrupt();
    broker.close();
    assertThat(Thread.interrupted()).isTrue();
    LeakAssert.assertNone(broker);
  }

  @Test
  void withNobodyThereItIsOverAtOnce() {
    Broker broker = broker(LONG);
    broker.close();
    LeakAssert.assertNone(broker);
  }

  @Test
  void itsThreadsHaveEndedWhenItReturns() throws InterruptedException {
    Broker broker = broker(LONG);
    CountDownLatch ran = new CountDownLatch(1);
    CountDownLatch received = new CountDownLatch(1);
    Channel channel = broker.openChannel((to, message) -> received.countDown());
    channel.sendOrThrow(channel.id(), Json.NULL);
    broker.gateway().timer().schedule(Duration.ZERO, ran::countDown);
    ran.await();
    assertThat(OwnThreads.of(broker)).hasSizeGreaterThanOrEqualTo(3);
    List<Thread> threads = OwnThreads.of(broker);
    broker.close();
    assertThat(threads).noneMatch(Thread::isAlive);
    assertThat(received.getCount()).isZero();
  }

  @Test
  @DisplayName("A stream that is detached before it is attached leaves nothing.")
  void anEarlyDetachLeavesNothing() {
    LocalBroker broker = (LocalBroker) broker(Duration.ZERO);
    ChannelOptions options = ChannelOptions.none().withResume(LONG);
    LocalChannel channel = broker.newChannel(options, LocalChannel.Side.WIRE, null);
    ChannelConnection.Stream stream =
        channel.connection().new Stream(broker.streams.channels.takeAnyway());
    stream.detach(CloseReason.SHUTTING_DOWN);
    channel.begin(stream, IceConfiguration.none());
    assertThat(channel.deliver(new Message("a", channel.id(), Json.NULL))).isCompleted();
    assertThat(broker.budgets.queues.used()).isPositive();
    channel.end(CloseReason.SHUTTING_DOWN);
    assertThat(broker.budgets.queues.used()).isZero();
    broker.close();
  }

  @Test
  void whoIsBeingOpenedMeanwhileEndsToo() {
    Broker broker = broker(Duration.ZERO);
    AtomicReference<CloseReason> told = new AtomicReference<>();
    Channel channel =
        Wired.openChannel(
            broker,
            attachment -> {
              broker.close();
              return new Transport() {
                @Override
                public void ready() {}

                @Override
                public void end(CloseReason reason) {
                  assertThat(told.getAndSet(reason)).isNull();
                }
              };
            });
    assertThat(channel.isOpen()).isFalse();
    assertThat(told).hasValue(CloseReason.SHUTTING_DOWN);
    LeakAssert.assertNone(broker);
  }

  @Test
  void expiredChannelsFinishDespiteASlowListener() throws InterruptedException {
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    Broker broker =
        Broker.builder()
            .drainTimeout(Duration.ZERO)
            .listener(
                new BrokerListener() {
                  @Override
                  public void channelClosed(Channel channel, CloseReason reason) {
                    inside.countDown();
                    awaitQuietly(release);
                  }
                })
            .build();
    List<ManualTransport> lines = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      lines.add(
          ManualTransport.open(broker, ChannelOptions.none().withResume(Duration.ofSeconds(1))));
    }
    lines.forEach(ManualTransport::cut);
    inside.await();
    Thread closer = new Thread(broker::close);
    closer.start();
    Awaitility.await().until(() -> !broker.isOpen());
    release.countDown();
    closer.join();
    Awaitility.await().untilAsserted(() -> LeakAssert.assertNone(broker));
  }
}
