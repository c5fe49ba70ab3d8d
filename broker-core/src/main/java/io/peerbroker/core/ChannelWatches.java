package io.peerbroker.core;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The lists that a channel's stream carries beside its messages, each under a name of the client's
 * choice.
 *
 * <p>A list lives as long as its channel, unless it ends before, and holds a permit for all that
 * time, so a client that comes back always has room for it. While a stream is attached, each list
 * has a watch, whose transport is here: what wakes the watch wakes the stream, and the stream polls
 * the watches in turns. A watch ends with its stream, and the next stream begins a new one. So a
 * client that comes back receives its lists anew, as far as its rights go by then.
 *
 * <p>The end of a list waits here until a stream has polled it. It is kept after that, since a
 * stream that breaks may lose it: a client that comes back is notified again of the last ends.
 *
 * <p>Safe for use by many threads. The lock is a leaf: watches, policies and the stream are called
 * outside it.
 */
final class ChannelWatches {

  /** How a caller's watches are begun. */
  interface Viewer {

    /**
     * Asks what the caller may see.
     *
     * @throws RefusedException if it may not watch
     */
    Admitted admit(ParsedFilter filter);
  }

  /** A watch that the caller may begin. */
  interface Admitted {

    /**
     * Begins it, without a permit of its own.
     *
     * @throws RefusedException if there is no room for what it must remember, or the broker closes
     */
    void begin(Transport.Opener opener);
  }

  /** A list, from the request for it to its end. */
  private static final class Named {
    final String name;
    final ParsedFilter filter;
    final Permits.Permit permit;

    /**
     * Its watch on the current stream, or null if there is none. Guarded by the lock of the
     * channel's lists.
     */
    @Nullable Carried carried;

    Named(String name, ParsedFilter filter, Permits.Permit permit) {
      this.name = name;
      this.filter = filter;
      this.permit = permit;
    }
  }

  /** A list on one stream, as the transport of its watch. */
  private final class Carried implements Transport {
    final Named list;
    final Attachment watch;

    Carried(Named list, Attachment watch) {
      this.list = list;
      this.watch = watch;
    }

    @Override
    public void ready() {
      wake();
    }

    @Override
    public void end(CloseReason reason) {
      try {
        ended(this, reason);
      } finally {
        watch.detach(reason);
      }
    }
  }

  /**
   * The order in which one stream polls: one event of the channel, then one of its lists. Used by
   * the stream's poller only.
   */
  final class Turns {

    /** How many events may be forgotten before their room is used again. */
    private static final int MAX_FORGOTTEN = 1_024;

    private final AbstractAttachment stream;
    private final Outbox outbox;

    /** Which of the polled events are from lists. */
    private BitSet fromLists = new BitSet();

    /** The first event that was not consumed. */
    private int first;

    /** How many events {@link #fromLists} knows, including those before {@link #first}. */
    private int polled;

    private boolean isListsTurn;

    /** Which list is polled first. */
    private int nextList;

    Turns(AbstractAttachment stream, Outbox outbox) {
      this.stream = stream;
      this.outbox = outbox;
      // What was polled before there were lists.
      polled = outbox.polledBy(stream);
    }

    @Nullable Envelope poll() {
      boolean isList = isListsTurn;
      Envelope envelope = isList ? pollLists() : outbox.poll(stream);
      if (envelope == null) {
        isList = !isList;
        envelope = isList ? pollLists() : outbox.poll(stream);
      }
      if (envelope != null) {
        fromLists.set(polled++, isList);
        isListsTurn = !isList;
      }
      return envelope;
    }

    private @Nullable Envelope pollLists() {
      Event.Unwatched ending = pollEnding(stream);
      if (ending != null) {
        return new Envelope(ending);
      }
      Carried[] lists = listsOn(stream);
      for (int i = 0; i < lists.length; i++) {
        int which = (nextList + i) % lists.length;
        Envelope shared = lists[which].watch.poll();
        if (shared != null) {
          nextList = which + 1;
          return new Envelope(new Event.Watched(lists[which].list.name, shared));
        }
      }
      return null;
    }

