package io.peerbroker.core;

import org.jspecify.annotations.Nullable;

/**
 * The bounded queue of what a channel has for its reader.
 *
 * <p>One list with three places in it: {@code oldest} has been polled but perhaps not taken, {@code
 * next} is the one to poll, {@code newest} is where offers go. What has been polled counts against
 * the bounds until the network has taken it, so that a reader who stalls is noticed by its senders
 * however much its transport polls. An idle channel holds no node at all. Safe for use by many
 * threads; the lock is a leaf: nothing is called while it is held.
 */
final class Outbox {

  /** What became of an offer. */
  enum Answer {
    ACCEPTED,
    /** The reader is behind by as much as it may be. */
    FULL,
    /** All readers together are. */
    OVER_BUDGET,
    CLOSED
  }

  private static final class Node {
    final Envelope envelope;
    @Nullable Node next;

    Node(Envelope envelope) {
      this.envelope = envelope;
    }
  }

  private final int maxEvents;
  private final int maxBytes;
  private final Budget budget;

  /** Written under this, read without. */
  private volatile boolean closed;

  // Guarded by this.
  private @Nullable Node oldest;
  private @Nullable Node next;
  private @Nullable Node newest;
  private int events;
  private long bytes;
  private boolean discarded;

  Outbox(int maxEvents, int maxBytes, Budget budget) {
    this.maxEvents = maxEvents;
    this.maxBytes = maxBytes;
    this.budget = budget;
  }

  synchronized Answer offer(Envelope envelope) {
    if (closed) {
      return Answer.CLOSED;
    }
    int size = envelope.size();
    // An empty queue takes anything, or a bound below a message's size would shut its reader out
    // for good.
    if (events > 0 && (events >= maxEvents || bytes + size > maxBytes)) {
      return Answer.FULL;
    }
    if (!budget.reserve(size)) {
      return Answer.OVER_BUDGET;
    }
    Node node = new Node(envelope);
    if (newest == null) {
      oldest = node;
    } else {
      newest.next = node;
    }
    newest = node;
    if (next == null) {
      next = node;
    }
    events++;
    bytes += size;
    return Answer.ACCEPTED;
  }

  synchronized @Nullable Envelope poll() {
    Node polled = next;
    if (polled == null) {
      return null;
    }
    next = polled.next;
    return polled.envelope;
  }

  /** Lets go of the oldest that have been polled. */
  synchronized void taken(int count) {
    if (discarded) {
      // They were let go while the reader was taking them.
      return;
    }
    for (int i = 0; i < count; i++) {
      Node node = oldest;
      if (node == null || node == next) {
        throw new IllegalStateException("More events taken than polled");
      }
      oldest = node.next;
      if (oldest == null) {
        newest = null;
      }
      int size = node.envelope.size();
      events--;
      bytes -= size;
      budget.release(size);
    }
  }

  /** Takes nothing more; what is there can still be polled. */
  synchronized void close() {
    closed = true;
  }

  boolean isClosed() {
    return closed;
  }

  /** Takes nothing more and lets go of all that is there. */
  synchronized void discard() {
    closed = true;
    discarded = true;
    oldest = null;
    next = null;
    newest = null;
    events = 0;
    budget.release(bytes);
    bytes = 0;
  }
}
