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

  ResponseTask(Timer timer) {
    this.timer = timer;
  }

  /** Schedules the next look at the response, unless it is to end. */
  void watch(Duration delay, Runnable next) {
    schedule(Phase.WATCHED, delay, next);
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
