package io.peerbroker.core;

import java.util.concurrent.atomic.AtomicLong;

/** The bytes that all queues of a broker may hold together. */
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

  void release(long bytes) {
    used.addAndGet(-bytes);
  }

  long used() {
    return used.get();
  }
}
