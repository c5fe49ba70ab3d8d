package io.peerbroker.core;

import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What waits for readers who are away, all together. Where that is full, the largest of these
 * queues gives way to smaller ones, so that each comes to have its fair share and no number of
 * large ones shuts out a small one; and each may have the share of any queue in any case.
 *
 * <p>Safe for use by many threads; its lock is a leaf, held for a step in a tree of the queues that
 * are not empty.
 */
final class AbsentQueues {

  /** One queue's place among them. Guarded by the lock of all of them. */
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

  // Guarded by this.
  private final TreeSet<Place> bySize = new TreeSet<>();
  private long total;
  private long places;

  /**
   * @param max how many bytes they may have together
   * @param share how many each may have in any case
   */
  AbsentQueues(long max, long share) {
    this.max = max;
    this.share = share;
  }

  /** Makes a place for a queue, which is empty. */
  synchronized Place place(Outbox outbox) {
    return new Place(outbox, ++places);
  }

  /** Lets a queue grow, unless all together would be too large. */
  synchronized boolean grow(Place place, int bytes) {
    long grown = place.bytes + bytes;
    if (total + bytes > max && grown > share) {
      return false;
    }
    set(place, grown);
    return true;
  }

  /** Notes how large a queue is, which may be beyond the bound: it was as large before. */
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
   * Returns the largest queue, if it is larger than another would be with so many bytes more; null
   * where the other has no right to its room.
   */
  synchronized @Nullable Outbox largerThan(@Nullable Place other, int bytes) {
    Place largest = bySize.isEmpty() ? null : bySize.last();
    if (largest == null || largest == other) {
      return null;
    }
    long otherwise = bytes + (other == null ? 0 : other.bytes);
    return largest.bytes > otherwise ? largest.outbox : null;
  }

  /** What waits for all of them. */
  synchronized long total() {
    return total;
  }
}
