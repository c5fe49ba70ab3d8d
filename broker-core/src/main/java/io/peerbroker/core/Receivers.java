package io.peerbroker.core;

import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Creates the streams to receivers and watchers in this JVM, and owns the threads for those that
 * were given no executor.
 */
final class Receivers {

  /** How many threads call receivers unless some of them block. */
  private static final int THREADS = 4;

  /** Returns the executor for receivers and watchers that were given none. */
  private final Executor executor;

  /** The same, if they are threads of the broker's own; otherwise null. */
  private final @Nullable WorkerPool own;

  private final Timer timer;

  /**
   * @param given the application's executor; null for threads of the broker's own
   * @param maxThreads the most of these threads
   * @param timer schedules the checks of executors that may drop tasks
   */
  Receivers(@Nullable Executor given, int maxThreads, Timer timer) {
    this.timer = timer;
    if (given != null) {
      own = null;
      executor = given;
    } else {
      // Its queue is unbounded, but each receiver has at most one task in it, and receivers are
      // counted.
      own = new WorkerPool("peerbroker-receiver", THREADS, maxThreads);
      executor = own;
    }
  }

  Executor executor() {
    return executor;
  }

  /**
   * Returns an opener of the stream to a receiver.
   *
   * @param held the channel as the receiver holds it
   * @param asks those of the channel, which take their answers out of what is received
   */
  Transport.Opener opener(Receiver receiver, Channel held, Executor by, OpenAsks asks) {
    return attachment ->
        transport(
            attachment,
            by,
            event -> {
              if (!asks.takes(event) && event instanceof Event.Received received) {
                receiver.received(held, received.message());
              }
            },
            reason -> {
              asks.close(reason);
              receiver.closed(held, reason);
            });
  }

  /** Returns an opener of the stream to a watcher. */
  Transport.Opener opener(Watcher watcher, Executor by) {
    return attachment -> transport(attachment, by, event -> pass(watcher, event), watcher::closed);
  }

  private ReceiverTransport transport(
      Attachment attachment, Executor by, Consumer<Event> events, Consumer<CloseReason> closed) {
    // The broker's own threads drop no task.
    Timer lookingAfter = by == own ? null : timer;
    return new ReceiverTransport(attachment, by, lookingAfter, events, closed);
  }

  private static void pass(Watcher watcher, Event event) {
    if (event instanceof Event.Added added) {
      watcher.added(added.session());
    } else if (event instanceof Event.Removed removed) {
      watcher.removed(removed.sid());
    } else if (event instanceof Event.Ready ready) {
      watcher.ready(ready.count());
    }
  }

  /** Ends the broker's own threads once they have run all queued tasks. */
  void close() {
    if (own != null) {
      own.close();
    }
  }

  /**
   * Waits for these threads to end.
   *
   * @param deadline when to stop waiting, by {@link System#nanoTime()}
   */
  void awaitEnd(long deadline) throws InterruptedException {
    if (own != null) {
      own.awaitEnd(deadline);
    }
  }
}
