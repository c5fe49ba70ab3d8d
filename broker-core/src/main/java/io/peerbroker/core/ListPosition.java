package io.peerbroker.core;

import java.util.Comparator;

/**
 * A position in the list, which is in order of creation. It outlives its session and its node.
 *
 * @param created when the session was created, as {@link SessionRef#created}
 * @param origin the tag of the node that created it
 */
record ListPosition(long created, int origin) implements Comparable<ListPosition> {

  /** The position before all sessions. */
  static final ListPosition START = new ListPosition(0, Ids.NO_TAG);

  private static final Comparator<ListPosition> ORDER =
      Comparator.comparingLong(ListPosition::created).thenComparingInt(ListPosition::origin);

  @Override
  public int compareTo(ListPosition other) {
    return ORDER.compare(this, other);
  }
}
