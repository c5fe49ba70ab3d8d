package io.peerbroker.core;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The bounded queue of the events that a channel has for its reader, and of those that it keeps for
 * replay.
 *
 * <p>Events that wait or were polled count against the bounds until the network has taken them, so
 * that senders notice a reader that stalls however much its transport polls. Events that the
 * network has taken are kept, within bounds of their own, until the reader has confirmed them; a
 * channel that cannot be resumed keeps nothing. The attachment that was made last is the owner: it
 * continues after the last event that the reader has seen, and the previous owner polls nothing
 * more.
 *
 * <p>An idle channel holds no node at all. Safe for use by many threads; the lock is a leaf: no
 * foreign code is called while it is held.
 */
final class Outbox {

  /** The result of an offer. */
  enum OfferResult {
    /** The event is in the queue of an attached reader. */
    SENT,
    /** The event waits for a reader that may come back. */
    QUEUED,
    /** The reader is away, and a message without a receipt is not queued. */
    AWAY,
    /** The reader's queue is full. */
    FULL,
    /** All queues together are full. */
    OVER_BUDGET,
    /**
     * The queues of readers that are away are full together: a larger one must be dropped first.
     */
    CROWDED,
    /** The sender has too much waiting for readers that are away. */
    SENDER_FULL,
    CLOSED,
    /** The channel has left this broker: another one continues it. */
    MOVED
  }

  /** The result of an attempt to attach. */
  enum AttachResult {
    DONE,
    /** Some events after the given one are no longer kept: continuing would leave a gap. */
    TOO_OLD,
    /** No such event was ever sent. */
    NEVER_GIVEN,
    CLOSED
  }

  /** A sender with a share of what waits for readers that are away. */
  interface Sender {

    /** Counts bytes that it has sent and that wait, unless it would be too much. */
    boolean reserveWaiting(int bytes);

    /** Counts that as much waits no longer. */
    void releaseWaiting(int bytes);
  }

  /**
   * The answer to the sender of a message that waits for a reader.
   *
   * @param sender the channel whose share the message counts against until the network has taken
   *     it; null if it has no share
   */
  record Receipt(String id, @Nullable Sender sender) {}

  /**
   * A message whose sender was answered "queued" and that the network has not taken.
   *
   * @param id the id in that answer
   */
  record QueuedMessage(Message message, String id) {}

  private final Limits limits;
  private final AbsentQueues absent;

  /** Written with this locked, read without. */
  private volatile boolean closed;

  /** Whether it is closed since another queue continues it. Written with this locked. */
  private volatile boolean moved;

  @GuardedBy("this")
  private final QueuedEvents queue;

  /** The attachment that may poll; null while the reader is away. */
  @GuardedBy("this")
  private @Nullable Attachment owner;

  /** Created when an event first waits for a reader that is away. */
  @GuardedBy("this")
  private AbsentQueues.@Nullable Place place;

  /**
   * @param idPrefix the prefix of the events' ids, or null if the channel cannot be resumed
   */
  Outbox(
      Limits limits,
      ByteBudget budget,
      ByteBudget replay,
      AbsentQueues absent,
      @Nullable String idPrefix) {
    this.limits = limits;
    this.absent = absent;
    queue = new QueuedEvents(limits, budget, replay, idPrefix);
  }

  /**
   * Adds an event to the queue. If there is no room, nothing has changed.
   *
   * @param receipt the answer to the sender if no reader is attached, which a message needs in that
   *     case
   */
  synchronized OfferResult offer(Event event, @Nullable Receipt receipt) {
    if (closed) {
      return moved ? OfferResult.MOVED : OfferResult.CLOSED;
    }
    Receipt waiting = null;
    if (owner == null && event instanceof Event.Received) {
      if (receipt == null) {
        return OfferResult.AWAY;
      }
      waiting = receipt;
    }
    // Created first, so that a failure leaves nothing reserved.
    QueuedEvent added = queue.create(event);
    if (!queue.hasRoom(
        added.size, waiting == null ? limits.maxQueuedBytes() : limits.maxAwayBytes())) {
      return OfferResult.FULL;
    }
    if (waiting != null) {
      added.receipt = waiting;
      OfferResult refused = reserveWaiting(waiting, added.size);
      if (refused != null) {
        return refused;
      }
    } else if (!queue.reserve(added.size)) {
      return OfferResult.OVER_BUDGET;
    }
    queue.append(added);
    return owner == null ? OfferResult.QUEUED : OfferResult.SENT;
  }

  /** Reserves room for a message whose reader is away, in all shares that it counts against. */
  @GuardedBy("this")
  private @Nullable OfferResult reserveWaiting(Receipt receipt, int size) {
    AbsentQueues.Place mine = place;
    if (mine == null) {
      mine = absent.place(this);
      place = mine;
    }
    Sender sender = receipt.sender();
    if (sender != null && !sender.reserveWaiting(size)) {
      return OfferResult.SENDER_FULL;
    }
    OfferResult refused = null;
    if (!absent.grow(mine, size)) {
      refused = OfferResult.CROWDED;
    } else if (!queue.reserve(size)) {
      absent.grow(mine, -size);
      refused = OfferResult.OVER_BUDGET;
    }
    if (refused != null && sender != null) {
      sender.releaseWaiting(size);
    }
    return refused;
  }

