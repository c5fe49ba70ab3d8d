package io.peerbroker.servlet;

import io.peerbroker.core.Timer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The one scheduled task that looks after a response, and at last ends it if nobody else does.
 *
 * <p>Safe for use by many threads.
 */
final class ResponseTask {

  /**
   * When an abandoned response is ended all the same: later than every container's own write
   * timeout.
   */
  private static final Duration LAST_RESORT = Duration.ofSeconds(75);

  private final Timer timer;

  // Guarded by this.
  private Timer.@Nullable Scheduled scheduled;
  private boolean over;

  ResponseTask(Timer timer) {
    this.timer = timer;
  }

  /** Replaces the task that is scheduled, unless the last one is. */
  synchronized void schedule(Duration delay, Runnable next) {
    if (over) {
      return;
    }
    if (scheduled != null) {
      scheduled.cancel();
    }
    scheduled = timer.schedule(delay, next);
  }

  /** Schedules the last task, for a response whose reader has been given up. */
  synchronized void lastResort(StreamWriter writer) {
    schedule(LAST_RESORT, writer::abort);
    over = true;
  }

  /** Takes back what is scheduled; nothing is from now on. */
  synchronized void cancel() {
    over = true;
    if (scheduled != null) {
      scheduled.cancel();
    }
  }
}
