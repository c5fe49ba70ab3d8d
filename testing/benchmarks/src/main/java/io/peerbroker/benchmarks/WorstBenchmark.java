package io.peerbroker.benchmarks;

import io.peerbroker.core.Attachment;
import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.core.CloseReason;
import io.peerbroker.core.Envelope;
import io.peerbroker.core.Event;
import io.peerbroker.core.Json;
import io.peerbroker.core.Limits;
import io.peerbroker.core.Session;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.core.SessionUpdate;
import io.peerbroker.core.TagFilter;
import io.peerbroker.core.Transport;
import io.peerbroker.core.Watch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntFunction;

/**
 * What do strangers cost all others when they watch in thousands, change large sessions and close
 * channels with as many sessions as allowed? The time under the lock is that of a change while the
 * watches have their pause, so that none is woken in it. A bystander opens and closes a session of
 * its own all the time; the yardstick is the same bystander alone.
 */
final class WorstBenchmark implements Benchmark {

  private static final int SESSIONS = 64;
  private static final int TAGS = 32;
  private static final int CHANGES = 200;

  /** After how many nanoseconds the measurement stops waiting for the remaining watchers. */
  private static final long TOO_LONG = 60_000_000_000L;

  private record Crowd(String name, boolean sees, IntFunction<String> filter) {}

  private static final List<Crowd> CROWDS =
      List.of(
          new Crowd("all equal, see it", true, n -> ""),
          new Crowd("all distinct, cannot see it", false, n -> tag(0) + ",nobody-" + n),
          new Crowd(
              "all distinct, exclude a tag of it", false, n -> tag(0) + ",!" + tag(1) + ",!x" + n),
          new Crowd("all distinct, see it", true, n -> tag(n % TAGS) + ",!x" + n));

  /** A tag of 64 characters. */
  private static String tag(int number) {
    return "%064d".formatted(number);
  }

  @Override
  public void run(Scale scale, Report report) throws Exception {
    report.table(
        "Worst: sessions with " + TAGS + " tags of 64 characters, and their watches",
        "the filters of the list streams",
        "list streams",
        "update, µs",
        "99 % within",
        "close of " + SESSIONS + " sessions, ms",
        "notified all of them after, ms",
        "bystander alone, 99 % within, ms",
        "bystander meanwhile, 99 % within, ms");
    for (int watchers : scale.worstWatchers()) {
      for (Crowd crowd : CROWDS) {
        measure(report, crowd, watchers);
      }
    }
  }

  private static void measure(Report report, Crowd crowd, int watchers) throws Exception {
    try (Broker broker =
        Broker.builder()
            .sessionRate(Limits.Rate.UNLIMITED)
            .maxWatches(Math.max(1, watchers))
            .drainTimeout(Duration.ZERO)
            .build()) {
      long[] alone = bystander(broker, () -> sleep(Duration.ofSeconds(1)));
      LongAdder events = new LongAdder();
      LongAdder removals = new LongAdder();
      for (int i = 0; i < watchers; i++) {
        Watch unused =
            broker
                .gateway()
                .watch(
                    TagFilter.parse(crowd.filter.apply(i)),
                    attachment -> new Reading(attachment, events, removals));
      }
      Channel channel = Population.openChannel(broker);
      List<Session> sessions = open(channel);
      long[] updates = new long[CHANGES];
      long[] closes = new long[10];
      long[] told = new long[closes.length];
      long expected = crowd.sees ? (long) SESSIONS * watchers : 0;
      List<Session> changing = sessions;
      long[] meanwhile =
          bystander(
              broker,
              () -> {
                for (int i = 0; i < CHANGES; i++) {
                  updates[i] = update(changing.get(i % SESSIONS), i);
                  sleep(Duration.ofMillis(5));
                }
                awaitSilence(events);
                removals.reset();
                Channel closing = channel;
                for (int i = 0; i < closes.length; i++) {
                  long begun = System.nanoTime();
                  closing.close();
                  closes[i] = System.nanoTime() - begun;
                  while (removals.sum() < expected && System.nanoTime() - begun < TOO_LONG) {
                    sleep(Duration.ofMillis(1));
                  }
                  told[i] = System.nanoTime() - begun;
                  removals.reset();
                  sleep(Duration.ofMillis(100));
                  closing = Population.openChannel(broker);
                  open(closing);
                  sleep(Duration.ofMillis(100));
                  awaitSilence(events);
                }
              });
      report.row(
          crowd.name,
          Report.count(watchers),
          Report.micros(quantile(updates, 0.5)),
          Report.micros(quantile(updates, 0.99)),
          Report.millis(quantile(closes, 0.5)),
          crowd.sees ? Report.millis(quantile(told, 0.5)) : "-",
          Report.millis(quantile(alone, 0.99)),
          Report.millis(quantile(meanwhile, 0.99)));
    }
  }

  private static List<Session> open(Channel channel) {
    List<String> tags = new ArrayList<>();
    for (int i = 0; i < TAGS; i++) {
      tags.add(tag(i));
    }
    List<Session> sessions = new ArrayList<>();
    for (int i = 0; i < SESSIONS; i++) {
      sessions.add(channel.openSession(new SessionSpec(tags, true, Json.NULL)));
    }
    return sessions;
  }

  private static long update(Session session, int number) {
    SessionUpdate update = SessionUpdate.nothing().withMetadata(Json.of(number));
    long begun = System.nanoTime();
    session.update(update);
    return System.nanoTime() - begun;
  }

  /** Returns how long a session's opening takes while something else runs, in nanoseconds. */
  private static long[] bystander(Broker broker, Runnable meanwhile) throws InterruptedException {
    Channel own = Population.openChannel(broker);
    AtomicBoolean over = new AtomicBoolean();
    List<Long> took = new ArrayList<>();
    Thread thread =
        new Thread(
            () -> {
              while (!over.get()) {
                long begun = System.nanoTime();
                Session session = own.openSession(SessionSpec.unlisted("bystander"));
                took.add(System.nanoTime() - begun);
                session.close();
                sleep(Duration.ofMillis(1));
              }
            });
    thread.start();
    meanwhile.run();
    over.set(true);
    thread.join();
    own.close();
    return took.stream().mapToLong(Long::longValue).toArray();
  }

  /** Waits until no watcher receives anything any longer. */
  private static void awaitSilence(LongAdder events) {
    for (long before = -1; before != events.sum(); ) {
      before = events.sum();
      sleep(Duration.ofMillis(200));
    }
  }

  private static double quantile(long[] nanos, double part) {
    long[] sorted = nanos.clone();
    Arrays.sort(sorted);
    return sorted.length == 0 ? 0 : sorted[(int) (part * (sorted.length - 1))];
  }

  private static void sleep(Duration time) {
    try {
      Thread.sleep(time.toMillis());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** A watch's far end that reads whenever it is woken. */
  private record Reading(Attachment attachment, LongAdder events, LongAdder removals)
      implements Transport {

    @Override
    public void ready() {
      for (Envelope next = attachment.poll(); next != null; next = attachment.poll()) {
        events.increment();
        if (next.event() instanceof Event.Removed) {
          removals.increment();
        }
        attachment.consumed(1);
      }
    }

    @Override
    public void end(CloseReason reason) {
      attachment.detach(reason);
    }
  }
}
