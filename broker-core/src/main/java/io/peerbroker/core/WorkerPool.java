package io.peerbroker.core;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A few daemon threads that run tasks in order of arrival, and more of them while tasks block.
 *
 * <p>Up to the usual number, threads are started when they are needed. Beyond that, once a task has
 * waited for {@link #PATIENCE}, the number doubles, up to a bound. So few threads run tasks that
 * only compute, and as long as fewer tasks block than the bound, the others wait for a few tenths
 * of a second at most. A thread that is no longer needed ends: at once if it is beyond the usual
 * number, otherwise after {@link #IDLE}.
 *
 * <p>Safe for use by many threads. Only {@link #awaitEnd} waits for a task.
 */
final class WorkerPool implements Executor {

  /** How long a task waits before more threads than usual are started. */
  static final Duration PATIENCE = Duration.ofMillis(100);

  /** How long a thread waits for a task before it ends. */
  static final Duration IDLE = Duration.ofSeconds(10);

  private record Waiting(Runnable task, long since) {}

  private final String name;
  private final int usual;
  private final int most;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final Condition pressure = lock.newCondition();

  /** The tasks that wait, in order of arrival. */
  @GuardedBy("lock")
  private final Queue<Waiting> queue = new ArrayDeque<>();

  /** How many threads run tasks, or wait for one. */
  @GuardedBy("lock")
  private int workers;

  /** How many of them wait. */
  @GuardedBy("lock")
  private int idle;

  /** Whether a thread monitors how long tasks wait; it is not one of the workers. */
  @GuardedBy("lock")
  private boolean watched;

  /** Set once: no task is accepted any longer. */
  @GuardedBy("lock")
  private boolean closed;

  /** The number in the last thread's name. */
  @GuardedBy("lock")
  private int lastNumber;

  /** All threads that were started and are not known to have ended. */
  @GuardedBy("lock")
  private final Set<Thread> threads = new HashSet<>();

  /**
   * Creates a pool without starting a thread.
   *
   * @param name the prefix of the threads' names
   */
  WorkerPool(String name, int usual, int most) {
    this.name = name;
    this.usual = Math.min(usual, most);
    this.most = most;
  }

  /**
   * Runs a task on one of the threads, eventually.
   *
   * @throws RejectedExecutionException once closed
   * @throws OutOfMemoryError if there is no thread and none can be started
   */
  @Override
  public void execute(Runnable task) {
    lock.lock();
    try {
      if (closed) {
        throw new RejectedExecutionException("The broker has closed.");
      }
      Waiting waiting = new Waiting(task, System.nanoTime());
      queue.add(waiting);
      if (queue.size() <= idle) {
        work.signal();
      } else if (workers < usual) {
        startFor(waiting);
      } else if (watched) {
        pressure.signal();
      } else {
        startWatch();
      }
    } finally {
      lock.unlock();
    }
  }

  @GuardedBy("lock")
  private void startFor(Waiting waiting) {
    try {
      startWorker();
    } catch (Throwable noThread) {
      if (workers == 0) {
        queue.remove(waiting);
        throw noThread;
      }
    }
  }

  @GuardedBy("lock")
  private void startWorker() {
    start(this::work);
    workers++;
  }

  /** Starts the thread that monitors how long tasks wait, if the bound permits one more. */
  @GuardedBy("lock")
  private void startWatch() {
    if (workers < most) {
      try {
        start(this::watch);
        watched = true;
      } catch (OutOfMemoryError noThread) {
        // The existing workers continue; the next task tries again.
      }
    }
  }

  @GuardedBy("lock")
  private void start(Runnable task) {
    threads.removeIf(thread -> !thread.isAlive());
    Thread thread = Threads.daemon(name + "-" + ++lastNumber, task);
    threads.add(thread);
    thread.start();
  }

  private void work() {
    boolean over = false;
    try {
      for (Runnable task = next(); task != null; task = next()) {
        ForeignCalls.runLogged(task);
        Threads.forget(Thread.currentThread());
      }
      over = true;
    } finally {
      if (!over) {
        leave();
      }
    }
  }

  /** A JVM Error has intervened: no task may rely on this thread. */
  private void leave() {
    lock.lock();
    try {
      workers--;
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Runnable next() {
    lock.lock();
    try {
      long left = IDLE.toNanos();
      while (queue.isEmpty()) {
        if (closed || idle >= usual || left <= 0) {
          workers--;
          return null;
        }
        idle++;
        try {
          left = work.awaitNanos(left);
        } catch (InterruptedException leftOver) {
          // An interrupt may be left over from the previous task; it is not meant for this thread.
        } finally {
          idle--;
        }
      }
      return queue.remove().task();
    } finally {
      lock.unlock();
    }
  }

  private void watch() {
    boolean needed = false;
    lock.lock();
    try {
      try {
        needed = awaitOverdue();
      } finally {
        watched = false;
        if (needed) {
          workers++;
          grow();
        }
      }
    } finally {
      lock.unlock();
    }
    if (needed) {
      work();
    }
  }

  /** Waits until a task has waited for too long; returns false if there is none. */
  @GuardedBy("lock")
  private boolean awaitOverdue() {
    long left = IDLE.toNanos();
    while (true) {
      Waiting first = queue.peek();
      if (first == null) {
        if (closed || left <= 0) {
          return false;
        }
        left = awaitPressure(left);
      } else {
        long patience = PATIENCE.toNanos() - (System.nanoTime() - first.since());
        if (patience <= 0) {
          return true;
        }
        awaitPressure(patience);
        left = IDLE.toNanos();
      }
    }
  }

  @SuppressWarnings("WaitNotInLoop") // The caller's loop looks again at what it waits for.
  private long awaitPressure(long nanos) {
    try {
      return pressure.awaitNanos(nanos);
    } catch (InterruptedException notMeant) {
      return nanos;
    }
  }

  /** Doubles the workers; this thread becomes the first of the new ones. Monitoring continues. */
  @GuardedBy("lock")
  private void grow() {
    try {
      int more = Math.min(workers - 2, queue.size() - 1);
      for (int i = 0; i < more && workers < most; i++) {
        startWorker();
      }
    } catch (OutOfMemoryError noThread) {
      // The pool continues with the existing threads.
    }
    startWatch();
  }

  /** Rejects further tasks; the threads end when all queued tasks have run. May be called again. */
  void close() {
    lock.lock();
    try {
      closed = true;
      work.signalAll();
      pressure.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits until the threads, except the current one, have ended or a deadline has passed. */
  void awaitEnd(long deadline) throws InterruptedException {
    List<Thread> started;
    lock.lock();
    try {
      started = new ArrayList<>(threads);
    } finally {
      lock.unlock();
    }
    for (Thread thread : started) {
      awaitEnd(thread, deadline);
    }
  }

  /** Waits until a thread has ended, unless it is the current one. */
  static void awaitEnd(Thread thread, long deadline) throws InterruptedException {
    long left = deadline - System.nanoTime();
    if (left > 0 && thread != Thread.currentThread()) {
      TimeUnit.NANOSECONDS.timedJoin(thread, left);
    }
  }

  /** Returns the number of threads, including the one that monitors how long tasks wait. */
  int size() {
    lock.lock();
    try {
      return watched ? workers + 1 : workers;
    } finally {
      lock.unlock();
    }
  }
}
