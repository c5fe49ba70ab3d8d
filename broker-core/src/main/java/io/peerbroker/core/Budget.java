package io.peerbroker.core;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The bytes that all of a kind may hold together: queues with what is kept behind them, or
 * sessions.
 */
final class Budget {

  private final long max;
  private final AtomicLong used = new AtomicLong();

  Budget(long max) {
    this.max = max;
  }

  boolean reserve(int bytes) {
    if (used.addAndGet(bytes) <= max) {
      return true;
    }
    used.addAndGet(-bytes);
    return false;
  }

  /** Whether the last quarter is begun: that is for what is new, and not for what is kept. */
  boolean isTight() {
    return used.get() > max - max / 4;
  }

  void release(long bytes) {
    used.addAndGet(-bytes);
  }

  long used() {
    return used.get();
  }
}
