package io.peerbroker.core;

import org.jspecify.annotations.Nullable;

/**
 * The listed sessions that one node has created, by its numbers: these are dense, so the index
 * packs them.
 *
 * <p>Changed under the directory's write lock.
 */
final class ListPart {

  /** The tag of the node; {@link Ids#NO_TAG} on a broker that is alone. */
  final int origin;

  final TagIndex<ListEntry> index = new TagIndex<>();

  /** The highest number so far; read without the lock. */
  private volatile long last;

  ListPart(int origin) {
    this.origin = origin;
  }

  /** Returns the highest number so far, be it listed or not. */
  long last() {
    return last;
  }

  /** Notes that a session has this number. */
  void reached(long number) {
    last = Math.max(last, number);
  }

  /**
   * Returns the number behind which the sessions after a position begin.
   *
   * <p>In the order of its numbers, a node's sessions are also in the order of their creation, so
   * the number is found by halving, whether or not the position's session is still there.
   */
  long numberOf(ListPosition position) {
    long low = 0;
    long high = last;
    while (low < high) {
      long middle = (low + high) >>> 1;
      ListEntry next = index.next(middle);
      if (next == null || next.ref.position().compareTo(position) > 0) {
        high = middle;
      } else {
        low = next.number;
      }
    }
    return low;
  }

  /** Returns the session of a number, or null if it is not listed. */
  @Nullable ListEntry get(long number) {
    return index.get(number);
  }
}
