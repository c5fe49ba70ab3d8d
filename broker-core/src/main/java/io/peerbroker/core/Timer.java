package io.peerbroker.core;

import java.time.Duration;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The time that a broker and its adapters go by, and what runs their tasks when it has come.
 *
 * <p>A seam: tests put in a timer whose time they move by hand.
 */
public interface Timer {

  /** A task that has been scheduled. */
  @FunctionalInterface
  interface Scheduled {

    /** Takes the task back, if it has not begun. May be called again. */
    void cancel();
  }

  /** The time in nanoseconds from some fixed point, as {@link System#nanoTime()}. */
  long nanoTime();

  /**
   * Runs a task once, after a delay, on the timer's own thread. The task must not block. What it
   * throws is logged, and the timer goes on. After the timer's owner has closed it nothing runs any
   * more. Whoever schedules and cancels may hold locks that the task takes, so a timer waits for no
   * task there.
   */
  Scheduled schedule(Duration delay, Runnable task);

  /** A timer with one daemon thread of its own. */
  static SystemTimer system() {
    return new SystemTimer();
  }

  /** The timer of the running system: one daemon thread, which ends when it is closed. */
  final class SystemTimer implements Timer, AutoCloseable {

    private static final System.Logger LOG = System.getLogger(Timer.class.getName());

    private final ScheduledThreadPoolExecutor executor;

    private SystemTimer() {
      executor =
          new ScheduledThreadPoolExecutor(
              1,
              task -> {
                Thread thread = new Thread(task, "peerbroker-timer");
                thread.setDaemon(true);
                return thread;
              });
      // Streams come and go faster than heartbeats fall due: a cancelled task must not keep its
      // stream.
      executor.setRemoveOnCancelPolicy(true);
      executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
      executor.setRejectedExecutionHandler((task, closed) -> {});
    }

    @Override
    public long nanoTime() {
      return System.nanoTime();
    }

    @Override
    public Scheduled schedule(Duration delay, Runnable task) {
      var future = executor.schedule(() -> runLogged(task), delay.toNanos(), TimeUnit.NANOSECONDS);
      return () -> future.cancel(false);
    }

    private static void runLogged(Runnable task) {
      try {
        task.run();
      } catch (Throwable thrown) {
        LOG.log(System.Logger.Level.ERROR, "A scheduled task failed; the timer goes on", thrown);
      }
    }

    @Override
    public void close() {
      executor.shutdownNow();
    }
  }
}
