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

    /** Closes the channel, of which it has been decided. */
    void close();

    /** Notifies those concerned, and gives back what was kept; called even if closing fails. */
    void closed();
  }

  private final Executor executor;
  private final Queue<Expiry> due = new ConcurrentLinkedQueue<>();

  /**
   * How many were added since the queue was empty; the call that raises it from zero starts a run.
   */
  private final AtomicInteger added = new AtomicInteger();

  /** Made here, so that no run fails to start for lack of memory. */
  private final Runnable run = this::run;

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
      executor.execute(run);
    }
  }

  private void run() {
    int seen;
    do {
      seen = added.get();
      try {
        finish();
      } catch (Throwable failed) {
        // One that escaped here would leave the count above zero, and no later run would start.
        ForeignCalls.log("Expired channels were not closed in this run", failed);
      }
    } while (added.addAndGet(-seen) > 0);
  }

  /** Closes all queued channels on this thread. */
  void finish() {
    while (!due.isEmpty()) {
      closeSome();
    }
  }

  private void closeSome() {
    // All memory first: what fails here has taken no channel from the queue.
    List<Expiry> batch = new ArrayList<>(BATCH);
    Runnable notifications = () -> batch.forEach(expiry -> ForeignCalls.runLogged(expiry::closed));
    try {
      Expiry expiry;
      while (batch.size() < BATCH && (expiry = due.poll()) != null) {
        batch.add(expiry);
        close(expiry);
      }
    } finally {
      // Reporting may block in the application or in a container, so it is a separate task.
      executor.execute(notifications);
    }
  }

  private static void close(Expiry expiry) {
    try {
      expiry.close();
    } catch (Throwable failed) {
      ForeignCalls.log("An expired channel failed to close; the broker continues", failed);
    }
  }
}
