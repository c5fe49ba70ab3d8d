package io.peerbroker.core;

import java.util.function.LongSupplier;

/**
 * Returns the instants of creation that order the list: never the same twice, and never one before
 * an instant that another node has told of, however wrong the clocks are.
 *
 * <p>Used under the directory's write lock.
 */
final class CreationClock {

  private final LongSupplier micros;
  private long last;

  /**
   * @param micros returns the time in µs since 1970
   */
  CreationClock(LongSupplier micros) {
    this.micros = micros;
  }

  /** Returns the instant of a session that is created now. */
  long next() {
    last = Math.max(micros.getAsLong(), last + 1);
    return last;
  }

  /** Notes that a session of another node was created at an instant. */
  void saw(long created) {
    last = Math.max(last, created);
  }
}
