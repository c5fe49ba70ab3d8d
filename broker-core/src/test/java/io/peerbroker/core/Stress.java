package io.peerbroker.core;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;

/** How long tests of many threads go on: two seconds, or as the system property says. */
final class Stress {

  private Stress() {}

  /** A round of a stress test; its exception fails the test, with the round's seed. */
  interface Round {
    void run(long seed) throws Exception;
  }

  static Duration duration() {
    return Duration.ofSeconds(Integer.getInteger("peerbroker.stress.seconds", 2));
  }

  static void rounds(Round round) throws Exception {
    long end = System.nanoTime() + duration().toNanos();
    long seed = System.nanoTime();
    do {
      try {
        round.run(++seed);
      } catch (Exception | AssertionError failed) {
        throw new AssertionError("In the round with the seed " + seed, failed);
      }
    } while (System.nanoTime() < end);
  }

  /** A part of a round that runs beside the others. */
  interface Part {
    void run() throws Exception;
  }

  /** Starts all parts at once, and waits for them; throws the exception of a part. */
  static void together(List<Part> parts) throws Exception {
    ExecutorService threads = TestThreads.executor(parts.size());
    try {
      CountDownLatch start = new CountDownLatch(parts.size());
      List<Future<?>> running = new ArrayList<>();
      for (Part part : parts) {
        running.add(
            threads.submit(
                () -> {
                  start.countDown();
                  start.await();
                  part.run();
                  return null;
                }));
      }
      for (Future<?> one : running) {
        one.get();
      }
    } catch (ExecutionException failed) {
      throw new AssertionError(failed.getCause());
    } finally {
      threads.shutdownNow();
    }
  }
}
