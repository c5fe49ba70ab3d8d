package io.peerbroker.servlet;

import io.peerbroker.core.Timer;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The one scheduled task that looks after a response, and at last ends it if nobody else does.
 *
 * <p>A later phase replaces the task of an earlier one, never the other way round. Safe for use by
 * many threads.
 */
final class ResponseTimeout {

  /**
   * When an abandoned response is ended all the same: later than every container's own write
   * timeout.
   */
  static final Duration LAST_RESORT = Duration.ofSeconds(75);

  /** A look at the response that comes later than this comes late. */
  private static final Duration LATE = Duration.ofSeconds(1);

  /** How many timeouts a reader is granted because of tasks that come late. */
  private static final int MOST_GRANTED = 3;

  private enum Phase {
    WATCHED,
    DRAINING,
    ABANDONED,
    OVER
  }

  private final Timer timer;
  private final ReentrantLock lock = new ReentrantLock();

  // Guarded by the lock.
  private Timer.@Nullable Scheduled scheduled;
  private Phase phase = Phase.WATCHED;

  /** When what was scheduled last is due. */
  private long due;

  /** What a reader that takes nothing has been granted, in nanoseconds, and until when. */
  private long granted;

  private long grantedUntil;

  ResponseTimeout(Timer timer) {
    this.timer = timer;
  }

  /** Schedules the next look at the response, unless it is to end. */
  void watch(Duration delay, Runnable next) {
    schedule(Phase.WATCHED, delay, next);
  }

  /**
   * Returns what is left to a reader before it is to be given up, in nanoseconds; 0 or less: now.
   * To be called first by the task that {@link #watch} has scheduled, and by it alone.
   *
   * <p>When this task comes late, as after a pause of the process, what the reader has taken
   * meanwhile is not known yet. So a reader whose time is up has as long as the task was late, and
   * at most a whole timeout. Tasks that come late again and again add up to {@link #MOST_GRANTED}
   * timeouts, and the last of them may be a whole one.
   *
   * @param blocked for how long it has taken nothing, in nanoseconds
   * @param timeout for how long it may
   */
  long nanosLeft(long blocked, Duration timeout) {
    long whole = timeout.toNanos();
    lock.lock();
    try {
      if (blocked < whole) {
        granted = 0;
        return whole - blocked;
      }
      long now = timer.nanoTime();
      long late = now - due;
      if (late >= LATE.toNanos() && granted / MOST_GRANTED < whole) {
        long more = Math.min(late, whole);
        granted += more;
        grantedUntil = now + more;
      }
      return granted == 0 ? 0 : grantedUntil - now;
    } finally {
      lock.unlock();
    }
  }

  /** Schedules what ends a response that is to end by itself. */
  void drain(Duration delay, Runnable last) {
    schedule(Phase.DRAINING, delay, last);
  }

  /** Schedules the last task, for a response whose reader has been given up. */
  void lastResort(Duration delay, Runnable last) {
    schedule(Phase.ABANDONED, delay, last);
  }

  /** Takes back what is scheduled; nothing is from now on. */
  void cancel() {
    lock.lock();
    try {
      phase = Phase.OVER;
      unschedule();
    } finally {
      lock.unlock();
    }
  }

  private void schedule(Phase next, Duration delay, Runnable task) {
    lock.lock();
    try {
      if (next.compareTo(phase) >= 0) {
        phase = next;
        unschedule();
        due = timer.nanoTime() + delay.toNanos();
        scheduled = timer.schedule(delay, task);
      }
    } finally {
      lock.unlock();
    }
  }

  private void unschedule() {
    if (scheduled != null) {
      scheduled.cancel();
      scheduled = null;
    }
  }
}
