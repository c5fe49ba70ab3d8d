package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class TokenBucketTest {

  private static final long SECOND = 1_000_000_000L;

  // A clock like System.nanoTime may be anywhere, and pass from the largest long to the smallest.
  private long now = Long.MAX_VALUE - SECOND / 2;
  private TokenBucket bucket = new TokenBucket(new Limits.Rate(10, 3), now);

  private int takeAll() {
    int taken = 0;
    while (taken < 1_000 && bucket.take(now)) {
      taken++;
    }
    return taken;
  }

  @Test
  void beginsFullAndHasNoMoreThanItsBurst() {
    assertThat(takeAll()).isEqualTo(3);
    now += 3_600 * SECOND;
    assertThat(takeAll()).isEqualTo(3);
  }

  @Test
  void earnsOneTokenInItsTimeAndNotBefore() {
    takeAll();
    now += SECOND / 10 - 1;
    assertThat(takeAll()).isZero();
    now += 1;
    assertThat(takeAll()).isEqualTo(1);
  }

  @Test
  void losesNothingToLooksInBetween() {
    takeAll();
    int taken = 0;
    for (int i = 0; i < 1_000; i++) {
      now += SECOND / 1_000;
      taken += takeAll();
    }
    assertThat(taken).isEqualTo(10);
  }

  @Test
  void takesBackATokenButNotBeyondItsBurst() {
    takeAll();
    bucket.giveBack();
    assertThat(takeAll()).isEqualTo(1);
    for (int i = 0; i < 10; i++) {
      bucket.giveBack();
    }
    assertThat(takeAll()).isEqualTo(3);
  }

  @Test
  void earnsNothingTwiceFromAClockThatGoesBack() {
    takeAll();
    now += SECOND / 10;
    assertThat(takeAll()).isEqualTo(1);
    now -= SECOND / 10;
    assertThat(takeAll()).isZero();
    now += SECOND / 10;
    assertThat(takeAll()).isZero();
    now += SECOND / 10;
    assertThat(takeAll()).isEqualTo(1);
  }

  @Test
  void saysWhenTheNextTokenComes() {
    takeAll();
    assertThat(bucket.timeToNext(now)).isEqualTo(Duration.ofMillis(100));
    now += SECOND / 25;
    assertThat(bucket.timeToNext(now)).isEqualTo(Duration.ofMillis(60));
    now += SECOND;
    assertThat(bucket.timeToNext(now)).isZero();
  }

  @Test
  void withoutABoundItNeverEnds() {
    bucket = new TokenBucket(Limits.Rate.UNLIMITED, now);
    assertThat(takeAll()).isEqualTo(1_000);
    bucket.giveBack();
    assertThat(bucket.take(now)).isTrue();
  }

  @Test
  void theLargestRatesDoNotOverflow() {
    bucket = new TokenBucket(new Limits.Rate(1, Integer.MAX_VALUE), now);
    assertThat(takeAll()).isEqualTo(1_000);
    now += Long.MAX_VALUE;
    assertThat(takeAll()).isEqualTo(1_000);

    bucket = new TokenBucket(new Limits.Rate(Integer.MAX_VALUE, 5), now);
    assertThat(takeAll()).isEqualTo(5);
    assertThat(bucket.timeToNext(now)).isPositive();
  }
}
