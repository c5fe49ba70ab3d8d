package io.peerbroker.core;

import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The streams of one broker, from before they are connected until they have ended. It bounds how
 * many may be opened, and knows the ones that a closing broker must wait for.
 *
 * <p>Safe for use by many threads. The lock is a leaf.
 */
final class OpenStreams {

  /** The permits of clients' channels, including those that wait for their readers. */
  final Permits channels;

  /** The permits of clients' watches. */
  final Permits watches;

  /** The permits of the application's own channels, which no client takes. */
  final Permits ownChannels;

  /** The permits of the application's own watches. */
  final Permits ownWatches;

  /** The channels that give way if no permit is free. */
  final WaitingChannels waiting = new WaitingChannels();

  /** The waiting channels whose lists give way if no permit of a watch is free. */
  final WaitingChannels waitingWithLists = new WaitingChannels();

  /** Every stream that has not ended. */
  private final Set<AbstractAttachment> streams = ConcurrentHashMap.newKeySet();

  /** Whether the broker accepts nothing new. */
  private final AtomicBoolean closing = new AtomicBoolean();

  /** Held to wait for the streams to end, and to signal that one has ended. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Condition ended = lock.newCondition();

  OpenStreams(Limits limits) {
    channels = new Permits("channels", limits.maxChannels());
    watches = new Permits("watches", limits.maxWatches());
    ownChannels = new Permits("channels of the application's own", limits.maxChannels());
    ownWatches = new Permits("watches of the application's own", limits.maxWatches());
  }

  /**
   * Takes a permit. If none is free, the channel that has waited longest for its reader gives way;
   * for a watch, the lists do that have waited longest, those of one channel.
   *
   * @throws RefusedException {@code at_capacity}
   */
  Permits.Permit take(Permits permits) {
    Permits.Permit permit = permits.take();
    while (permit == null) {
      WaitingChannels.Waiter longest = longestWaiting(permits);
      if (longest == null) {
        throw new RefusedException(permits.refusal());
      }
      longest.giveWay();
      permit = permits.take();
    }
    return permit;
  }

  /**
   * Takes a permit for which no channel gives way.
   *
   * @throws RefusedException {@code at_capacity} if none is free
   */
  Permits.Permit takeFree(Permits permits) {
    Permits.Permit permit = permits.take();
    if (permit == null) {
      throw new RefusedException(permits.refusal());
    }
    return permit;
  }

  private WaitingChannels.@Nullable Waiter longestWaiting(Permits permits) {
    if (permits == channels) {
      return waiting.longest();
    }
    return permits == watches ? waitingWithLists.longest() : null;
  }

  /** Adds a stream to those that have not ended. Called before it can end. */
  void add(AbstractAttachment stream) {
    streams.add(stream);
  }

  /** Notes that a stream has ended. */
  void remove(AbstractAttachment stream) {
    streams.remove(stream);
    if (closing.get()) {
      lock.lock();
      try {
        ended.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  /** Creates the transport of a stream, and connects the two. */
  static void connect(AbstractAttachment stream, Transport.Opener opener) {
    stream.connect(
        Objects.requireNonNull(
            opener.open(stream), "The opener returned null instead of a transport."));
  }

  /** Returns how many streams have not ended. */
  int count() {
    return streams.size();
  }

  boolean isClosing() {
    return closing.get();
  }

  /** Refuses the operation if the broker is closing. */
  void checkRunning() {
    if (closing.get()) {
      throw new RefusedException(Refusals.shuttingDown());
    }
  }

  /** Accepts nothing new from now on; returns false if that was so before. */
  boolean beginClosing() {
    return !closing.getAndSet(true);
  }

  /** Runs an action for all streams of a kind; a failure for one of them is logged. */
  <T extends AbstractAttachment> void each(Class<T> kind, Consumer<T> action) {
    for (AbstractAttachment stream : streams) {
      if (kind.isInstance(stream)) {
        ForeignCalls.runLogged(() -> action.accept(kind.cast(stream)));
      }
    }
  }

  /**
   * Waits until all streams have ended.
   *
   * @param deadline when to stop waiting, by {@link System#nanoTime()}
   */
  void awaitEnd(long deadline) {
    lock.lock();
    try {
      for (long left = deadline - System.nanoTime(); !streams.isEmpty() && left > 0; ) {
        left = ended.awaitNanos(left);
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  /** Ends the streams that are left, even if their transports cannot. */
  void detachAll(CloseReason reason) {
    for (AbstractAttachment stream : streams) {
      // A stream that is still being opened was not notified; it will be when it has its transport.
      ForeignCalls.runLogged(() -> stream.end(reason));
      ForeignCalls.runLogged(() -> stream.detach(reason));
    }
  }
}
