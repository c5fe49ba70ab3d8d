package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * The effect of a proxy's restart: all streams are cut at one moment, and all graces run out at one
 * moment.
 */
final class StormTest {

  private static final int MANY = 1_000;
  private static final Duration HEARTBEAT = Duration.ofSeconds(1);
  private static final Duration GRACE = Duration.ofSeconds(2);

  private final Broker broker = Broker.builder().drainTimeout(Duration.ZERO).build();
  private final List<Attachment> channels = new ArrayList<>();
  private final List<Attachment> lists = new ArrayList<>();
  private final AtomicInteger heartbeats = new AtomicInteger();
  private final AtomicLong longestSilence = new AtomicLong();
  private volatile long lastHeartbeat;
  private volatile boolean channelsAreCut;
  private volatile boolean over;

  @AfterEach
  void nothingIsLeft() {
    over = true;
    broker.close();
    LeakAssert.assertNone(broker);
  }

  /** A stream that reads all events, at about the cost of a real one. */
  private static final class Reader implements Transport {

    private static final long COST = 20_000;

    private final Attachment attachment;
    private final AtomicInteger wakeups = new AtomicInteger();

    Reader(Attachment attachment) {
      this.attachment = attachment;
    }

    @Override
    public void ready() {
      if (wakeups.getAndIncrement() > 0) {
        return;
      }
      int seen;
      do {
        seen = wakeups.get();
        long until = System.nanoTime() + COST;
        while (attachment.poll() != null || System.nanoTime() < until) {
          attachment.consumed(0);
        }
      } while (wakeups.addAndGet(-seen) > 0);
    }

    @Override
    public void end(CloseReason reason) {}
  }

  private void open() {
    for (int i = 0; i < MANY; i++) {
      Wired.openChannel(
              broker,
              ChannelOptions.none().withResume(GRACE),
              attachment -> {
                channels.add(attachment);
                return new Reader(attachment);
              })
          .openSession(SessionSpec.listed("storm", "number " + i));
    }
  }

  private void watch(boolean blocking, CountDownLatch release) {
    for (int i = 0; i < MANY; i++) {
      boolean blocks = blocking && i % 50 == 0;
      broker
          .gateway()
          .watch(
              TagFilter.requiring("storm"),
              attachment -> {
                lists.add(attachment);
                Reader reader = new Reader(attachment);
                return new Transport() {
                  @Override
                  public void ready() {
                    if (blocks && channelsAreCut) {
                      awaitQuietly(release);
                    }
                    reader.ready();
                  }

                  @Override
                  public void end(CloseReason reason) {
                    reader.end(reason);
                  }
                };
              });
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** The work of an idle stream: a task after each silence. */
  private void beat() {
    long now = System.nanoTime();
    longestSilence.accumulateAndGet(now - lastHeartbeat, Math::max);
    lastHeartbeat = now;
    heartbeats.incrementAndGet();
    if (!over) {
      broker.gateway().timer().schedule(HEARTBEAT, this::beat);
    }
  }

  private void beginToBeat() {
    lastHeartbeat = System.nanoTime();
    broker.gateway().timer().schedule(HEARTBEAT, this::beat);
  }

  private void cut(List<Attachment> streams) {
    streams.forEach(stream -> stream.detach(CloseReason.GONE));
  }

  private void awaitTheEnd(String storm) {
    long cut = System.nanoTime();
    Awaitility.await().atMost(Duration.ofMinutes(2)).until(() -> broker.stats().sessions() == 0);
    long gone = System.nanoTime() - cut;
    int before = heartbeats.get();
    Awaitility.await().atMost(Duration.ofMinutes(2)).until(() -> heartbeats.get() > before);
    System.out.printf(
        "%s: an idle stream's longest silence %d ms of %d, all sessions gone after %d ms of %d%n",
        storm,
        longestSilence.get() / 1_000_000,
        HEARTBEAT.toMillis(),
        gone / 1_000_000,
        GRACE.toMillis());
    assertThat(Duration.ofNanos(longestSilence.get())).isLessThan(HEARTBEAT.multipliedBy(3));
    assertThat(Duration.ofNanos(gone)).isLessThan(GRACE.plusSeconds(2));
  }

  @Test
  @DisplayName("1,000 channels and 1,000 watches are cut at once; an idle stream is not affected.")
  void allAreCut() {
    open();
    watch(false, new CountDownLatch(0));
    beginToBeat();
    cut(channels);
    cut(lists);
    awaitTheEnd("All cut");
  }

  @Test
  @DisplayName("1,000 channels that 1,000 watches see are cut at once.")
  void listsStay() {
    open();
    watch(false, new CountDownLatch(0));
    beginToBeat();
    cut(channels);
    awaitTheEnd("Lists stay");
    cut(lists);
  }

  @Test
  @DisplayName("The same, with 20 watches among them whose container blocks.")
  void someBlock() {
    CountDownLatch release = new CountDownLatch(1);
    open();
    watch(true, release);
    beginToBeat();
    channelsAreCut = true;
    cut(channels);
    try {
      int before = heartbeats.get();
      Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> heartbeats.get() > before + 3);
      assertThat(Duration.ofNanos(longestSilence.get())).isLessThan(HEARTBEAT.multipliedBy(3));
    } finally {
      release.countDown();
    }
    awaitTheEnd("Some block");
    cut(lists);
  }
}
