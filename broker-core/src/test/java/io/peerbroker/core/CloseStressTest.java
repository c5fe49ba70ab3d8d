package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * A channel's close is one instant (C14): sessions are opened on it, sent to, listed and watched
 * while it closes. A call that begins after the close has returned, or after a removal has been
 * sent, finds nothing of it.
 */
final class CloseStressTest {

  private final ContractListener witness = new ContractListener();
  private final Broker broker =
      Broker.builder()
          .listPause(Duration.ZERO)
          .messageRate(Limits.Rate.UNLIMITED)
          .sessionRate(Limits.Rate.UNLIMITED)
          .maxSessionsPerChannel(1_000_000)
          .maxQueuedEvents(1_000_000)
          .listener(witness)
          .build();
  private final Party prober = new Party(broker);

  /** A channel that is being closed, and all its known ids. */
  private final class Target {
    final Channel channel = new Party(broker).channel;
    final SessionSpec spec = SessionSpec.listed("of " + channel.id());
    final TagFilter filter = TagFilter.parse("of " + channel.id());
    final Queue<String> ids = new ConcurrentLinkedQueue<>(List.of(channel.id()));
    final AtomicInteger removals = new AtomicInteger();
    volatile boolean closed;

    void assertGone(String when) {
      for (String id : ids) {
        assertThat(sent(id)).as("%s, a send to %s succeeds", when, id).isFalse();
      }
      assertThat(broker.list(filter).sessions()).as(when).isEmpty();
    }
  }

  private boolean sent(String id) {
    return prober.channel.send(id, Json.NULL).toCompletableFuture().join() instanceof Delivery.Sent;
  }

  @Test
  void whatHasClosedIsFoundByNobody() throws Exception {
    ExecutorService watching = Executors.newSingleThreadExecutor();
    try {
      Stress.rounds(seed -> round(new Random(seed), watching));
    } finally {
      watching.shutdown();
    }
    broker.close();
    LeakAssert.assertNone(broker);
    witness.assertAgrees(broker);
  }

  private void round(Random random, ExecutorService watching) throws Exception {
    Target target = new Target();
    for (int i = 0; i < 3; i++) {
      target.ids.add(target.channel.openSession(target.spec).id());
    }
    Queue<AssertionError> wrong = new ConcurrentLinkedQueue<>();
    Watch inPlace = broker.watch(target.filter, watcher(target, wrong), Runnable::run);
    Watch onThread = broker.watch(target.filter, watcher(target, wrong), watching);
    int spins = random.nextInt(20_000);
    Stress.together(
        List.of(
            () -> {
              for (int i = 0; i < spins; i++) {
                Thread.onSpinWait();
              }
              target.channel.close();
              target.closed = true;
              target.assertGone("after the close");
            },
            () -> openSessions(target),
            () -> openSessions(target),
            () -> send(target),
            () -> look(target)));
    target.assertGone("at the end");
    assertThat(target.channel.sessions()).isEmpty();
    assertThat(wrong).isEmpty();
    await().until(() -> target.removals.get() >= 3);
    inPlace.close();
    onThread.close();
  }

  private Watcher watcher(Target target, Queue<AssertionError> wrong) {
    return new Watcher() {
      @Override
      public void added(ListedSession session) {
        target.ids.add(session.id());
      }

      @Override
      public void removed(String sid) {
        try {
          target.removals.incrementAndGet();
          target.assertGone("after a removal");
        } catch (AssertionError failed) {
          wrong.add(failed);
        }
      }
    };
  }

  private static void openSessions(Target target) {
    boolean late;
    do {
      late = target.closed;
      try {
        Session session = target.channel.openSession(target.spec);
        assertThat(late).as("opened after the close").isFalse();
        target.ids.add(session.id());
      } catch (RefusedException refused) {
        assertThat(refused.refusal().code()).isEqualTo(Refusal.Code.UNKNOWN_CHANNEL);
        return;
      }
    } while (!late && target.ids.size() < 100);
  }

  private void send(Target target) {
    boolean late;
    do {
      late = target.closed;
      for (String id : target.ids) {
        assertThat(sent(id) && late).as("sent after the close").isFalse();
      }
      TestThreads.giveWay();
    } while (!late);
  }

  private void look(Target target) {
    boolean late;
    do {
      late = target.closed;
      boolean found = !broker.list(target.filter).sessions().isEmpty();
      assertThat(found && late).as("listed after the close").isFalse();
      boolean hosts = !target.channel.sessions().isEmpty() || target.channel.isOpen();
      assertThat(hosts && late).as("hosts after the close").isFalse();
      TestThreads.giveWay();
    } while (!late);
  }
}
