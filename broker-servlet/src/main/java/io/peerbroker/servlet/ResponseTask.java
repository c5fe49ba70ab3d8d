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
final class ResponseTask {

  /**
   * When an abandoned response is ended all the same: later than every container's own write
   * timeout.
   */
  static final Duration LAST_RESORT = Duration.ofSeconds(75);

  /** A look at the response that comes later than this comes late. */
  private static final Duration LATE = Duration.ofSeconds(1);

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

  ResponseTask(Timer timer) {
    this.timer = timer;
  }

  /** Schedules the next look at the response, unless it is to end. */
  void watch(Duration delay, Runnable next) {
    schedule(Phase.WATCHED, delay, next);
  }

  /**
   * Looks after a reader that may have taken nothing for too long. To be called first by the task
   * that {@link #watch} has scheduled.
   *
   * <p>When this task comes late, as after a pause of the process, what the reader has taken
   * meanwhile is not known yet. So the reader has as long as the task was late, and at most a whole
   * timeout; then the task runs again.
   *
   * @param blocked for how long it has taken nothing, in nanoseconds
   * @param timeout for how long it may
   * @param again the task
   * @return whether its time is up or has been extended, and nothing else is to be done
   */
  boolean giveUp(long blocked, Duration timeout, StreamWriter writer, Runnable again) {
    if (blocked < timeout.toNanos()) {
      return false;
    }
    long late = nanosLate();
    if (late < LATE.toNanos()) {
      writer.abandon();
    } else {
      watch(Duration.ofNanos(Math.min(late, timeout.toNanos())), again);
    }
    return true;
  }

  private long nanosLate() {
    lock.lock();
    try {
      return timer.nanoTime() - due;
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
