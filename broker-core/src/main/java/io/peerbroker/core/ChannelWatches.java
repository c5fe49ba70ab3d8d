package io.peerbroker.core;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The lists that a channel's stream carries beside its messages, each under a name of the client's
 * choice.
 *
 * <p>A list lives as long as its channel, unless it ends before, and holds a permit for all that
 * time: its name and filter are heap. While the channel waits for its reader, its lists end if
 * others need their permits. While a stream is attached, each list has a watch, whose transport is
 * here: what wakes the watch wakes the stream, and the stream polls the watches in turns. A watch
 * ends with its stream, and the next stream begins a new one. So a client that comes back receives
 * its lists anew, as far as its rights go by then.
 *
 * <p>Safe for use by many threads. Under the lock only that of {@link WaitingChannels} is taken:
 * watches, policies and the stream are called outside it.
 */
final class ChannelWatches implements WaitingChannels.Waiter {

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

    /** Whether a repeated request was told that there is this list. Guarded by the same lock. */
    boolean isAskedAgain;

    Named(String name, ParsedFilter filter, Permits.Permit permit) {
      this.name = name;
      this.filter = filter;
      this.permit = permit;
    }
  }

  /** Where the stream's next event may come from. */
  interface Source {

    /** Returns the next event, or null; called by the stream's poller. */
    @Nullable Envelope poll();

    /** Returns how many steps without an event that poll has taken. */
    default int silent() {
      return 0;
    }
  }

  /** A list on one stream, as the transport of its watch. */
  private final class Carried implements Transport, Source {
    final Named list;
    final AbstractAttachment watch;

    /**
     * Whether it may have an event. Cleared before the watch is polled, and set before the stream
     * is woken, so no event is overlooked.
     */
    volatile boolean isDue = true;

    /**
     * The stream's last poll that has asked this list. Guarded by the lock of the channel's lists.
     */
    long askedIn;

    Carried(Named list, AbstractAttachment watch) {
      this.list = list;
      this.watch = watch;
    }

    @Override
    public void ready() {
      isDue = true;
      areDue = true;
      wake();
    }

    @Override
    public @Nullable Envelope poll() {
      isDue = false;
      Envelope shared = watch.poll();
      if (shared == null) {
        return null;
      }
      isDue = true;
      areDue = true;
      return new Envelope(new Event.Watched(list.name, shared));
    }

    @Override
    public int silent() {
      return watch.silent();
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

  private final int max;
  private final OpenStreams streams;

  /** Returns the channel's current stream. */
  private final Supplier<@Nullable AbstractAttachment> current;

  /** Counts and reports a refusal that is not the viewer's, and returns it. */
  private final UnaryOperator<RefusedException> reported;

  /** The lists by their names. */
  @GuardedBy("this")
  private final Map<String, Named> lists = new LinkedHashMap<>();

  /** The stream that the lists are on; null if there is none. */
  @GuardedBy("this")
  private @Nullable AbstractAttachment stream;

  /** The lists that have a watch on that stream. */
  @GuardedBy("this")
  private final List<Carried> carried = new ArrayList<>();

  /** Which of them the stream asks first. */
  @GuardedBy("this")
  private int first;

  /**
   * Whether the stream may find something here; if not, it takes no lock. Cleared with the lock
   * held before it is looked, and set after what there is to find has been entered.
   */
  private volatile boolean areDue;

  @GuardedBy("this")
  private final ListEnds ends;

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
    ends = new ListEnds(isResumable ? max : 0);
    this.reported = reported;
  }

  /**
   * Begins a list, unless there is one with this name and this filter. While the channel waits for
   * its reader, others' lists do not give way to it.
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
    Added added;
    try {
      added = add(name, filter);
    } catch (RefusedException refused) {
      throw reported.apply(refused);
    }
    if (added == null || added.on == null) {
      return;
    }
    boolean begun = false;
    try {
      begin(added.list, added.on, admitted);
      begun = true;
    } finally {
      if (!begun) {
        forget(added.list);
      }
    }
  }

  /**
   * A new list.
   *
   * @param on the stream that it begins on, or null if there is none; a stream that comes later
   *     finds the list
   */
  private record Added(Named list, @Nullable AbstractAttachment on) {}

  /** Adds a list; returns null if there is one with this name and this filter. */
  private @Nullable Added add(String name, ParsedFilter filter) {
    checkRoom();
    // Nobody's lists end for those of a client that is away.
    Permits.Permit permit =
        current.get() == null ? streams.takeFree(streams.watches) : streams.take(streams.watches);
    boolean added = false;
    try {
      Named list = new Named(name, filter, permit);
      synchronized (this) {
        if (isWatched(name, filter)) {
          return null;
        }
        checkRoom();
        AbstractAttachment on = current.get();
        if (stream == null && on != null) {
          // The first list, or the stream that has just become the current one is yet to be noted.
          moveTo(on);
        } else if (stream == null) {
          streams.waitingWithLists.add(this);
        }
        Added result = new Added(list, stream);
        // Last, since all this may fail without memory.
        lists.put(name, list);
        added = true;
        // Polled from now on, a repeated end would pass for that of the new list.
        ends.forget(name);
        return result;
      }
    } finally {
      if (!added) {
        permit.release();
      }
    }
  }

  /** Returns whether there is such a list; refuses if its filter is another one. */
  private synchronized boolean isWatched(String name, ParsedFilter filter) {
    if (closed) {
      throw new RefusedException(Refusals.unknownChannel());
    }
    Named list = lists.get(name);
    if (list == null) {
      return false;
    }
    if (!list.filter.equals(filter)) {
      throw new RefusedException(Refusals.watchedOtherwise(name));
    }
    list.isAskedAgain = true;
    return true;
  }

  private synchronized void checkRoom() {
    if (lists.size() >= max) {
      throw new RefusedException(Refusals.tooManyWatches(max));
    }
    if (lists.size() + ends.unread() >= 2 * max) {
      throw new RefusedException(Refusals.unwatchedUnread(ends.unread()));
    }
  }

  /** Ends a list for its client; does nothing if there is none. */
  void unwatch(String name) {
    Carried watch = null;
    try {
      synchronized (this) {
        Named list = lists.get(name);
        if (list == null) {
          // Its client no longer needs to learn of the end of an earlier list of this name.
          ends.forget(name);
          return;
        }
        watch = remove(list);
        addEnd(name, CloseReason.CLOSED);
      }
    } finally {
      detach(watch, CloseReason.CLOSED);
    }
    wake();
  }

  /** Begins the watch of a list on a stream, unless one of them has ended by then. */
  private void begin(Named list, AbstractAttachment on, Admitted admitted) {
    admitted.begin(
        watch -> {
          // The broker's own end: the number of its silent steps is not a part of the interface.
          Carried begun = new Carried(list, (AbstractAttachment) watch);
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
    carried.add(begun);
    begun.list.carried = begun;
    areDue = true;
    return true;
  }

  /**
   * Takes a list out, frees its place, and returns its watch if it has one. Allocates nothing: what
   * has ended leaves nothing behind, even without memory.
   */
  @GuardedBy("this")
  private @Nullable Carried remove(Named list) {
    lists.remove(list.name);
    list.permit.release();
    Carried watch = list.carried;
    list.carried = null;
    if (watch != null) {
      carried.remove(watch);
    }
    return watch;
  }

  /** Makes a stream the one that the lists are on; returns the watches on the one before. */
  @GuardedBy("this")
  private List<Carried> moveTo(AbstractAttachment opened) {
    List<Carried> before = leaveAll();
    streams.waitingWithLists.remove(this);
    stream = opened;
    ends.repeat();
    areDue = true;
    return before;
  }

  /** Takes everything from the stream; returns the watches. */
  @GuardedBy("this")
  private List<Carried> leaveAll() {
    List<Carried> left = List.copyOf(carried);
    stream = null;
    carried.clear();
    for (Carried each : left) {
      each.list.carried = null;
    }
    ends.leave();
    return left;
  }

  /** Notes that a watch has ended by itself: its list ends. */
  private void ended(Carried watch, CloseReason reason) {
    Named list = watch.list;
    synchronized (this) {
      if (list.carried != watch) {
        return;
      }
      remove(list);
      // A broker that shuts down ends the channel next, and its lists without a word.
      if (reason != CloseReason.SHUTTING_DOWN) {
        addEnd(list.name, reason);
      }
    }
    wake();
  }

  /**
   * Ends a list that could not be begun on a stream, of which its client must be notified.
   *
   * @param isAdmitted whether the policy has permitted it; then it stays if another thread has
   *     begun it on this stream
   */
  private void end(Named list, AbstractAttachment on, boolean isAdmitted) {
    CloseReason reason = isAdmitted ? CloseReason.OVERFLOW : CloseReason.SCOPE_CHANGED;
    Carried watch = null;
    try {
      synchronized (this) {
        boolean isBegun = isAdmitted && list.carried != null;
        if (stream != on || lists.get(list.name) != list || isBegun) {
          return;
        }
        watch = remove(list);
        addEnd(list.name, reason);
      }
    } finally {
      detach(watch, reason);
    }
    wake();
  }

  /**
   * Ends a list that could not be begun for the request that asked for it. The client is notified
   * of the end if it may know of the list by now: a repetition of this request has been told that
   * there is the list, or another stream has begun it.
   */
  private void forget(Named list) {
    Carried watch = null;
    try {
      synchronized (this) {
        if (lists.get(list.name) != list) {
          return;
        }
        watch = remove(list);
        if (list.isAskedAgain || watch != null) {
          addEnd(list.name, CloseReason.OVERFLOW);
        }
      }
    } finally {
      detach(watch, CloseReason.GONE);
    }
    wake();
  }

  private static void detach(@Nullable Carried watch, CloseReason reason) {
    if (watch != null) {
      watch.watch.detach(reason);
    }
  }

  @GuardedBy("this")
  private void addEnd(String name, CloseReason reason) {
    ends.add(new Event.Unwatched(name, reason), stream != null);
    areDue = true;
  }

  /**
   * Returns what a stream polls when it is the lists' turn, or null if there is nothing: an end, or
   * the next list that may have an event. One step finds both, so a list that takes the name of one
   * that has ended is not polled before that end.
   *
   * @param poll the number of the stream's poll; each list is returned to it once at most
   */
  @Nullable Source next(AbstractAttachment by, long poll) {
    return areDue ? find(by, poll) : null;
  }

  private synchronized @Nullable Source find(AbstractAttachment by, long poll) {
    if (stream != by) {
      return null;
    }
    Event.Unwatched end = ends.poll();
    if (end != null) {
      return () -> new Envelope(end);
    }
    areDue = false;
    for (int i = 0; i < carried.size(); i++) {
      int which = (first + i) % carried.size();
      Carried list = carried.get(which);
      if (list.isDue) {
        areDue = true;
        if (list.askedIn != poll) {
          list.askedIn = poll;
          first = which + 1;
          return list;
        }
      }
    }
    return null;
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
    List<Carried> before;
    synchronized (this) {
      // If it is no longer the current one, another thread has more recent news.
      if (closed || current.get() != opened) {
        return;
      }
      // A list that was asked for meanwhile may be on it.
      before = stream == opened ? List.of() : moveTo(opened);
      all = new ArrayList<>(lists.values());
      all.removeIf(list -> list.carried != null);
    }
    detachAll(before, CloseReason.GONE);
    wake();
    for (Named list : all) {
      if (!isOn(opened)) {
        // The policy is not asked about a caller that has gone, however often one comes back.
        return;
      }
      beginAgain(list, opened, viewer);
    }
  }

  /** Begins a list on a stream, or ends it. */
  private void beginAgain(Named list, AbstractAttachment on, Viewer viewer) {
    boolean isAdmitted = false;
    try {
      Admitted admitted = viewer.admit(list.filter);
      isAdmitted = true;
      begin(list, on, admitted);
    } catch (RefusedException refused) {
      if (refused.refusal().code() != Refusal.Code.SHUTTING_DOWN) {
        end(list, on, isAdmitted);
      }
    } catch (Throwable failed) {
      // The policy's failures are refusals. The others must not end the stream.
      ForeignCalls.log("A list could not be begun again; it ends", failed);
      end(list, on, isAdmitted);
    }
  }

  private synchronized boolean isOn(AbstractAttachment opened) {
    return stream == opened;
  }

  /** Ends the watches on a stream that is over. The lists wait for the next one. */
  void detached(AbstractAttachment gone) {
    List<Carried> before = List.of();
    synchronized (this) {
      if (stream == gone) {
        before = leaveAll();
      }
      // Also if the lists have never been on that stream: while it was the current one, they did
      // not give way.
      if (!closed && stream == null && current.get() == null && !lists.isEmpty()) {
        streams.waitingWithLists.add(this);
      }
    }
    detachAll(before, CloseReason.GONE);
  }

  /**
   * Ends all lists, if the channel still waits for its reader, to free their permits. Its client is
   * notified when it comes back.
   */
  @Override
  public synchronized void giveWay() {
    // A stream may have come that is yet to be noted.
    if (stream == null && current.get() == null) {
      while (!lists.isEmpty()) {
        Named list = lists.values().iterator().next();
        // First, since it may fail: then the list stays, and gives way another time.
        addEnd(list.name, CloseReason.OVERFLOW);
        remove(list);
      }
    }
    streams.waitingWithLists.remove(this);
  }

  /** Ends all lists of a channel that leaves its broker, and returns what begins them elsewhere. */
  ChannelState.Lists takeOut() {
    ChannelState.Lists taken;
    synchronized (this) {
      List<ChannelState.OpenList> open = new ArrayList<>(lists.size());
      for (Named list : lists.values()) {
        open.add(new ChannelState.OpenList(list.name, list.filter));
      }
      taken = new ChannelState.Lists(open, ends.last());
      // In this step: what is asked for from now on would be in neither place.
      closed = true;
    }
    close(CloseReason.SUPERSEDED);
    return taken;
  }

  /**
   * Adds the lists of a channel that comes from another broker, to begin on its next stream. One
   * for which no permit is free ends, and its client is notified.
   */
  synchronized void restore(ChannelState.Lists from) {
    for (Event.Unwatched end : from.ended()) {
      ends.add(end, /* hasStream= */ false);
    }
    for (ChannelState.OpenList each : from.open()) {
      Permits.Permit permit = streams.watches.take();
      if (permit == null) {
        addEnd(each.name(), CloseReason.OVERFLOW);
      } else {
        lists.put(each.name(), new Named(each.name(), each.filter(), permit));
      }
    }
    if (!lists.isEmpty() && current.get() == null) {
      streams.waitingWithLists.add(this);
    }
  }

  /** Ends all lists with their channel. */
  void close(CloseReason reason) {
    List<Carried> before = List.of();
    try {
      synchronized (this) {
        closed = true;
        streams.waitingWithLists.remove(this);
        lists.values().forEach(list -> list.permit.release());
        lists.clear();
        ends.clear();
        before = leaveAll();
      }
    } finally {
      detachAll(before, reason);
    }
  }

  private static void detachAll(List<Carried> watches, CloseReason reason) {
    for (Carried each : watches) {
      try {
        each.watch.detach(reason);
      } catch (Throwable failed) {
        // Errors too: the others must end.
        ForeignCalls.log("A list could not be ended on its stream", failed);
      }
    }
  }
}
