package io.peerbroker.peerjs;

import io.peerbroker.core.Json;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

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

  /** What an object of each takes beside its bytes, roughly. */
  private static final int OVERHEAD = 128;

  /** A frame that waits. */
  record Waiting(PeerSocket sender, String type, Json message) {

    int bytes() {
      return OVERHEAD + message.length();
    }
  }

  /** What of one sender waits. */
  private static final class Sum {
    int frames;
    int bytes;

    boolean hasRoom(int more, int maxFrames, int maxBytes) {
      return frames < maxFrames && bytes + more <= maxBytes;
    }
  }

  /** What waits for one id, and since when. */
  private record Queue(long since, List<Waiting> frames) {}

  private final Map<String, Queue> byTarget = new HashMap<>();
  private final Map<PeerSocket, Sum> bySender = new HashMap<>();
  private final Sum all = new Sum();

  /** Returns whether something waits for an id, and has done so for this long. */
  boolean isAwaited(String id, long now, long nanos) {
    Queue queue = byTarget.get(id);
    return queue != null && now - queue.since() >= nanos;
  }

  /** Keeps a frame, and returns true if there is room for it. */
  boolean add(String target, Waiting frame, long now) {
    Sum own = bySender.get(frame.sender());
    if (!all.hasRoom(frame.bytes(), MAX, MAX_BYTES)
        || (own != null && !own.hasRoom(frame.bytes(), MAX_OF_SENDER, MAX_BYTES_OF_SENDER))) {
      return false;
    }
    byTarget.computeIfAbsent(target, id -> new Queue(now, new ArrayList<>())).frames().add(frame);
    count(bySender.computeIfAbsent(frame.sender(), sender -> new Sum()), frame, 1);
    count(all, frame, 1);
    return true;
  }

  /** Takes all that waits for an id, in the order in which it came. */
  List<Waiting> take(String target) {
    Queue queue = byTarget.remove(target);
    if (queue == null) {
      return List.of();
    }
    for (Waiting frame : queue.frames()) {
      Sum own = Objects.requireNonNull(bySender.get(frame.sender()));
      count(own, frame, -1);
      count(all, frame, -1);
      if (own.frames == 0) {
        bySender.remove(frame.sender());
      }
    }
    return queue.frames();
  }

  private static void count(Sum sum, Waiting frame, int sign) {
    sum.frames += sign;
    sum.bytes += sign * frame.bytes();
  }

  /** Returns how many frames wait. */
  int size() {
    return all.frames;
  }
}
