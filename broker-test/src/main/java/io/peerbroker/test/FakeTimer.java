package io.peerbroker.test;

import io.peerbroker.core.Timer;
import java.time.Duration;
import java.util.Comparator;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * A timer whose time the test moves. Tasks run on the thread that moves it, in the order in which
 * they fall due, and their exceptions come out there.
 *
 * <p>{@link io.peerbroker.core.BrokerBuilder#timer} gives it to a broker, whose graces, leases and
 * rates then go by it. Any thread may schedule and cancel; one moves the time.
 */
public final class FakeTimer implements Timer {

  private record Task(long due, long number, Runnable action) {}

  // Guarded by this. Tasks of one instant run in the order in which they were scheduled.
  private final PriorityQueue<Task> tasks =
      new PriorityQueue<>(Comparator.comparingLong(Task::due).thenComparingLong(Task::number));
  private long now;
  private long scheduled;

  /** A timer at the time zero, for which nothing is scheduled. */
  public FakeTimer() {}

  @Override
  public synchronized long nanoTime() {
    return now;
  }

  @Override
  public synchronized Scheduled schedule(Duration delay, Runnable action) {
    Task task = new Task(now + Math.max(0, delay.toNanos()), scheduled++, action);
    tasks.add(task);
    return () -> cancel(task);
  }

  private synchronized void cancel(Task task) {
    tasks.remove(task);
  }

  /**
   * How many tasks wait for their time. When everything that was opened is closed, there are none.
   */
  public synchronized int scheduled() {
    return tasks.size();
  }

  /**
   * Moves the time, and runs each task that falls due when its time has come; one that is scheduled
   * meanwhile, too.
   */
  public void advance(Duration by) {
    long end = nanoTime() + by.toNanos();
    for (Task task = takeDue(end); task != null; task = takeDue(end)) {
      task.action().run();
    }
  }

  /**
   * Moves the time while nothing runs, as when the process is stopped. Tasks that have fallen due
   * run late, with the next {@link #advance} or {@link #runDue}.
   */
  public synchronized void pause(Duration by) {
    now += by.toNanos();
  }

  /** Runs the tasks that are due now, and leaves the time as it is. */
  public void runDue() {
    advance(Duration.ZERO);
  }

  /** The next task up to an instant, with the time moved to it; or none, and moved to its end. */
  private synchronized @Nullable Task takeDue(long end) {
    Task next = tasks.peek();
    if (next == null || next.due() > end) {
      now = end;
      return null;
    }
    now = Math.max(now, next.due());
    return tasks.remove();
  }
}
