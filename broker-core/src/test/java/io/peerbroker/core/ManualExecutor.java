package io.peerbroker.core;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;

/** An executor whose tasks are run by hand: a receiver on it reads when the test lets it. */
final class ManualExecutor implements Executor {

  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();

  @Override
  public void execute(Runnable task) {
    tasks.add(task);
  }

  int waiting() {
    return tasks.size();
  }

  void runOne() {
    tasks.remove().run();
  }

  /** Runs tasks until none is left. */
  void runAll() {
    while (!tasks.isEmpty()) {
      runOne();
    }
  }
}
