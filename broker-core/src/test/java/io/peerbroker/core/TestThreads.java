package io.peerbroker.core;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The threads of stress tests: virtual ones where the system property {@value #VIRTUAL} is {@code
 * true}, which needs JDK 21 or later, else platform threads.
 */
final class TestThreads {

  static final String VIRTUAL = "peerbroker.virtualThreads";

  private TestThreads() {}

  static boolean areVirtual() {
    return Boolean.getBoolean(VIRTUAL);
  }

  /** Returns an executor of {@code count} threads, or of one virtual thread for each task. */
  static ExecutorService executor(int count) {
    if (!areVirtual()) {
      return Executors.newFixedThreadPool(count);
    }
    try {
      // By reflection: the tests are compiled for Java 17.
      return (ExecutorService)
          Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
    } catch (ReflectiveOperationException tooOld) {
      throw new IllegalStateException(VIRTUAL + " takes JDK 21 or later.", tooOld);
    }
  }

  /**
   * Lets others run, which every loop that waits for another thread must do: virtual threads are
   * not preempted, so that two of them that loop keep two carriers for themselves.
   */
  @SuppressWarnings("ThreadPriorityCheck") // the call asks for progress, not for priority
  static void giveWay() {
    Thread.yield();
  }
}