  synchronized @Nullable Envelope poll(Attachment by) {
    return owner == by ? queue.poll() : null;
  }

  /** Returns how many events an attachment has polled that the network has not taken. */
  synchronized int polledBy(Attachment by) {
    return owner == by ? queue.polled() : 0;
  }

  /**
   * Notes that the network has taken the oldest of the polled events.
   *
   * @param now the time, in nanoseconds
   */
  synchronized void consumed(Attachment by, int count, long now) {
    if (owner == by) {
      queue.consumed(count, now);
    }
  }

  /**
   * Notes that the reader has seen all events up to one, which need not be kept any longer.
   *
   * @param now the time of the confirmation, in nanoseconds
   * @return whether such an event was ever sent
   */
  synchronized boolean confirm(long number, long now) {
    return queue.confirm(number, now);
  }

  /**
   * Returns the owner if its reader has confirmed nothing for longer than a time although the
   * network has taken events for it; otherwise null.
   */
  synchronized @Nullable Attachment suspect(Duration patience, long now) {
    return queue.isBehind(patience, now) ? owner : null;
  }

  /** Returns the id of the last event that the network has taken, or null if there is none. */
  synchronized @Nullable String lastConsumedId() {
    return queue.lastConsumedId();
  }

  /**
   * Makes an attachment the owner, which continues after the last event that its reader has seen.
   * If this fails, nothing has changed.
   *
   * @param seen the number of that event; 0 for none
   */
  synchronized AttachResult attach(Attachment by, long seen) {
    AttachResult result = continueAfter(seen);
    if (result == AttachResult.DONE) {
      queue.goBack(seen);
      setAbsent(0);
      owner = by;
    }
    return result;
  }

  /** Returns whether a reader that has seen events up to one can continue without a gap. */
  @GuardedBy("this")
  private AttachResult continueAfter(long seen) {
    return closed ? AttachResult.CLOSED : queue.continueAfter(seen);
  }

  /**
   * Notes that the owner has gone; events are queued from now on. Does nothing for any other
   * attachment.
   */
  synchronized void detach(Attachment by) {
    if (owner == by) {
      owner = null;
      setAbsent(queue.bytesToLetGo());
    }
  }

  @GuardedBy("this")
  private void setAbsent(long waiting) {
    if (place != null) {
      absent.set(place, waiting);
    }
  }

  /** Returns this queue's place among the queues whose readers are away, if it ever had one. */
  synchronized AbsentQueues.@Nullable Place place() {
    return place;
  }

  /**
   * Drops the messages that wait for a reader that is away, if their senders have receipts and no
   * reader can have seen them, so that the reader sees no gap when it comes back.
   *
   * @return the messages, whose senders must be notified
   */
  synchronized List<QueuedMessage> letGo() {
    if (owner != null) {
      return List.of();
    }
    List<QueuedMessage> leftovers = queue.letGo();
    setAbsent(0);
    return leftovers;
  }

  /** Accepts no more events; queued ones can still be polled. */
  synchronized void close() {
    closed = true;
  }

  boolean isClosed() {
    return closed;
  }

  /**
   * Accepts no more events and drops all queued ones.
   *
   * @return the messages whose senders were answered "queued" and that the network has not taken
   */
  synchronized List<QueuedMessage> discard() {
    closed = true;
    owner = null;
    setAbsent(0);
    return queue.discard();
  }

  /**
   * The result of an attempt to take everything out.
   *
   * @param queue what was taken out; null unless the result is {@link AttachResult#DONE}
   */
  record TakenOut(AttachResult result, ChannelState.@Nullable Queue queue) {}

  /**
   * Takes everything out for a queue elsewhere, which a reader continues after the last event that
   * it has seen. This one accepts no more events. If it fails, nothing has changed.
   *
   * @param seen the number of that event
   */
  synchronized TakenOut takeOut(long seen) {
    AttachResult result = continueAfter(seen);
    if (result != AttachResult.DONE) {
      return new TakenOut(result, null);
    }
    // Created first: without memory, nothing has left.
    TakenOut taken = new TakenOut(AttachResult.DONE, queue.state(seen));
    moveAway();
    return taken;
  }

  /** Drops everything without a notice to anybody, since another queue continues this one. */
  synchronized void moveAway() {
    closed = true;
    moved = true;
    owner = null;
    setAbsent(0);
    queue.clear();
  }

  /** Returns whether another queue continues this one. */
  boolean hasMoved() {
    return moved;
  }

  /**
   * Fills this queue, which is new, with what was taken out of another one. It has no owner yet.
   *
   * @return whether there is room; if not, nothing has changed
   */
  synchronized boolean fill(ChannelState.Queue from) {
    if (!queue.fill(from)) {
      return false;
    }
    long waiting = queue.bytesToLetGo();
    if (waiting > 0) {
      place = absent.place(this);
      setAbsent(waiting);
    }
    return true;
  }
}
