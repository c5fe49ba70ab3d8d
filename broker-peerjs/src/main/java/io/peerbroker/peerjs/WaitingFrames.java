package io.peerbroker.peerjs;

import io.peerbroker.core.Json;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The frames for ids that nobody has yet. Not safe for use by many threads: {@link Peers} has the
 * lock.
 */
final class WaitingFrames {

  /** How many frames of one sender may wait: an offer and its candidates, for a few targets. */
  static final int MAX_OF_SENDER = 64;

  static final int MAX_BYTES_OF_SENDER = 256 << 10;
  static final int MAX = 16_384;
  static final int MAX_BYTES = 16 << 20;

  /** How many reports one call of {@link #expire} makes at most, as the lock is held for it. */
  static final int MAX_REPORTS = 256;

  /** The part of the waiting time within which a sender's frames for one target are one attempt. */
  private static final int ATTEMPT = 5;

  /** What an object of each takes beside its bytes, roughly. */
  private static final int OVERHEAD = 512;

  /** A frame that waits; equal to itself alone. */
  static final class Waiting {
    final PeerSocket sender;
    final String target;
    final String type;
    final Json message;

    /** Since when it waits, by the timer's clock. */
    final long since;

    Waiting(PeerSocket sender, String target, String type, Json message, long since) {
      this.sender = sender;
      this.target = target;
      this.type = type;
      this.message = message;
      this.since = since;
    }

    private int bytes() {
      return OVERHEAD + message.length();
    }
  }

  /** What of one sender waits, in the order in which it came. */
  private static final class Own {
    final Set<Waiting> frames = new LinkedHashSet<>();
    int bytes;
  }

  /** All that waits, in the order in which it came. */
  private final Set<Waiting> all = new LinkedHashSet<>();

  private final Map<String, Set<Waiting>> byTarget = new HashMap<>();
  private final Map<PeerSocket, Own> bySender = new HashMap<>();
  private int bytes;

  /** Keeps a frame, the youngest of all, and returns true if there is room for it. */
  boolean add(Waiting frame) {
    Own own = bySender.get(frame.sender);
    if (all.size() >= MAX
        || bytes + frame.bytes() > MAX_BYTES
        || (own == null ? 0 : own.frames.size()) >= MAX_OF_SENDER
        || (own == null ? 0 : own.bytes) + frame.bytes() > MAX_BYTES_OF_SENDER) {
      return false;
    }
    if (own == null) {
      own = new Own();
      bySender.put(frame.sender, own);
    }
    all.add(frame);
    byTarget.computeIfAbsent(frame.target, id -> new LinkedHashSet<>()).add(frame);
    own.frames.add(frame);
    own.bytes += frame.bytes();
    bytes += frame.bytes();
    return true;
  }

  /** Takes all that waits for an id, in the order in which it came. */
  List<Waiting> take(String target) {
    List<Waiting> taken = List.copyOf(byTarget.getOrDefault(target, Set.of()));
    taken.forEach(this::remove);
    return taken;
  }

  /** Drops all that a sender has waiting: it has left. */
  void drop(PeerSocket sender) {
    of(sender).forEach(this::remove);
  }

  /**
   * Drops what has waited for this long, and returns what must be reported, oldest first: of an
   * offer and the candidates that followed it, the first. They go together, so that a page has one
   * error for one attempt.
   *
   * @return at most {@value #MAX_REPORTS} frames
   */
  List<Waiting> expire(long now, long nanos) {
    List<Waiting> reports = new ArrayList<>();
    for (Waiting first = oldest();
        first != null && now - first.since >= nanos && reports.size() < MAX_REPORTS;
        first = oldest()) {
      for (Waiting each : of(first.sender)) {
        if (each.target.equals(first.target) && each.since - first.since <= nanos / ATTEMPT) {
          remove(each);
        }
      }
      reports.add(first);
    }
    return reports;
  }

  /** Returns what waits longest, or null if nothing waits. */
  @Nullable Waiting oldest() {
    Iterator<Waiting> inOrder = all.iterator();
    return inOrder.hasNext() ? inOrder.next() : null;
  }

  private List<Waiting> of(PeerSocket sender) {
    Own own = bySender.get(sender);
    return own == null ? List.of() : List.copyOf(own.frames);
  }

  private void remove(Waiting frame) {
    all.remove(frame);
    bytes -= frame.bytes();
    Set<Waiting> ofTarget = Objects.requireNonNull(byTarget.get(frame.target));
    ofTarget.remove(frame);
    if (ofTarget.isEmpty()) {
      byTarget.remove(frame.target);
    }
    Own own = Objects.requireNonNull(bySender.get(frame.sender));
    own.frames.remove(frame);
    own.bytes -= frame.bytes();
    if (own.frames.isEmpty()) {
      bySender.remove(frame.sender);
    }
  }

  /** Returns how many frames wait. */
  int size() {
    return all.size();
  }

  /** Returns how many entries there are of all kinds, and bytes: 0 if nothing waits. For tests. */
  int remembered() {
    return all.size() + byTarget.size() + bySender.size() + bytes;
  }
}