    /** Notes that the oldest events were consumed; returns how many of them were the channel's. */
    int consumed(int events) {
      int last = Math.min(polled, first + events);
      int lists = fromLists.get(first, last).cardinality();
      first = last;
      if (first == polled) {
        fromLists.clear();
        first = 0;
        polled = 0;
      } else if (first > MAX_FORGOTTEN) {
        fromLists = fromLists.get(first, polled);
        polled -= first;
        first = 0;
      }
      return events - lists;
    }
  }

  private static final Carried[] NONE = {};

  private final int max;
  private final OpenStreams streams;

  /** Returns the channel's current stream. */
  private final Supplier<@Nullable AbstractAttachment> current;

  /** Whether ends are kept for a client that may come back. */
  private final boolean isResumable;

  /** Counts and reports a refusal that is not the viewer's, and returns it. */
  private final UnaryOperator<RefusedException> reported;

  /** The lists by their names. */
  @GuardedBy("this")
  private final Map<String, Named> lists = new LinkedHashMap<>();

  /** The stream that the lists are on; null if there is none. */
  @GuardedBy("this")
  private @Nullable AbstractAttachment stream;

  /** The lists that have a watch on that stream. Replaced, never changed. */
  @GuardedBy("this")
  private Carried[] carried = NONE;

  /** The ends that no stream has polled. */
  @GuardedBy("this")
  private final Queue<Event.Unwatched> endings = new ArrayDeque<>();

  /** The last ends, polled or not, by the names that have not been used again. */
  @GuardedBy("this")
  private final Map<String, Event.Unwatched> lastEndings = new LinkedHashMap<>();

  /**
   * Those of them that the current stream must repeat. A client that uses a name again must not
   * take the repetition for the end of its new list.
   */
  @GuardedBy("this")
  private final Map<String, Event.Unwatched> repeats = new LinkedHashMap<>();

  /** Set once: the channel has closed. */
  @GuardedBy("this")
  private boolean closed;

  /**
   * @param max how many lists there may be
   * @param current returns the channel's current stream, or null; takes no lock
   * @param isResumable whether the channel's client may come back
   * @param reported counts and reports a refusal, and returns it
   */
  ChannelWatches(
      int max,
      OpenStreams streams,
      Supplier<@Nullable AbstractAttachment> current,
      boolean isResumable,
      UnaryOperator<RefusedException> reported) {
    this.max = max;
    this.streams = streams;
    this.current = current;
    this.isResumable = isResumable;
    this.reported = reported;
  }

  /**
   * Begins a list, unless there is one with this name and this filter.
   *
   * @throws RefusedException {@code invalid_request} if there is one with another filter, {@code
   *     too_many_watches}, {@code at_capacity}, {@code unknown_channel} if the channel has closed,
   *     or as the viewer refuses
   */
  void watch(String name, ParsedFilter filter, Viewer viewer) {
    try {
      if (isWatched(name, filter)) {
        return;
      }
    } catch (RefusedException refused) {
      throw reported.apply(refused);
    }
    Admitted admitted = viewer.admit(filter);
    Named list;
    try {
      list = add(name, filter);
    } catch (RefusedException refused) {
      throw reported.apply(refused);
    }
    AbstractAttachment on = currentStream();
    if (list == null || on == null) {
      return;
    }
    boolean begun = false;
    try {
      begin(list, on, admitted);
      begun = true;
    } finally {
      if (!begun) {
        forget(list);
      }
    }
  }

  /** Adds a list; returns null if there is one with this name and this filter. */
  private @Nullable Named add(String name, ParsedFilter filter) {
    checkRoom();
    Permits.Permit permit = streams.take(streams.watches);
    boolean added = false;
    try {
      Named list = new Named(name, filter, permit);
      synchronized (this) {
        if (isWatched(name, filter)) {
          return null;
        }
        checkRoom();
        lists.put(name, list);
        lastEndings.remove(name);
        repeats.remove(name);
      }
      added = true;
      return list;
    } finally {
      if (!added) {
        permit.release();
      }
    }
  }

