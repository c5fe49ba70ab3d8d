package io.peerbroker.core;

import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * The streams of one broker from before they are connected until they have ended: which may be
 * opened, and which a broker that closes has to wait for.
 *
 * <p>Safe for use by many threads. The lock is a leaf.
 */
final class OpenStreams {

  /** Of channels that strangers open; those that wait for their readers count. */
  final Permits channels;

  /** Of watches that strangers open. */
  final Permits watches;

  /** Of the application's own channels, which no stranger takes. */
  final Permits ownChannels;

  /** Of the application's own watches. */
  final Permits ownWatches;

  /** The channels that give way where no permit is free. */
  final WaitingChannels waiting = new WaitingChannels();

  /** Every stream that has not ended. */
  private final Set<AbstractAttachment> streams = ConcurrentHashMap.newKeySet();

  /** Whether the broker takes nothing new. */
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
   * Takes a permit; if none is free, the channel that has waited longest for its reader gives way.
   *
   * @throws RefusedException {@code at_capacity}
   */
  Permits.Permit take(Permits permits) {
    Permits.Permit permit = permits.take();
    while (permit == null) {
      WaitingChannels.Waiter longest = permits == channels ? waiting.longest() : null;
      if (longest == null) {
        throw new RefusedException(permits.refusal());
      }
      longest.giveWay();
      permit = permits.take();
    }
    return permit;
  }

  /** Counts a stream among those that have not ended, before it can end. */
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

  /** Makes the transport of a stream. */
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

  /** Refuses what is asked of a broker that closes. */
  void checkRunning() {
    if (closing.get()) {
      throw new RefusedException(Refusals.shuttingDown());
    }
  }

  /** Takes nothing new from now on; false if that has been so before. */
  boolean beginClosing() {
    return !closing.getAndSet(true);
  }

  /** Does something with all streams of a kind; what fails for one is logged. */
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
   * @param deadline for how long at most, by {@link System#nanoTime()}
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

  /** Ends the streams that are left, whether or not their transports manage to. */
  void detachAll(CloseReason reason) {
    for (AbstractAttachment stream : streams) {
      // A stream that is still being opened was not notified; it will be when it has its transport.
      ForeignCalls.runLogged(() -> stream.end(reason));
      ForeignCalls.runLogged(() -> stream.detach(reason));
    }
  }
}
