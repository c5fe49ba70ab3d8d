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
   * Runs a task once, after a delay, and not on the thread that schedules it. What the task throws
   * is logged, and the timer goes on. After the timer's owner has closed it nothing runs any more.
   *
   * <p>What an implementation has to keep:
   *
   * <ul>
   *   <li>No task keeps another from its time. Tasks write to clients and call the application's
   *       listeners, and there are containers in which a write blocks for a minute; so tasks run on
   *       several threads, and may run at the same time. Those that are due at one time may begin
   *       in any order.
   *   <li>Scheduling and cancelling wait for no task: the caller may hold a lock that a task takes.
   *   <li>A task that is cancelled before it has begun does not begin, and is not kept.
   *   <li>Its threads do not take over what belongs to the thread that schedules: no inheritable
   *       thread locals, no context class loader.
   * </ul>
   *
   * A timer for tests, whose time is moved by hand, may run the tasks on the thread that moves it.
   */
  Scheduled schedule(Duration delay, Runnable task);

  /** Returns a new timer of the running system, which starts no thread before one is needed. */
  static SystemTimer system() {
    return new SystemTimer();
  }

  /**
   * The timer of the running system: one daemon thread that watches the time, and a few more that
   * run what is due.
   *
   * <p>The first never runs a task. The others are two, and more while tasks block: up to {@value
   * #MAX_WORKERS}. Their context class loader is that of this class.
   */
  final class SystemTimer implements Timer, AutoCloseable {

    /** How many tasks may block at one time before others have to wait for them. */
    public static final int MAX_WORKERS = 256;

    private static final int USUAL_WORKERS = 2;

    /** How long {@link #close} waits for the threads to end. */
    private static final Duration FAREWELL = Duration.ofSeconds(1);

    /** When to try again what no thread could be started for. */
    private static final Duration NO_THREAD = Duration.ofMillis(100);

    private final WorkerPool workers =
        new WorkerPool("peerbroker-worker", USUAL_WORKERS, MAX_WORKERS);
    private final ScheduledThreadPoolExecutor clock;
    private volatile @Nullable Thread clockThread;
    private volatile boolean closed;

    private SystemTimer() {
      clock = new ScheduledThreadPoolExecutor(1, this::newClockThread);
      // Streams come and go faster than heartbeats fall due: a cancelled task must not keep its
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

    /** Gives a task that is due to the workers: all that the thread which watches the time does. */
    private void handOver(Pending due) {
      try {
        workers.execute(due);
      } catch (RejectedExecutionException closed) {
        // Nothing runs any more.
      } catch (Throwable noThread) {
        var unused = clock.schedule(() -> handOver(due), NO_THREAD.toNanos(), TimeUnit.NANOSECONDS);
      }
    }

    /**
     * Returns whether this timer has been closed: then it runs nothing more, and does not refuse
     * what is scheduled. Safe for use by many threads.
     */
    public boolean isClosed() {
      return closed;
    }

    /** Where the broker has those things done that take long. */
    Executor workers() {
      return workers;
    }

    /** A task that has neither begun nor been taken back; else null. */
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
     * Ends the timer: what has not begun never does. Waits for its threads to end, for a second at
     * most and not for the one that calls. May be called again.
     */
    @Override
    public void close() {
      closed = true;
      clock.shutdownNow();
      // What the broker has given them is still done.
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
