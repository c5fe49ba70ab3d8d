package io.peerbroker.core;

/**
 * What a broker has of its own as one of several nodes that are one broker: the ids it makes, and
 * the bound of what the others tell; and what it shares with them: the key of the cursors.
 *
 * @param ids makes this node's ids
 * @param cursors makes and reads the cursors of pages
 * @param maxForeignBytes how many bytes the sessions of other nodes may take
 */
record Node(Ids ids, PageCursors cursors, long maxForeignBytes) {

  /** Returns what a broker needs that is alone. */
  static Node alone() {
    return new Node(new Ids(), new PageCursors(), 0);
  }
}