  /**
   * Returns the stream that a new list begins on, or null if there is none. A stream that comes
   * later finds the list.
   */
  private synchronized @Nullable AbstractAttachment currentStream() {
    if (stream == null && !closed) {
      // The lists are new, or the stream that has just become the current one is yet to be noted.
      stream = current.get();
    }
    return stream;
  }

  /** Returns whether there is such a list; refuses if its filter is another one. */
  private synchronized boolean isWatched(String name, ParsedFilter filter) {
    if (closed) {
      throw new RefusedException(Refusals.unknownChannel());
    }
    Named list = lists.get(name);
    if (list != null && !list.filter.equals(filter)) {
      throw new RefusedException(Refusals.watchedOtherwise(name));
    }
    return list != null;
  }

  private synchronized void checkRoom() {
    if (lists.size() >= max) {
      throw new RefusedException(Refusals.tooManyWatches(max));
    }
    if (endings.size() >= 2 * max) {
      throw new RefusedException(Refusals.unwatchedUnread(endings.size()));
    }
  }

  /** Ends a list for its client; does nothing if there is none. */
  void unwatch(String name) {
    Named list;
    Carried watch;
    synchronized (this) {
      list = lists.remove(name);
      if (list == null) {
        return;
      }
      watch = leave(list);
      addEnding(name, CloseReason.CLOSED);
    }
    finish(list, watch, CloseReason.CLOSED);
    wake();
  }

  /** Begins the watch of a list on a stream, unless one of them has ended by then. */
  private void begin(Named list, AbstractAttachment on, Admitted admitted) {
    admitted.begin(
        watch -> {
          Carried begun = new Carried(list, watch);
          if (!carry(begun, on)) {
            watch.detach(CloseReason.GONE);
          }
          return begun;
        });
  }

  private synchronized boolean carry(Carried begun, AbstractAttachment on) {
    if (stream != on || lists.get(begun.list.name) != begun.list || begun.list.carried != null) {
      return false;
    }
    begun.list.carried = begun;
    Carried[] more = new Carried[carried.length + 1];
    System.arraycopy(carried, 0, more, 0, carried.length);
    more[carried.length] = begun;
    carried = more;
    return true;
  }

  /** Takes a list's watch from the stream; returns it if there was one. */
  @GuardedBy("this")
  private @Nullable Carried leave(Named list) {
    Carried left = list.carried;
    list.carried = null;
    if (left != null) {
      List<Carried> others = new ArrayList<>(List.of(carried));
      others.remove(left);
      carried = others.toArray(NONE);
    }
    return left;
  }

  /** Takes all watches from the stream, and returns them. */
  @GuardedBy("this")
  private Carried[] leaveAll() {
    Carried[] left = carried;
    carried = NONE;
    for (Carried each : left) {
      each.list.carried = null;
    }
    return left;
  }

  /** Notes that a watch has ended by itself: its list ends. */
  private void ended(Carried watch, CloseReason reason) {
    Named list = watch.list;
    synchronized (this) {
      if (list.carried != watch || !lists.remove(list.name, list)) {
        return;
      }
      leave(list);
      // A broker that shuts down ends the channel next, and its lists without a word.
      if (reason != CloseReason.SHUTTING_DOWN) {
        addEnding(list.name, reason);
      }
    }
    list.permit.release();
    wake();
  }

  /** Ends a list that could not be begun on a stream, of which its client must be notified. */
  private void end(Named list, AbstractAttachment on, CloseReason reason) {
    Carried watch;
    synchronized (this) {
      if (stream != on || !lists.remove(list.name, list)) {
        return;
      }
      watch = leave(list);
      addEnding(list.name, reason);
    }
    finish(list, watch, reason);
    wake();
  }

