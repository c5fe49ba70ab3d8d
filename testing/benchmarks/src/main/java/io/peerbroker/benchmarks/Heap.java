package io.peerbroker.benchmarks;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;

/** The content of the heap. */
final class Heap {

  private static final MemoryMXBean MEMORY = ManagementFactory.getMemoryMXBean();
  private static final int TRIES = 10;

  private Heap() {}

  /** Returns the reachable bytes: those in use once the collector finds nothing more. */
  static long used() {
    long used = Long.MAX_VALUE;
    for (int i = 0; i < TRIES; i++) {
      System.gc();
      long now = MEMORY.getHeapMemoryUsage().getUsed();
      if (now >= used) {
        return used;
      }
      used = now;
    }
    return used;
  }
}
