package io.peerbroker.core;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The bounded queue of what a channel has for its reader, and of what it keeps to give again.
 *
 * <p>One list of numbered events with four places in it:
 *
 * <pre>
 *   oldest ........ untaken ........ next ........ newest
 *   |  kept for replay  |  polled      |  waiting      |
 * </pre>
 *
 * <p>What waits or has been polled counts against the bounds until the network has taken it, so
 * that a reader who stalls is noticed by its senders however much its transport polls. What has
 * been taken is kept, within bounds of its own, until the reader has confirmed it; a channel that
 * cannot be resumed keeps nothing. Whoever attaches is the owner from then on: it goes on after the
 * last event that the reader has seen, and the one before it polls nothing more.
 *
 * <p>An idle channel holds no node at all. Safe for use by many threads; the lock is a leaf:
 * nothing foreign is called while it is held.
 */
final class Outbox {

  /** What became of an offer. */
  enum OfferResult {
    /** It is in the queue of an attached reader. */
    SENT,
    /** It waits for a reader who may come back. */
    QUEUED,
    /** The reader is away: a message is queued with a receipt only. */
    AWAY,
    /** The reader is behind by as much as it may be. */
    FULL,
    /** All readers together are. */
    OVER_BUDGET,
    /** The readers who are away are, so that a larger queue is to be let go first. */
    CROWDED,
    /** The sender has as much waiting for readers who are away as it may. */
    SENDER_FULL,
    CLOSED
  }

  /** What became of an attempt to attach. */
  enum AttachResult {
    DONE,
    /** Some of what followed the event is no longer kept: going on would leave a gap. */
    TOO_OLD,
    /** No such event has been given out. */
    NEVER_GIVEN,
    CLOSED
  }

  /**
   * What the sender of a message that waits for a reader is answered.
   *
   * @param sender whose share it counts against until the network has taken it; null where it has
   *     none
   */
  record Receipt(String id, @Nullable LocalChannel sender) {}

  /**
   * A message that was answered as queued and that the network has not taken.
   *
   * @param id what its sender was answered
   */
  record QueuedMessage(Message message, String id) {}

  private static final class Node {
    final Envelope envelope;
    final int size;
    final long number;

    /**
     * What the sender was answered; null where a reader was attached, or the network has taken it
     * since.
     */
    @Nullable Receipt receipt;

    @Nullable Node next;

    Node(Envelope envelope, int size, long number, @Nullable Receipt receipt) {
      this.envelope = envelope;
      this.size = size;
      this.number = number;
      this.receipt = receipt;
    }

    /** The sender need not be told of it any more, and it counts against no share. */
    void settle() {
      Receipt settled = receipt;
      receipt = null;
      if (settled != null && settled.sender() != null) {
        settled.sender().releaseWaiting(size);
      }
    }
  }

  private final Limits limits;
  private final ByteBudget budget;
  private final ByteBudget replay;
  private final AbsentQueues absent;

  /** What the ids of events begin with, or null where the channel cannot be resumed. */
  private final @Nullable String idPrefix;

  /** Written under this, read without. */
  private volatile boolean closed;

  // Guarded by this.
  private @Nullable Attachment owner;
  private @Nullable Node oldest;
  private @Nullable Node untaken;
  private @Nullable Node next;
  private @Nullable Node newest;
  private long lastNumber;
  private long lastGiven;

  /** The number of the last event that the network has taken on the owner's stream, or before. */
  private long lastConsumed;

  private long confirmed;

  /**
   * Since when the reader is behind: when the network took the first event that is not confirmed,
   * or when the last confirmation came, whichever was later.
   */
  private long behindSince;

  /** The last that is no longer kept, though nobody has confirmed it perhaps. */
  private long lastDropped;

  private int events;
  private long bytes;
  private int keptEvents;
  private long keptBytes;

  /**
   * The last that counts among what is kept for replay, and goes on to when it waits again: whoever
   * comes back often would make all together hold more than they may.
   */
  private long lastInReplay;

  private long inReplay;

  /** Made when something first waits for a reader who is away. */
  private AbsentQueues.@Nullable Place place;

  Outbox(
      Limits limits,
      ByteBudget budget,
      ByteBudget replay,
      AbsentQueues absent,
      @Nullable String idPrefix) {
    this.limits = limits;
    this.budget = budget;
    this.replay = replay;
    this.absent = absent;
    this.idPrefix = idPrefix;
    // Where nothing can be asked for again, to have been taken is to be done with.
    confirmed = idPrefix == null ? Long.MAX_VALUE : 0;
  }

