package io.peerbroker.benchmarks;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Json;
import io.peerbroker.core.Session;
import io.peerbroker.core.SessionUpdate;
import io.peerbroker.core.TagFilter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * How long does a change wait while others read their snapshots? Beside a machine that is as busy
 * with something else, since on few processors that alone makes it wait.
 */
final class WalkersBenchmark implements Benchmark {

  private static final long PAUSE_NANOS = 200_000;

  /** The sessions that change: those of so many channels. */
  private static final int CHANNELS = 16;

  /**
   * The work of a thread beside the changes, piece by piece; returns how many sessions it passed.
   */
  @FunctionalInterface
  private interface Work {
    long piece();
  }

  @Override
  public void run(Scale scale, Report report) throws Exception {
    report.table(
        "Walkers: how long a change takes while snapshots are read",
        "meanwhile",
        "sessions",
        "changes",
        "median µs",
        "99 % within µs",
        "longest µs",
        "sessions walked in a second");
    int walkers = scale.walkers();
    TagFilter all = TagFilter.all();
    TagFilter nothing = TagFilter.parse("nobody,!" + Population.tag(0));
    TagFilter few = TagFilter.parse("!" + Population.tag(0) + ",!" + Population.tag(1));
    for (int size : scale.sizes()) {
      try (Broker broker = Population.broker()) {
        List<Session> sessions = new ArrayList<>();
        List<Channel> channels = Population.list(broker, 0, size, Population::spec);
        channels.stream().limit(CHANNELS).forEach(c -> sessions.addAll(c.sessions()));
        measure(scale, report, "nothing", size, sessions, List.of());
        measure(
            scale,
            report,
            walkers + " threads that compute",
            size,
            sessions,
            copies(walkers, WalkersBenchmark::compute));
        measure(
            scale,
            report,
            walkers + " walkers on one thread, no filter",
            size,
            sessions,
            List.of(walk(broker, all, walkers)));
        measure(
            scale,
            report,
            walkers + " walkers, a thread each, no filter",
            size,
            sessions,
            walkers(broker, all, walkers));
        measure(
            scale,
            report,
            walkers + " walkers, a thread each, not two frequent tags",
            size,
            sessions,
            walkers(broker, few, walkers));
        measure(
            scale,
            report,
            walkers + " walkers, a thread each, a tag that nobody has",
            size,
            sessions,
            walkers(broker, nothing, walkers));
      }
    }
  }

  private static List<Work> walkers(Broker broker, TagFilter filter, int count) {
    List<Work> walkers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      walkers.add(walk(broker, filter, 1));
    }
    return walkers;
  }

  private static List<Work> copies(int count, Work work) {
    Work[] copies = new Work[count];
    Arrays.fill(copies, work);
    return List.of(copies);
  }

  private static long compute() {
    var random = new SplittableRandom(1);
    long sum = 0;
    for (int i = 0; i < 1_000; i++) {
      sum ^= random.nextLong();
    }
    // Nothing was walked, but the compiler does not know
    return sum == 0 ? 1 : 0;
  }

  /** Reads snapshots over and over, so many by turns. */
  private static Work walk(Broker broker, TagFilter filter, int count) {
    var watching = new CountingTransport.Watching[count];
    for (int i = 0; i < count; i++) {
      watching[i] = CountingTransport.watch(broker, filter);
    }
    return () -> {
      long walked = 0;
      for (int i = 0; i < count; i++) {
        if (watching[i].reader().takeOne()) {
          walked++;
        }
        if (watching[i].reader().isComplete()) {
          watching[i].watch().close();
          watching[i] = CountingTransport.watch(broker, filter);
        }
      }
      return walked;
    };
  }

  private static void measure(
      Scale scale, Report report, String name, int size, List<Session> sessions, List<Work> works)
      throws InterruptedException {
    var stop = new AtomicBoolean();
    var walked = new AtomicLong();
    List<Thread> threads = new ArrayList<>();
    for (Work work : works) {
      Thread thread =
          new Thread(
              () -> {
                long passed = 0;
                while (!stop.get()) {
                  passed += work.piece();
                }
                walked.addAndGet(passed);
              },
              "walker");
      thread.start();
      threads.add(thread);
    }
    change(sessions, scale.warmUp().toNanos());
    long begun = System.nanoTime();
    double[] took = change(sessions, 50 * scale.round().toNanos());
    stop.set(true);
    double seconds = (System.nanoTime() - begun + scale.warmUp().toNanos()) / 1e9;
    for (Thread thread : threads) {
      thread.join();
    }
    Arrays.sort(took);
    report.row(
        name,
        Report.count(size),
        Report.count(took.length),
        Report.micros(took[took.length / 2]),
        Report.micros(took[(int) (took.length * 0.99)]),
        Report.micros(took[took.length - 1]),
        Report.number(walked.get() / seconds));
  }

  /** Changes sessions for some time, with pauses, and returns how long each change took. */
  private static double[] change(List<Session> sessions, long nanos) {
    var random = new SplittableRandom(1);
    List<Double> took = new ArrayList<>();
    long ends = System.nanoTime() + nanos;
    int number = 0;
    do {
      Session session = sessions.get(random.nextInt(sessions.size()));
      SessionUpdate update = SessionUpdate.nothing().withMetadata(Json.of(number++));
      long begun = System.nanoTime();
      session.update(update);
      took.add((double) (System.nanoTime() - begun));
      LockSupport.parkNanos(PAUSE_NANOS);
    } while (System.nanoTime() < ends);
    return took.stream().mapToDouble(Double::doubleValue).toArray();
  }
}
