package io.peerbroker.core;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;

/**
 * A rate limit without a timer: tokens earned since the last call are added at the next one.
 *
 * <p>Safe for use by many threads. The caller passes the time, in nanoseconds.
 */
final class TokenBucket {

  private final long nanosPerToken;
  private final long capacity;

  /** The tokens, in the nanoseconds that they take to earn, so that rounding loses nothing. */
  @GuardedBy("this")
  private long earned;

  /** The time up to which tokens have been earned, in nanoseconds. */
  @GuardedBy("this")
  private long lookedAt;

  /** Creates a full bucket. */
  TokenBucket(Limits.Rate rate, long now) {
    this(rate, now, Long.MAX_VALUE);
  }

  /**
   * Creates a bucket that continues another one.
   *
   * @param earned what the other one had {@link #earned}; what exceeds this one's bounds is lost
   */
  TokenBucket(Limits.Rate rate, long now, long earned) {
    nanosPerToken = rate.isUnlimited() ? 0 : Math.max(1, 1_000_000_000L / rate.perSecond());
    capacity = nanosPerToken * rate.burst();
    this.earned = Math.max(-capacity, Math.min(capacity, earned));
    lookedAt = now;
  }

  /** Takes one token if there is one; returns whether there was. */
  synchronized boolean take(long now) {
    if (nanosPerToken == 0) {
      return true;
    }
    earn(now);
    if (earned < nanosPerToken) {
      return false;
    }
    earned -= nanosPerToken;
    return true;
  }

  @GuardedBy("this")
  private void earn(long now) {
    // Threads read the clock before they get here, so a later call may have an earlier time.
    long passed = Math.max(0, now - lookedAt);
    earned = passed >= capacity ? capacity : Math.min(capacity, earned + passed);
    lookedAt += passed;
  }

  /**
   * Returns what has been earned up to now and not been taken, in the nanoseconds that it takes to
   * earn; negative after {@link #takeAnyway} of an empty bucket, and the largest number if the rate
   * is unlimited.
   */
  synchronized long earned(long now) {
    if (nanosPerToken == 0) {
      return Long.MAX_VALUE;
    }
    earn(now);
    return earned;
  }

  /** Takes one token even if there is none, so that later calls wait for longer. */
  synchronized void takeAnyway(long now) {
    if (!take(now)) {
      earned = Math.max(-capacity, earned - nanosPerToken);
    }
  }

  /** Returns a token for an operation that was refused after all. */
  synchronized void giveBack() {
    earned = Math.min(capacity, earned + nanosPerToken);
  }

  /** Returns how long an empty bucket takes to earn a token. */
  synchronized Duration timeToNext(long now) {
    return Duration.ofNanos(Math.max(0, nanosPerToken - earned - Math.max(0, now - lookedAt)));
  }
}
