package io.peerbroker.core;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The bounded queue of the events that a channel has for its reader, and of those that it keeps for
 * replay.
 *
 * <p>One list of numbered events with four pointers into it:
 *
 * <pre>
 *   oldest ........ untaken ........ next ........ newest
 *   |  kept for replay  |  polled      |  waiting      |
 * </pre>
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
    CLOSED
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

  private static final class Node {
    final Envelope envelope;
    final int size;
    final long number;

    /**
     * The answer to the sender; null if a reader was attached, or the network has taken the message
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

    /**
     * Drops the receipt: the sender no longer needs a notice, and the message counts against no
     * share.
     */
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

  /** The prefix of the events' ids, or null if the channel cannot be resumed. */
  private final @Nullable String idPrefix;

  /** Written with this locked, read without. */
  private volatile boolean closed;

  /** The attachment that may poll; null while the reader is away. */
  @GuardedBy("this")
  private @Nullable Attachment owner;

  /** The first event that is still here: kept for replay, on its way, or waiting. */
  @GuardedBy("this")
  private @Nullable Node oldest;

  /** The first event that the network has not taken. */
  @GuardedBy("this")
  private @Nullable Node untaken;

  /** The first event that has not been polled. */
  @GuardedBy("this")
  private @Nullable Node next;

  /** The last event that was added and is still here. */
  @GuardedBy("this")
  private @Nullable Node newest;

  /** The number of the last event that was added. */
  @GuardedBy("this")
  private long lastNumber;

  /** The highest number that was ever polled. */
  @GuardedBy("this")
  private long lastGiven;

  /**
   * The number of the last event that the network has taken, on the owner's stream or an earlier
   * one.
   */
  @GuardedBy("this")
  private long lastConsumed;

  /** The number of the last event that the reader has confirmed; all, where nothing is kept. */
  @GuardedBy("this")
  private long confirmed;

  /**
   * The time since which the reader is behind: when the network took the first unconfirmed event,
   * or when the last confirmation came, whichever was later.
   */
  @GuardedBy("this")
  private long behindSince;

  /** The last event that is no longer kept, confirmed or not. */
  @GuardedBy("this")
  private long lastDropped;

  /** How many events the network has not taken. */
  @GuardedBy("this")
  private int events;

  /** How many bytes they have. */
  @GuardedBy("this")
  private long bytes;

  /** How many events are kept for replay. */
  @GuardedBy("this")
  private int keptEvents;

  /** How many bytes these have. */
  @GuardedBy("this")
  private long keptBytes;

  /**
   * The last event that counts against the replay budget. It still counts there while it waits
   * again; otherwise a reader that comes back often would make all channels together exceed it.
   */
  @GuardedBy("this")
  private long lastInReplay;

  /** How many bytes count against the replay budget. */
  @GuardedBy("this")
  private long inReplay;

  /** Created when an event first waits for a reader that is away. */
  @GuardedBy("this")
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
    // Without resuming, an event is done with once the network has taken it.
    confirmed = idPrefix == null ? Long.MAX_VALUE : 0;
  }

  /**
   * Adds an event to the queue. If there is no room, nothing has changed.
   *
   * @param receipt the answer to the sender if no reader is attached, which a message needs in that
   *     case
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
    // A channel's first event is covered by its permit.
    int size = event instanceof Event.Opened ? 0 : envelope.size();
    long maxBytes = waiting == null ? limits.maxQueuedBytes() : limits.maxAwayBytes();
    // An empty queue accepts any event; otherwise a bound below a message's size would starve its
    // reader for ever.
    if (events > 0 && (events >= limits.maxQueuedEvents() || bytes + size > maxBytes)) {
      return OfferResult.FULL;
    }
    // Created first, so that a failure leaves nothing reserved.
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

  @GuardedBy("this")
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

  /** Returns how many events an attachment has polled that the network has not taken. */
  synchronized int polledBy(Attachment by) {
    int polled = 0;
    if (owner == by) {
      for (Node node = untaken; node != null && node != next; node = node.next) {
        polled++;
      }
    }
    return polled;
  }

  /**
   * Notes that the network has taken the oldest of the polled events.
   *
   * @param now the time, in nanoseconds
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

  /**
   * Keeps an event that the network has taken for replay, as far as the bounds permit: the oldest
   * ones give way.
   */
  @GuardedBy("this")
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

  @GuardedBy("this")
  private boolean mayKeep(Node taken) {
    return keptEvents < limits.maxReplayEvents()
        && keptBytes + taken.size <= limits.maxReplayBytes()
        && (taken.number <= lastInReplay || replay.reserve(taken.size, inReplay));
  }

  /**
   * Notes that the reader has seen all events up to one, which need not be kept any longer.
   *
   * @param now the time of the confirmation, in nanoseconds
   * @return whether such an event was ever sent
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
   * Returns the owner if its reader has confirmed nothing for longer than a time although the
   * network has taken events for it; otherwise null.
   */
  synchronized @Nullable Attachment suspect(Duration patience, long now) {
    return lastConsumed > confirmed && now - behindSince > patience.toNanos() ? owner : null;
  }

  /** Returns the id of the last event that the network has taken, or null if there is none. */
  synchronized @Nullable String lastConsumedId() {
    return idPrefix == null || lastConsumed == 0 ? null : idPrefix + lastConsumed;
  }

  @GuardedBy("this")
  private void trimKept() {
    while (oldest != null && keptEvents > 0 && oldest.number <= confirmed) {
      dropOldestKept();
    }
  }

  @GuardedBy("this")
  private void dropOldestKept() {
    Node node = oldest;
    if (node == null) {
      throw new IllegalStateException("Nothing is kept");
    }
    removeOldest(node);
    keptEvents--;
    keptBytes -= node.size;
  }

  @GuardedBy("this")
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
   * Makes an attachment the owner, which continues after the last event that its reader has seen.
   * If this fails, nothing has changed.
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
    // All events wait again, except those that were seen.
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

  /**
   * Notes that the owner has gone; events are queued from now on. Does nothing for any other
   * attachment.
   */
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

  @GuardedBy("this")
  private void setAbsent(long waiting) {
    if (place != null) {
      absent.set(place, waiting);
    }
  }

  /** Returns whether its sender has a receipt and no reader can have seen it. */
  @GuardedBy("this")
  private boolean mayBeLetGo(Node node) {
    return node.receipt != null && node.number > lastGiven;
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

  /** Adds a dropped message whose sender must be notified, if it has a receipt. */
  private static void leave(Node node, List<QueuedMessage> leftovers) {
    Receipt receipt = node.receipt;
    if (receipt != null && node.envelope.event() instanceof Event.Received received) {
      leftovers.add(new QueuedMessage(received.message(), receipt.id()));
      node.settle();
    }
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