  /**
   * Takes an event into the queue. Without room nothing has changed.
   *
   * @param receipt what the sender is answered if no reader is attached; a message needs one then
   */
  synchronized OfferResult offer(Event event, @Nullable Receipt receipt) {
    if (closed) {
      return OfferResult.CLOSED;
    }
    Receipt waiting = null;
    if (owner == null && event instanceof Event.Received) {
      if (receipt == null) {
        return OfferResult.AWAY;
      }
      waiting = receipt;
    }
    long number = lastNumber + 1;
    Envelope envelope = new Envelope(event, idPrefix, number);
    // A channel's first event is paid for with its permit.
    int size = event instanceof Event.Opened ? 0 : envelope.size();
    long maxBytes = waiting == null ? limits.maxQueuedBytes() : limits.maxAwayBytes();
    // An empty queue takes anything, or a bound below a message's size would shut its reader out
    // for good.
    if (events > 0 && (events >= limits.maxQueuedEvents() || bytes + size > maxBytes)) {
      return OfferResult.FULL;
    }
    // Made first: what fails in it leaves nothing reserved.
    Node node = new Node(envelope, size, number, waiting);
    if (waiting != null) {
      OfferResult refused = reserveWaiting(waiting, size);
      if (refused != null) {
        return refused;
      }
    } else if (!budget.reserve(size, bytes)) {
      return OfferResult.OVER_BUDGET;
    }
    append(node);
    return owner == null ? OfferResult.QUEUED : OfferResult.SENT;
  }

  private void append(Node node) {
    lastNumber = node.number;
    if (newest == null) {
      oldest = node;
    } else {
      newest.next = node;
    }
    newest = node;
    untaken = untaken == null ? node : untaken;
    next = next == null ? node : next;
    events++;
    bytes += node.size;
  }

  /** Finds room for a message whose reader is away, in all the shares that it counts against. */
  private @Nullable OfferResult reserveWaiting(Receipt receipt, int size) {
    AbsentQueues.Place mine = place;
    if (mine == null) {
      mine = absent.place(this);
      place = mine;
    }
    LocalChannel sender = receipt.sender();
    if (sender != null && !sender.reserveWaiting(size)) {
      return OfferResult.SENDER_FULL;
    }
    OfferResult refused = null;
    if (!absent.grow(mine, size)) {
      refused = OfferResult.CROWDED;
    } else if (!budget.reserve(size, bytes)) {
      absent.grow(mine, -size);
      refused = OfferResult.OVER_BUDGET;
    }
    if (refused != null && sender != null) {
      sender.releaseWaiting(size);
    }
    return refused;
  }

  synchronized @Nullable Envelope poll(Attachment by) {
    Node polled = next;
    if (polled == null || owner != by) {
      return null;
    }
    next = polled.next;
    lastGiven = Math.max(lastGiven, polled.number);
    return polled.envelope;
  }

  /**
   * The network has taken the oldest of those that have been polled.
   *
   * @param now when, in nanoseconds
   */
  synchronized void consumed(Attachment by, int count, long now) {
    if (owner != by) {
      return;
    }
    if (lastConsumed <= confirmed) {
      behindSince = now;
    }
    for (int i = 0; i < count; i++) {
      Node node = untaken;
      if (node == null || node == next) {
        throw new IllegalStateException("More events consumed than polled");
      }
      untaken = node.next;
      lastConsumed = node.number;
      events--;
      bytes -= node.size;
      node.settle();
      node.envelope.forgetEncoding();
      keep(node);
    }
  }

  /** Keeps what the network has taken for replay, if it may: the oldest of it gives way. */
  private void keep(Node taken) {
    boolean kept = taken.number > confirmed && mayKeep(taken);
    while (!kept && keptEvents > 0) {
      dropOldestKept();
      kept = mayKeep(taken);
    }
    if (!kept) {
      removeOldest(taken);
      return;
    }
    keptEvents++;
    keptBytes += taken.size;
    if (taken.number > lastInReplay) {
      lastInReplay = taken.number;
      inReplay += taken.size;
      budget.release(taken.size);
    }
  }

  private boolean mayKeep(Node taken) {
    return keptEvents < limits.maxReplayEvents()
        && keptBytes + taken.size <= limits.maxReplayBytes()
        && (taken.number <= lastInReplay || replay.reserve(taken.size, inReplay));
  }

  /**
   * The reader has seen all events up to one: they need not be kept.
   *
   * @param now when it says so, in nanoseconds
   * @return whether there has been such an event
   */
  synchronized boolean confirm(long number, long now) {
    if (number > lastGiven) {
      return false;
    }
    if (number > confirmed) {
      confirmed = number;
      behindSince = now;
      trimKept();
    }
    return true;
  }

  /**
   * Returns the owner, if its reader has confirmed nothing for longer than a time though the
   * network has taken something for it; else null.
   */
  synchronized @Nullable Attachment suspect(Duration patience, long now) {
    return lastConsumed > confirmed && now - behindSince > patience.toNanos() ? owner : null;
  }

