package io.peerbroker.core;

import java.time.Duration;

/** A clock that the test moves. The core schedules no task, and this notices if it does. */
final class ManualTimer implements Timer {

  private volatile long now = 42;

  void advance(Duration by) {
    now += by.toNanos();
  }

  @Override
  public long nanoTime() {
    return now;
  }

  @Override
  public Scheduled schedule(Duration delay, Runnable task) {
    throw new AssertionError("The core was not known to schedule tasks");
  }
}
