package io.peerbroker.core;

import java.time.Duration;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * A clock that the test moves. Tasks that fall due run on the thread that moves it, at their time.
 *
 * <p>Any thread may schedule and cancel; one moves the time.
 */
final class ManualTimer implements Timer {

  private record Task(long due, long number, Runnable action) implements Comparable<Task> {
    @Override
    public int compareTo(Task other) {
      return due != other.due ? Long.compare(due, other.due) : Long.compare(number, other.number);
    }
  }

  // Guarded by this.
  private final PriorityQueue<Task> tasks = new PriorityQueue<>();
  private long now = 42;
  private long last;

  void advance(Duration by) {
    long end = nanoTime() + by.toNanos();
    for (Task task = takeDue(end); task != null; task = takeDue(end)) {
      task.action().run();
    }
  }

  /**
   * Moves the time while nothing runs, as when the process is stopped: tasks that fall due are
   * late.
   */
  synchronized void pause(Duration by) {
    now += by.toNanos();
  }

  private synchronized @Nullable Task takeDue(long end) {
    Task task = tasks.peek();
    if (task == null || task.due() > end) {
      now = end;
      return null;
    }
    now = Math.max(now, task.due());
    return tasks.remove();
  }

  /** How many tasks wait for their time. */
  synchronized int scheduled() {
    return tasks.size();
  }

  @Override
  public synchronized long nanoTime() {
    return now;
  }

  @Override
  public synchronized Scheduled schedule(Duration delay, Runnable action) {
    Task task = new Task(now + delay.toNanos(), ++last, action);
    tasks.add(task);
    return () -> cancel(task);
  }

  private synchronized void cancel(Task task) {
    tasks.remove(task);
  }
}
