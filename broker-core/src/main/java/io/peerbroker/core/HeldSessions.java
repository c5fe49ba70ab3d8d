package io.peerbroker.core;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The sessions that the reader of a watch holds, a bit for each, by the parts of the list. Used by
 * one thread at a time.
 */
final class HeldSessions {

  /** The approximate bytes of an entry for another node's sessions, besides the bits. */
  private static final int PART_BYTES = 200;

  private final int origin;
  private final Postings own = new Postings();

  /** By the tags of the other nodes; null until there is one. */
  private @Nullable Map<Integer, Postings> others;

  /**
   * @param origin this node's tag
   */
  HeldSessions(int origin) {
    this.origin = origin;
  }

  /** Adds a session; returns false if it was held already. */
  boolean add(SessionRef session) {
    Postings part = session.origin == origin ? own : open(session.origin);
    if (part.contains(session.number)) {
      return false;
    }
    part.add(session.number);
    return true;
  }

  private Postings open(int origin) {
    Map<Integer, Postings> opened = others;
    if (opened == null) {
      opened = new TreeMap<>();
      others = opened;
    }
    return opened.computeIfAbsent(origin, unused -> new Postings());
  }

  /** Removes a session; returns false if it was not held. */
  boolean remove(SessionRef session) {
    Postings part =
        session.origin == origin ? own : others == null ? null : others.get(session.origin);
    if (part == null || !part.contains(session.number)) {
      return false;
    }
    part.remove(session.number);
    if (part != own && part.count() == 0 && others != null) {
      others.remove(session.origin);
    }
    return true;
  }

  /** Returns an upper estimate of its size in bytes. */
  long bytes() {
    long bytes = own.bytes();
    if (others != null) {
      for (Postings part : others.values()) {
        bytes += PART_BYTES + part.bytes();
      }
    }
    return bytes;
  }
}