  /** Ends a list that could not be begun for the request that asked for it. */
  private void forget(Named list) {
    Carried watch;
    synchronized (this) {
      if (!lists.remove(list.name, list)) {
        return;
      }
      watch = leave(list);
    }
    finish(list, watch, CloseReason.GONE);
  }

  private static void finish(Named list, @Nullable Carried watch, CloseReason reason) {
    try {
      if (watch != null) {
        watch.watch.detach(reason);
      }
    } finally {
      list.permit.release();
    }
  }

  @GuardedBy("this")
  private void addEnding(String name, CloseReason reason) {
    Event.Unwatched ending = new Event.Unwatched(name, reason);
    endings.add(ending);
    if (isResumable) {
      // Behind the others.
      lastEndings.remove(name);
      lastEndings.put(name, ending);
      if (lastEndings.size() > max) {
        Iterator<String> oldest = lastEndings.keySet().iterator();
        oldest.next();
        oldest.remove();
      }
    }
  }

  private synchronized Event.@Nullable Unwatched pollEnding(AbstractAttachment by) {
    if (stream != by) {
      return null;
    }
    Iterator<Event.Unwatched> repeated = repeats.values().iterator();
    if (repeated.hasNext()) {
      Event.Unwatched first = repeated.next();
      repeated.remove();
      return first;
    }
    return endings.poll();
  }

  private synchronized Carried[] listsOn(AbstractAttachment by) {
    return stream == by ? carried : NONE;
  }

  /** Notifies the current stream that there is something to poll. */
  private void wake() {
    AbstractAttachment reader = current.get();
    if (reader != null) {
      reader.wake();
    }
  }

  /**
   * Begins all lists on a stream that has become the current one. A list that its caller may not
   * see ends.
   *
   * @param viewer that of the caller that has opened the stream
   */
  void attached(AbstractAttachment opened, Viewer viewer) {
    List<Named> all;
    Carried[] before;
    synchronized (this) {
      // If it is no longer the current one, another thread has more recent news.
      if (closed || current.get() != opened) {
        return;
      }
      // A list that was asked for meanwhile may be on it.
      before = stream == opened ? NONE : leaveAll();
      stream = opened;
      endings.clear();
      repeats.clear();
      repeats.putAll(lastEndings);
      all = new ArrayList<>(lists.values());
      all.removeIf(list -> list.carried != null);
    }
    detachAll(before, CloseReason.GONE);
    wake();
    for (Named list : all) {
      try {
        begin(list, opened, viewer.admit(list.filter));
      } catch (RefusedException refused) {
        if (refused.refusal().code() != Refusal.Code.SHUTTING_DOWN) {
          end(list, opened, CloseReason.SCOPE_CHANGED);
        }
      } catch (Throwable failed) {
        // The policy's failures are refusals. The others must not end the stream.
        ForeignCalls.log("A list could not be begun again; it ends", failed);
        end(list, opened, CloseReason.SCOPE_CHANGED);
      }
    }
  }

  /** Ends the watches on a stream that is over. The lists wait for the next one. */
  void detached(AbstractAttachment gone) {
    Carried[] before;
    synchronized (this) {
      if (stream != gone) {
        return;
      }
      stream = null;
      before = leaveAll();
    }
    detachAll(before, CloseReason.GONE);
  }

  /** Ends all lists with their channel. */
  void close(CloseReason reason) {
    Carried[] before;
    List<Named> all;
    synchronized (this) {
      closed = true;
      stream = null;
      before = leaveAll();
      all = List.copyOf(lists.values());
      lists.clear();
      endings.clear();
      lastEndings.clear();
      repeats.clear();
    }
    try {
      detachAll(before, reason);
    } finally {
      all.forEach(list -> list.permit.release());
    }
  }

  private static void detachAll(Carried[] watches, CloseReason reason) {
    for (Carried each : watches) {
      ForeignCalls.runLogged(() -> each.watch.detach(reason));
    }
  }
}
