package io.peerbroker.core;

import java.time.Duration;

/**
 * A rate limit that costs no timer: what has been earned since the last look is added at the next
 * one.
 *
 * <p>Safe for use by many threads. Time is given by the caller, in nanoseconds.
 */
final class TokenBucket {

  private final long nanosPerToken;
  private final long capacity;

  /** Counted in nanoseconds' worth, so that nothing is lost in rounding. Guarded by this. */
  private long earned;

  private long lookedAt;

  TokenBucket(Limits.Rate rate, long now) {
    nanosPerToken = rate.isUnlimited() ? 0 : Math.max(1, 1_000_000_000L / rate.perSecond());
    capacity = nanosPerToken * rate.burst();
    earned = capacity;
    lookedAt = now;
  }

  /** Takes one token, if there is one. */
  synchronized boolean take(long now) {
    if (nanosPerToken == 0) {
      return true;
    }
    // Threads read the clock before they come here, so that a later one may bring an earlier time.
    long passed = Math.max(0, now - lookedAt);
    earned = passed >= capacity ? capacity : Math.min(capacity, earned + passed);
    lookedAt += passed;
    if (earned < nanosPerToken) {
      return false;
    }
    earned -= nanosPerToken;
    return true;
  }

  /** Takes one token whether there is one or not: what follows waits for longer. */
  synchronized void takeAnyway(long now) {
    if (!take(now)) {
      earned = Math.max(-capacity, earned - nanosPerToken);
    }
  }

  /** Puts back a token for something that was refused after all. */
  synchronized void giveBack() {
    earned = Math.min(capacity, earned + nanosPerToken);
  }

  /** How long an empty bucket takes to earn a token. */
  synchronized Duration timeToNext(long now) {
    return Duration.ofNanos(Math.max(0, nanosPerToken - earned - Math.max(0, now - lookedAt)));
  }
}
