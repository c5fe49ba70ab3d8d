package io.peerbroker.core;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The clock of a broker and its adapters, and the scheduler of their tasks.
 *
 * <p>A seam for tests, which use a timer whose time they advance by hand.
 */
public interface Timer {

  /** A task that has been scheduled. */
  @FunctionalInterface
  interface Scheduled {

    /** Cancels the task if it has not begun. May be called again. */
    void cancel();
  }

  /**
   * Returns the time in nanoseconds since an arbitrary fixed point, like {@link System#nanoTime()}.
   */
  long nanoTime();

  /**
   * Runs a task once, after a delay, and not on the thread that schedules it. An exception from the
   * task is logged, and the timer continues. After the timer's owner has closed it, nothing runs
   * any longer.
   *
   * <p>An implementation must guarantee the following:
   *
   * <ul>
   *   <li>No task delays another. Tasks write to clients and call the application's listeners, and
   *       in some containers a write blocks for a minute, so tasks run on several threads and may
   *       run concurrently. Tasks that are due at the same time may begin in any order.
   *   <li>Scheduling and cancelling do not wait for any task: the caller may hold a lock that a
   *       task takes.
   *   <li>A task that is cancelled before it has begun does not begin, and is not retained.
   *   <li>Its threads inherit nothing from the thread that schedules: no inheritable thread locals,
   *       no context class loader.
   * </ul>
   *
   * A timer for tests may run the tasks on the thread that advances its time.
   */
  Scheduled schedule(Duration delay, Runnable task);

  /**
   * Returns whether this timer has been closed. A closed timer accepts tasks but runs none. False
   * unless an implementation says otherwise. Safe for use by many threads.
   */
  default boolean isClosed() {
    return false;
  }

  /** Returns a new timer that uses the system's clock. It starts no thread before one is needed. */
  static SystemTimer system() {
    return new SystemTimer();
  }

  /**
   * A timer that uses the system's clock: one daemon thread waits for the next task's time, and a
   * few more run the tasks that are due.
   *
   * <p>The first never runs a task. There are two of the others, and more while tasks block, up to
   * {@value #MAX_WORKERS}. Their context class loader is that of this class.
   */
  final class SystemTimer implements Timer, AutoCloseable {

    /** How many tasks may block at the same time before others must wait. */
    public static final int MAX_WORKERS = 256;

    private static final int USUAL_WORKERS = 2;

    /** How long {@link #close} waits for the threads to end. */
    private static final Duration FAREWELL = Duration.ofSeconds(1);

    /** How long until a task is retried for which no thread could be started. */
    private static final Duration NO_THREAD = Duration.ofMillis(100);

    private final WorkerPool workers =
        new WorkerPool("peerbroker-worker", USUAL_WORKERS, MAX_WORKERS);
    private final ScheduledThreadPoolExecutor clock;
    private volatile @Nullable Thread clockThread;
    private volatile boolean closed;

    private SystemTimer() {
      clock = new ScheduledThreadPoolExecutor(1, this::newClockThread);
      // Streams come and go faster than heartbeats are due: a cancelled task must not retain its
      // stream.
      clock.setRemoveOnCancelPolicy(true);
      clock.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
      clock.setRejectedExecutionHandler((task, closed) -> {});
    }

    private Thread newClockThread(Runnable loop) {
      Thread thread = Threads.daemon("peerbroker-timer", loop);
      clockThread = thread;
      return thread;
    }

    @Override
    public long nanoTime() {
      return System.nanoTime();
    }

    @Override
    public Scheduled schedule(Duration delay, Runnable task) {
      Objects.requireNonNull(delay, "delay");
      Pending pending = new Pending(task);
      Future<?> due =
          clock.schedule(() -> handOver(pending), delay.toNanos(), TimeUnit.NANOSECONDS);
      return () -> {
        pending.set(null);
        due.cancel(false);
      };
    }

    /** Passes a task that is due to the workers, which is all that the timer's thread does. */
    private void handOver(Pending due) {
      try {
        workers.execute(due);
      } catch (RejectedExecutionException closed) {
        // Nothing runs any longer.
      } catch (Throwable noThread) {
        var unused = clock.schedule(() -> handOver(due), NO_THREAD.toNanos(), TimeUnit.NANOSECONDS);
      }
    }

    @Override
    public boolean isClosed() {
      return closed;
    }

    /** Returns the executor for the broker's long tasks. */
    Executor workers() {
      return workers;
    }

    /** The task, or null once it has begun or was cancelled. */
    private final class Pending extends AtomicReference<@Nullable Runnable> implements Runnable {

      private static final long serialVersionUID = 1;

      Pending(Runnable task) {
        super(Objects.requireNonNull(task, "task"));
      }

      @Override
      public void run() {
        Runnable task = getAndSet(null);
        if (task != null && !closed) {
          task.run();
        }
      }
    }

    /**
     * Closes the timer: a task that has not begun never will. Waits at most a second for its
     * threads to end, except for the calling one. May be called again.
     */
    @Override
    public void close() {
      closed = true;
      clock.shutdownNow();
      // Tasks that the broker has passed to them still run.
      workers.close();
      long deadline = System.nanoTime() + FAREWELL.toNanos();
      try {
        Thread thread = clockThread;
        if (thread != null) {
          WorkerPool.awaitEnd(thread, deadline);
        }
        workers.awaitEnd(deadline);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