  /** The id of the last event that the network has taken, or null where there is none. */
  synchronized @Nullable String lastConsumedId() {
    return idPrefix == null || lastConsumed == 0 ? null : idPrefix + lastConsumed;
  }

  private void trimKept() {
    while (oldest != null && keptEvents > 0 && oldest.number <= confirmed) {
      dropOldestKept();
    }
  }

  private void dropOldestKept() {
    Node node = oldest;
    if (node == null) {
      throw new IllegalStateException("Nothing is kept");
    }
    removeOldest(node);
    keptEvents--;
    keptBytes -= node.size;
  }

  private void removeOldest(Node node) {
    oldest = node.next;
    if (oldest == null) {
      newest = null;
    }
    lastDropped = node.number;
    if (node.number <= lastInReplay) {
      inReplay -= node.size;
      replay.release(node.size);
    } else {
      budget.release(node.size);
    }
  }

  /**
   * Makes an attachment the owner, which goes on after the last event that its reader has seen.
   * Unless this succeeds nothing has changed.
   *
   * @param seen the number of that event; 0 for none
   */
  synchronized AttachResult attach(Attachment by, long seen) {
    if (closed) {
      return AttachResult.CLOSED;
    }
    if (seen > lastGiven) {
      return AttachResult.NEVER_GIVEN;
    }
    if (seen < lastDropped) {
      return AttachResult.TOO_OLD;
    }
    // All that is there waits again, but for what has been seen.
    events += keptEvents;
    bytes += keptBytes;
    keptEvents = 0;
    keptBytes = 0;
    while (oldest != null && oldest.number <= seen) {
      oldest.settle();
      events--;
      bytes -= oldest.size;
      removeOldest(oldest);
    }
    setAbsent(0);
    untaken = oldest;
    next = oldest;
    owner = by;
    lastConsumed = seen;
    confirmed = Math.max(confirmed, seen);
    return AttachResult.DONE;
  }

  /** The owner has gone; what comes from now on is queued. Does nothing for any other. */
  synchronized void detach(Attachment by) {
    if (owner == by) {
      owner = null;
      long waiting = 0;
      for (Node node = next; node != null; node = node.next) {
        waiting += mayBeLetGo(node) ? node.size : 0;
      }
      setAbsent(waiting);
    }
  }

  private void setAbsent(long waiting) {
    if (place != null) {
      absent.set(place, waiting);
    }
  }

  /** Whether its sender has a receipt, and no reader can have seen it. */
  private boolean mayBeLetGo(Node node) {
    return node.receipt != null && node.number > lastGiven;
  }

  /** Returns this queue's place among those whose readers are away, if it ever had one. */
  synchronized AbsentQueues.@Nullable Place place() {
    return place;
  }

  /**
   * Lets go of what waits for a reader who is away, where the sender has a receipt and no reader
   * can have seen it, so that the reader is missing nothing when it comes back.
   *
   * @return the messages, whose senders are to be told
   */
  synchronized List<QueuedMessage> letGo() {
    List<QueuedMessage> leftovers = new ArrayList<>(0);
    if (owner != null) {
      return leftovers;
    }
    Node last = null;
    Node first = null;
    for (Node node = oldest; node != null; node = node.next) {
      if (mayBeLetGo(node)) {
        leave(node, leftovers);
        events--;
        bytes -= node.size;
        budget.release(node.size);
        untaken = untaken == node ? node.next : untaken;
        next = next == node ? node.next : next;
      } else {
        if (last == null) {
          first = node;
        } else {
          last.next = node;
        }
        last = node;
      }
    }
    if (last != null) {
      last.next = null;
    }
    oldest = first;
    newest = last;
    setAbsent(0);
    return leftovers;
  }

  /** Notes that a sender is to be told of a message that goes, if it has a receipt. */
  private static void leave(Node node, List<QueuedMessage> leftovers) {
    Receipt receipt = node.receipt;
    if (receipt != null && node.envelope.event() instanceof Event.Received received) {
      leftovers.add(new QueuedMessage(received.message(), receipt.id()));
      node.settle();
    }
  }

  /** Takes nothing more; what is there can still be polled. */
  synchronized void close() {
    closed = true;
  }

  boolean isClosed() {
    return closed;
  }

  /**
   * Takes nothing more and lets go of all that is there.
   *
   * @return the messages that were answered as queued and that the network has not taken
   */
  synchronized List<QueuedMessage> discard() {
    closed = true;
    List<QueuedMessage> leftovers = new ArrayList<>(0);
    for (Node node = untaken; node != null; node = node.next) {
      leave(node, leftovers);
    }
    setAbsent(0);
    owner = null;
    oldest = null;
    untaken = null;
    next = null;
    newest = null;
    budget.release(bytes + keptBytes - inReplay);
    replay.release(inReplay);
    inReplay = 0;
    events = 0;
    bytes = 0;
    keptEvents = 0;
    keptBytes = 0;
    return leftovers;
  }
}
