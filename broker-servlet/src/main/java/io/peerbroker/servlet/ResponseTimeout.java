package io.peerbroker.servlet;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.peerbroker.core.Timer;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The one scheduled task that looks after a response, and at last ends it if nothing else does.
 *
 * <p>A later phase replaces the task of an earlier one, never the other way round. Safe for use by
 * many threads.
 */
final class ResponseTimeout {

  /**
   * The time after which an abandoned response is ended in any case: longer than every container's
   * own write timeout.
   */
  static final Duration LAST_RESORT = Duration.ofSeconds(75);

  /** A check of the response that runs later than this is late. */
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

  /** The task that will look at the response next; null if there is none. */
  @GuardedBy("lock")
  private Timer.@Nullable Scheduled scheduled;

  /** How near the response is to its end; a task of an earlier phase is not scheduled. */
  @GuardedBy("lock")
  private Phase phase = Phase.WATCHED;

  /** When the task that was scheduled last is due. */
  @GuardedBy("lock")
  private long due;

  /** The time that a reader which takes nothing has been granted, in nanoseconds. */
  @GuardedBy("lock")
  private long granted;

  /** Until when that is. */
  @GuardedBy("lock")
  private long grantedUntil;

  ResponseTimeout(Timer timer) {
    this.timer = timer;
  }

  /** Schedules the next check of the response, unless it must end. */
  void watch(Duration delay, Runnable next) {
    schedule(Phase.WATCHED, delay, next);
  }

  /**
   * Returns the time that a reader has left before it must be given up, in nanoseconds; 0 or less:
   * now. The task that {@link #watch} has scheduled, and no other, calls this first.
   *
   * <p>When this task is late, as after a pause of the process, it is not known yet how much the
   * reader has taken meanwhile. So a reader whose time is up gets as long as the task was late, and
   * at most a whole timeout. Repeated late tasks add up to {@link #MOST_GRANTED} timeouts, and the
   * last of them may be a whole one.
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

  /** Schedules the task that ends a response which should end by itself. */
  void drain(Duration delay, Runnable last) {
    schedule(Phase.DRAINING, delay, last);
  }

  /** Schedules the last task, for a response whose reader has been given up. */
  void lastResort(Duration delay, Runnable last) {
    schedule(Phase.ABANDONED, delay, last);
  }

  /** Cancels what is scheduled; from now on nothing is. */
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

  @GuardedBy("lock")
  private void unschedule() {
    if (scheduled != null) {
      scheduled.cancel();
      scheduled = null;
    }
  }
}
