package io.peerbroker.core;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The total of what waits for readers that are away. When it is full, the largest of these queues
 * gives way to smaller ones, so that each gets its fair share and no number of large queues shuts
 * out a small one. Each queue may always have its own share.
 *
 * <p>Safe for use by many threads; its lock is a leaf, held for one operation on a tree of the
 * queues that are not empty.
 */
final class AbsentQueues {

  /** One queue's entry. Guarded by the lock of all of them. */
  static final class Place implements Comparable<Place> {
    private final Outbox outbox;
    private final long number;
    private long bytes;

    private Place(Outbox outbox, long number) {
      this.outbox = outbox;
      this.number = number;
    }

    @Override
    public int compareTo(Place other) {
      int bySize = Long.compare(bytes, other.bytes);
      return bySize != 0 ? bySize : Long.compare(number, other.number);
    }
  }

  private final long max;
  private final long share;

  /** The queues that are not empty, the smallest first. */
  @GuardedBy("this")
  private final TreeSet<Place> bySize = new TreeSet<>();

  /** How many bytes all of them have together. */
  @GuardedBy("this")
  private long total;

  /** How many places there have been: gives each its number. */
  @GuardedBy("this")
  private long places;

  /**
   * @param max how many bytes all of them together may have
   * @param share how many bytes each may always have
   */
  AbsentQueues(long max, long share) {
    this.max = max;
    this.share = share;
  }

  /** Creates an entry for an empty queue. */
  synchronized Place place(Outbox outbox) {
    return new Place(outbox, ++places);
  }

  /** Lets a queue grow, unless the total would be too large. */
  synchronized boolean grow(Place place, int bytes) {
    long grown = place.bytes + bytes;
    if (total + bytes > max && grown > share) {
      return false;
    }
    set(place, grown);
    return true;
  }

  /** Sets the size of a queue. It may exceed the bound: the queue had that size before. */
  synchronized void set(Place place, long bytes) {
    if (place.bytes > 0) {
      bySize.remove(place);
    }
    total += bytes - place.bytes;
    place.bytes = bytes;
    if (bytes > 0) {
      bySize.add(place);
    }
  }

  /**
   * Returns the largest queue, if it is larger than another one would be with these bytes added;
   * null if the other has no right to its room.
   */
  synchronized @Nullable Outbox largerThan(@Nullable Place other, int bytes) {
    Place largest = bySize.isEmpty() ? null : bySize.last();
    if (largest == null || largest == other) {
      return null;
    }
    long otherwise = bytes + (other == null ? 0 : other.bytes);
    return largest.bytes > otherwise ? largest.outbox : null;
  }

  /** Returns the total of all queues. */
  synchronized long total() {
    return total;
  }
}
