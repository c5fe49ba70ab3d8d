package io.peerbroker.core;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The list's parts: the sessions that this node has created, and for each other node those that it
 * has created. A broker that is alone has only the first.
 *
 * <p>A session stays in its part when it moves to another node, so it keeps its place in the list.
 * Changed under the directory's write lock; the parts, but not their indexes, are read without.
 */
final class ListParts {

  private static final ListPart[] NONE = {};

  final ListPart own;

  /** Replaced as a whole. */
  private volatile ListPart[] others = NONE;

  /**
   * @param origin this node's tag
   */
  ListParts(int origin) {
    own = new ListPart(origin);
  }

  /** Returns the parts of other nodes; not to be changed. */
  ListPart[] others() {
    return others;
  }

  /** Returns the part of a node's sessions; null if there are none. */
  @Nullable ListPart find(int origin) {
    if (origin == own.origin) {
      return own;
    }
    for (ListPart part : others) {
      if (part.origin == origin) {
        return part;
      }
    }
    return null;
  }

  /**
   * Returns the part of a node's sessions, which is new if there are none. Forgets parts that have
   * become empty: only here, since removing a session must need no memory.
   */
  ListPart open(int origin) {
    ListPart found = find(origin);
    if (found != null) {
      return found;
    }
    ListPart[] left =
        Arrays.stream(others).filter(part -> part.index.count() > 0).toArray(ListPart[]::new);
    ListPart[] more = Arrays.copyOf(left, left.length + 1);
    ListPart opened = new ListPart(origin);
    more[left.length] = opened;
    others = more;
    return opened;
  }

  /** Returns how many sessions are listed. */
  int count() {
    int count = own.index.count();
    for (ListPart part : others) {
      count += part.index.count();
    }
    return count;
  }

  /** Returns how many listed sessions have a tag. */
  int count(String tag) {
    int count = own.index.count(tag);
    for (ListPart part : others) {
      count += part.index.count(tag);
    }
    return count;
  }

  /** Returns an upper estimate of the bytes needed to remember which sessions pass a filter. */
  long bytesToRemember(ParsedFilter filter) {
    long bytes = own.index.bytesToRemember(filter);
    for (ListPart part : others) {
      bytes += part.index.bytesToRemember(filter);
    }
    return bytes;
  }
}
