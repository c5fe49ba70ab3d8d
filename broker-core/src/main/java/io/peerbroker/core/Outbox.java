package io.peerbroker.core;

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
  enum Answer {
    /** It is in the queue of an attached reader. */
    SENT,
    /** It waits for a reader who may come back. */
    QUEUED,
    /** The reader is behind by as much as it may be. */
    FULL,
    /** All readers together are. */
    OVER_BUDGET,
    CLOSED
  }

  /** What became of an attempt to attach. */
  enum Attached {
    DONE,
    /** Some of what followed the event is no longer kept: going on would leave a gap. */
    TOO_OLD,
    /** No such event has been given out. */
    NEVER_GIVEN,
    CLOSED
  }

  /**
   * A message that was answered as queued and that no reader has been given.
   *
   * @param delivery the number that its sender was answered
   */
  record Leftover(Message message, long delivery) {}

  private static final class Node {
    final Envelope envelope;
    final int size;
    final long number;

    /** What the sender was answered; 0 where a reader was attached, or has been given it since. */
    long delivery;

    @Nullable Node next;

    Node(Envelope envelope, long number, long delivery) {
      this.envelope = envelope;
      size = envelope.size();
      this.number = number;
      this.delivery = delivery;
    }
  }

  private final Limits limits;
  private final Budget budget;

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
  private long confirmed;
  private int events;
  private long bytes;
  private int keptEvents;
  private long keptBytes;

  Outbox(Limits limits, Budget budget, @Nullable String idPrefix) {
    this.limits = limits;
    this.budget = budget;
    this.idPrefix = idPrefix;
    // Where nothing can be asked for again, to have been taken is to be done with.
    confirmed = idPrefix == null ? Long.MAX_VALUE : 0;
  }

  /**
   * Takes an event into the queue.
   *
   * @param delivery what the sender is answered if no reader is attached; 0 for an event that no
   *     sender waits for
   */
  synchronized Answer offer(Event event, long delivery) {
    if (closed) {
      return Answer.CLOSED;
    }
    long number = lastNumber + 1;
    Envelope envelope = new Envelope(event, idPrefix, number);
    int size = envelope.size();
    // An empty queue takes anything, or a bound below a message's size would shut its reader out
    // for good.
    if (events > 0
        && (events >= limits.maxQueuedEvents() || bytes + size > limits.maxQueuedBytes())) {
      return Answer.FULL;
    }
    if (!reserve(size)) {
      return Answer.OVER_BUDGET;
    }
    lastNumber = number;
    Node node = new Node(envelope, number, owner == null ? delivery : 0);
    if (newest == null) {
      oldest = node;
    } else {
      newest.next = node;
    }
    newest = node;
    untaken = untaken == null ? node : untaken;
    next = next == null ? node : next;
    events++;
    bytes += size;
    return owner == null ? Answer.QUEUED : Answer.SENT;
  }

  /** Finds room in the budget: what is kept for replay gives way to what is new. */
  private boolean reserve(int size) {
    while (!budget.reserve(size)) {
      if (keptEvents == 0) {
        return false;
      }
      dropOldestKept();
    }
    return true;
  }

  synchronized @Nullable Envelope poll(Attachment by) {
    Node polled = next;
    if (polled == null || owner != by) {
      return null;
    }
    next = polled.next;
    lastGiven = Math.max(lastGiven, polled.number);
    polled.delivery = 0;
    return polled.envelope;
  }

  /** The network has taken the oldest of those that have been polled. */
  synchronized void taken(Attachment by, int count) {
    if (owner != by) {
      return;
    }
    for (int i = 0; i < count; i++) {
      Node node = untaken;
      if (node == null || node == next) {
        throw new IllegalStateException("More events taken than polled");
      }
      untaken = node.next;
      events--;
      bytes -= node.size;
      keptEvents++;
      keptBytes += node.size;
      node.envelope.forgetEncoding();
    }
    trimKept();
  }

  /** The reader has seen all events up to one: they need not be kept. */
  synchronized void confirm(long number) {
    if (number <= lastGiven) {
      confirmed = Math.max(confirmed, number);
      trimKept();
    }
  }

  private void trimKept() {
    while (oldest != null
        && keptEvents > 0
        && (oldest.number <= confirmed
            || budget.isTight()
            || keptEvents > limits.maxReplayEvents()
            || keptBytes > limits.maxReplayBytes())) {
      dropOldestKept();
    }
  }

  private void dropOldestKept() {
    Node node = oldest;
    if (node == null) {
      throw new IllegalStateException("Nothing is kept");
    }
    oldest = node.next;
    if (oldest == null) {
      newest = null;
    }
    keptEvents--;
    keptBytes -= node.size;
    budget.release(node.size);
  }

  /**
   * Makes an attachment the owner, which goes on after the last event that its reader has seen.
   * Unless this succeeds nothing has changed.
   *
   * @param seen the number of that event; 0 for none
   */
  synchronized Attached attach(Attachment by, long seen) {
    if (closed) {
      return Attached.CLOSED;
    }
    if (seen > lastGiven) {
      return Attached.NEVER_GIVEN;
    }
    long firstThere = oldest == null ? lastNumber + 1 : oldest.number;
    if (seen + 1 < firstThere) {
      return Attached.TOO_OLD;
    }
    // All that is there waits again, but for what has been seen.
    events += keptEvents;
    bytes += keptBytes;
    keptEvents = 0;
    keptBytes = 0;
    while (oldest != null && oldest.number <= seen) {
      events--;
      bytes -= oldest.size;
      budget.release(oldest.size);
      oldest = oldest.next;
    }
    if (oldest == null) {
      newest = null;
    }
    untaken = oldest;
    next = oldest;
    owner = by;
    confirmed = Math.max(confirmed, seen);
    return Attached.DONE;
  }

  /** The owner has gone; what comes from now on is queued. Does nothing for any other. */
  synchronized void detach(Attachment by) {
    if (owner == by) {
      owner = null;
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
   * @return the messages that were queued for a reader who never came back
   */
  synchronized List<Leftover> discard() {
    closed = true;
    List<Leftover> leftovers = new ArrayList<>(0);
    for (Node node = next; node != null; node = node.next) {
      if (node.delivery != 0 && node.envelope.event() instanceof Event.Received received) {
        leftovers.add(new Leftover(received.message(), node.delivery));
      }
    }
    owner = null;
    oldest = null;
    untaken = null;
    next = null;
    newest = null;
    budget.release(bytes + keptBytes);
    events = 0;
    bytes = 0;
    keptEvents = 0;
    keptBytes = 0;
    return leftovers;
  }
}
