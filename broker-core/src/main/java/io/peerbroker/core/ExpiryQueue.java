package io.peerbroker.core;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Closes expired channels, one batch after another. However many expire at the same time, they
 * occupy one thread, and the others stay free for tasks that come due meanwhile.
 *
 * <p>Safe for use by many threads.
 */
final class ExpiryQueue {

  /** How many channels are closed before their closing is reported. */
  private static final int BATCH = 64;

  /** One of these channels. */
  interface Expiry {

    /**
     * Closes the channel, of which it has been decided.
     *
     * @return the task that reports the closing, to run afterwards
     */
    Runnable close();
  }

  private final Executor executor;
  private final Queue<Expiry> due = new ConcurrentLinkedQueue<>();

  /**
   * How many were added since the queue was empty; the call that raises it from zero starts a run.
   */
  private final AtomicInteger added = new AtomicInteger();

  /**
   * @param executor closes channels and reports their closing; rejects nothing
   */
  ExpiryQueue(Executor executor) {
    this.executor = executor;
  }

  /** Adds a channel that has expired. */
  void add(Expiry expiry) {
    due.add(expiry);
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

  /** Closes all queued channels on this thread. */
  void finish() {
    for (List<Runnable> batch = closeSome(); !batch.isEmpty(); batch = closeSome()) {
      List<Runnable> notifications = batch;
      // Reporting may block in the application or in a container, so it is a separate task.
      executor.execute(() -> notifications.forEach(ForeignCalls::runLogged));
    }
  }

  private List<Runnable> closeSome() {
    List<Runnable> notifications = new ArrayList<>();
    Expiry expiry;
    while (notifications.size() < BATCH && (expiry = due.poll()) != null) {
      notifications.add(expiry.close());
    }
    return notifications;
  }
}
