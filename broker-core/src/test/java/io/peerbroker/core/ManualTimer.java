package io.peerbroker.core;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/** A clock that the test moves. The core schedules no task, and this notices if it does. */
final class ManualTimer implements Timer {

  private final AtomicLong now = new AtomicLong(42);

  void advance(Duration by) {
    now.addAndGet(by.toNanos());
  }

  @Override
  public long nanoTime() {
    return now.get();
  }

  @Override
  public Scheduled schedule(Duration delay, Runnable task) {
    throw new AssertionError("The core was not known to schedule tasks");
  }
}
