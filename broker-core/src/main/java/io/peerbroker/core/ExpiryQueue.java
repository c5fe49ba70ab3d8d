package io.peerbroker.core;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Closes the channels whose time has run out: one batch after another, so that however many there
 * are at one time, they take one thread and the others stay free for what is due meanwhile.
 *
 * <p>Safe for use by many threads.
 */
final class ExpiryQueue {

  /** How many are closed before those concerned are told. */
  private static final int BATCH = 64;

  private final Executor executor;
  private final Queue<LocalChannel> due = new ConcurrentLinkedQueue<>();

  /** How many have been added since there was none; the one who raises it from zero starts. */
  private final AtomicInteger added = new AtomicInteger();

  /**
   * @param executor where channels are closed and those concerned told; refuses nothing
   */
  ExpiryQueue(Executor executor) {
    this.executor = executor;
  }

  /** Has a channel closed, which has been decided. */
  void add(LocalChannel channel) {
    due.add(channel);
    if (added.getAndIncrement() == 0) {
      executor.execute(this::run);
    }
  }

  private void run() {
    int seen;
    do {
      seen = added.get();
      finish();
    } while (added.addAndGet(-seen) > 0);
  }

  /** Closes all that there are, here and now. */
  void finish() {
    for (List<LocalChannel> batch = next(); !batch.isEmpty(); batch = next()) {
      batch.forEach(channel -> ForeignCalls.runLogged(channel::closeExpired));
      List<LocalChannel> closed = batch;
      // What is told may block, where the application or a container does, so it is another's task.
      executor.execute(
          () -> closed.forEach(channel -> ForeignCalls.runLogged(channel::notifyExpired)));
    }
  }

  private List<LocalChannel> next() {
    List<LocalChannel> batch = new ArrayList<>();
    LocalChannel channel;
    while (batch.size() < BATCH && (channel = due.poll()) != null) {
      batch.add(channel);
    }
    return batch;
  }
}
