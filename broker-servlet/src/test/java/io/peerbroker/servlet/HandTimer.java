package io.peerbroker.servlet;

import io.peerbroker.core.Timer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** A timer that a test moves, and that knows what is left in it. */
final class HandTimer implements Timer {

  private record Task(int number, long due, Runnable action) {}

  private final List<Task> tasks = new ArrayList<>();
  private long now = 1_000_000;
  private int scheduled;

  @Override
  public synchronized long nanoTime() {
    return now;
  }

  @Override
  public synchronized Scheduled schedule(Duration delay, Runnable action) {
    Task task = new Task(scheduled++, now + delay.toNanos(), action);
    tasks.add(task);
    return () -> cancel(task);
  }

  private synchronized void cancel(Task task) {
    tasks.removeIf(other -> other.number == task.number);
  }

  /** Lets time pass, and runs what falls due on the way. */
  void advance(Duration by) {
    long end = nanoTime() + by.toNanos();
    for (Optional<Task> next = due(end); next.isPresent(); next = due(end)) {
      next.get().action.run();
    }
  }

  private synchronized Optional<Task> due(long end) {
    Optional<Task> next =
        tasks.stream().filter(t -> t.due <= end).min(Comparator.comparingLong(Task::due));
    now = Math.max(now, next.map(Task::due).orElse(end));
    next.ifPresent(this::cancel);
    return next;
  }

  /** How many tasks are left. */
  synchronized int left() {
    return tasks.size();
  }
}
