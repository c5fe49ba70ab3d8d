package io.peerbroker.core;

import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * The ends of the lists on a channel's stream, until their client has learned of them. An end waits
 * until the stream has polled it. The last ones are kept after that, since a stream that breaks may
 * lose them: a client that comes back is notified of them again.
 *
 * <p>Not safe for use by many threads: the lock of the channel's lists guards it.
 */
final class ListEnds {

  /** How many are kept for a client that comes back. */
  private final int max;

  /** Those that the current stream has not polled. */
  private final Queue<Event.Unwatched> unread = new ArrayDeque<>();

  /** The last ones, polled or not, by the names that have not been used again. */
  private final Map<String, Event.Unwatched> last = new LinkedHashMap<>();

  /**
   * Those of them that the current stream has yet to repeat. None is repeated once its name is used
   * again; one that the stream has polled by then may still reach the client later.
   */
  private final Map<String, Event.Unwatched> repeats = new LinkedHashMap<>();

  /**
   * @param max how many are kept for a client that comes back; 0 if none can
   */
  ListEnds(int max) {
    this.max = max;
  }

  /** Returns how many the current stream has yet to poll. */
  int unread() {
    return unread.size() + repeats.size();
  }

  /**
   * Adds an end.
   *
   * @param hasStream whether a stream will poll it; otherwise it is for the next one
   */
  void add(Event.Unwatched end, boolean hasStream) {
    if (hasStream) {
      unread.add(end);
    }
    if (max > 0) {
      // Behind the others.
      last.remove(end.watch());
      last.put(end.watch(), end);
      if (last.size() > max) {
        forgetOne();
      }
    }
  }

  /** Forgets the oldest: of those that the client has asked for, if there are any. */
  private void forgetOne() {
    for (Event.Unwatched each : last.values()) {
      if (each.reason() == CloseReason.CLOSED) {
        last.remove(each.watch());
        return;
      }
    }
    Iterator<String> oldest = last.keySet().iterator();
    oldest.next();
    oldest.remove();
  }

  /** No longer repeats the end of this name, which its client uses again or has given up. */
  void forget(String name) {
    last.remove(name);
    repeats.remove(name);
  }

  /** Has a new stream repeat the last ones. */
  void repeat() {
    repeats.putAll(last);
  }

  /** Returns the last ones, of which the next stream would notify the client. */
  List<Event.Unwatched> last() {
    return List.copyOf(last.values());
  }

  /** Takes all from the current stream. The last ones stay, for the next. */
  void leave() {
    unread.clear();
    repeats.clear();
  }

  /** Forgets all: the channel is over. */
  void clear() {
    leave();
    last.clear();
  }

  /** Takes the next one for the current stream, or returns null. */
  Event.@Nullable Unwatched poll() {
    Iterator<Event.Unwatched> repeated = repeats.values().iterator();
    if (!repeated.hasNext()) {
      return unread.poll();
    }
    Event.Unwatched end = repeated.next();
    repeated.remove();
    return end;
  }
}
