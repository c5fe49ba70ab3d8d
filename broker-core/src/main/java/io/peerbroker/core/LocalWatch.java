package io.peerbroker.core;

import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The broker's end of one watch: a snapshot that is pulled as the reader reads, and a cursor in the
 * log of the changes meanwhile.
 *
 * <p>The snapshot is a walk over the listed sessions in order of creation, from the first to the
 * last that was there when the watch began; with the sessions of several nodes, part by part
 * ({@link ListWalk}). A change to a session that the walk has not reached is skipped: the walk will
 * find the session as it is then. A change is made and fed in one write-locked step. The walk
 * advances in read-locked steps, each of which marks the feed's end, so it has found the state at
 * the mark. Changes before the mark to the sessions of that step are skipped too, and the next step
 * waits until the mark is reached. So no change is sent twice or lost, nothing is removed that was
 * not added, the replay always ends in the current list, and a walk advances however much changes.
 *
 * <p>If a predicate of the application decides which sessions may be seen, its results may change
 * at any time. So the watch remembers the sessions that its reader holds, a bit for each. A change
 * then only says which session to examine: the predicate is called for the session as it is now,
 * and an event is sent if the result differs from what the reader holds. A recheck walks again.
 *
 * <p>A watch whose reader stalls retains only its cursor, and what the walk has read ahead: at most
 * {@link #AHEAD_BYTES}.
 */
final class LocalWatch extends AbstractAttachment implements Watch {

  /** How many bytes the walk may read ahead, besides the session that it has reached. */
  static final int AHEAD_BYTES = 4 << 10;

  private static final long OVER = -1;

  /** What a watch needs of its broker. */
  static final class Parts {
    final Limits limits;
    final Directory directory;
    final OpenStreams streams;
    final Counters counters;
    final Listeners listeners;

    Parts(
        Limits limits,
        Directory directory,
        OpenStreams streams,
        Counters counters,
        Listeners listeners) {
      this.limits = limits;
      this.directory = directory;
      this.streams = streams;
      this.counters = counters;
      this.listeners = listeners;
    }
  }

  private final Parts parts;
  private final ParsedFilter filter;
  private final Permits.Permit permit;
  final Lifecycle lifecycle;

  /** The application's predicate; null if everything that passes the filter may be seen. */
  private volatile @Nullable Visibility visibility;

  /** Asks anew what may be seen; null where all may be seen for as long as the watch lives. */
  private volatile @Nullable Runnable recheck;

  private volatile boolean recheckDue;
  private final AtomicBoolean wakeDue = new AtomicBoolean();

  // Written while the directory is write-locked; the slot belongs to the group.
  private volatile WatchIndex.@Nullable Group group;
  private int slot;
  private volatile ChangeLog.@Nullable Cursor cursor;

  // Used only by the poller; the walk begins before there is one.
  private final ListWalk walk;
  private boolean walking = true;
  private boolean ready;

  /** Sessions that the walk has found and that were not sent yet. */
  private final Queue<ListSearch.Found> found = new ArrayDeque<>(0);

  /** How many sessions the reader holds. */
  private int held;

  /**
   * The sessions that the reader holds, if that does not follow from the filter; otherwise null.
   */
  private final @Nullable HeldSessions told;

  /** The bytes of that, as far as they are counted. */
  private long rememberedBytes;

  private boolean changeNext = true;

  /** How many steps without an event the last poll has taken. */
  private int silent;

  /** The bytes reserved for that; {@link #OVER} once the stream is over. */
  private final AtomicLong reserved = new AtomicLong();

  /**
   * @param visible decides whether the reader may see a session that passes the filter; called by
   *     the poller; null if the reader may see all of them
   */
  LocalWatch(
      Parts parts,
      ParsedFilter filter,
      @Nullable Predicate<? super ListedSession> visible,
      Permits.Permit permit) {
    this.parts = parts;
    this.filter = filter;
    this.permit = permit;
    visibility = visible == null ? null : new Visibility(visible);
    ListParts list = parts.directory.list.parts;
    told = visible == null ? null : new HeldSessions(list.own.origin);
    walk = new ListWalk(list);
    lifecycle = new Lifecycle.OfWatch(parts.counters, parts.listeners, this);
  }

  @Override
  public ParsedFilter filter() {
    return filter;
  }

  @Override
  public void close() {
    end(CloseReason.CLOSED);
  }

  /** Begins. Called while the directory is write-locked. */
  void begin() {
    walk.begin();
  }

  /** Joins a group. Called while the directory is write-locked. */
  void join(WatchIndex.Group joined, int place, ChangeLog.Cursor opened) {
    group = joined;
    slot = place;
    cursor = opened;
  }

  /** Leaves its group. Called while the directory is write-locked. */
  void leave() {
    group = null;
  }

  /** Closes its cursor in the log. Called outside the directory's lock. */
  void giveUpPlace() {
    ChangeLog.Cursor place = cursor;
    if (place != null) {
      // A cursor leads to its log and on to everything that the feed appends later, so a reference
      // to an ended watch would retain that too. No cursor is set after this.
      cursor = null;
      place.close();
    }
  }

  /**
   * Returns whether it looks at sessions as they are now, not as they were at its cursor in the
   * log.
   */
  boolean looksAhead() {
    return told != null;
  }

  WatchIndex.@Nullable Group group() {
    return group;
  }

  /** Returns its slot in its group. */
  int slot() {
    return slot;
  }

  void moveTo(int place) {
    slot = place;
  }

  /** Sets what asks anew what may be seen, when the application wants it. */
  void setRecheck(Runnable asking) {
    recheck = asking;
    if (isDetached()) {
      // It has ended meanwhile, perhaps before this was set.
      recheck = null;
    }
  }

  /** Asks anew what may be seen, on the caller's thread. */
  void recheck() {
    Runnable asking = recheck;
    if (asking != null) {
      asking.run();
    }
  }

  /**
   * Replaces the predicate, and examines all sessions that the reader holds or could hold again, on
   * a thread of the broker. Only for a watch that began with a predicate.
   */
  void recheck(Predicate<? super ListedSession> visible) {
    visibility = new Visibility(visible);
    recheckDue = true;
    wakeLater();
  }

  private void wakeLater() {
    parts.directory.wakes.later(this::wake, wakeDue);
  }

  /**
   * Wakes the reader for changes, or ends the watch if it has not kept up. Called outside locks.
   */
  void flush() {
    ChangeLog.Cursor place = cursor;
    if (place != null && place.hasFallen()) {
      end(CloseReason.OVERFLOW);
    } else {
      wake();
    }
  }

  @Override
  public @Nullable Envelope poll() {
    ChangeLog.Cursor place = cursor;
    for (silent = 0; place != null && !isEnding(); silent++) {
      if (silent >= MAX_SILENT) {
        // No event for a long time: other watches need this thread.
        wakeLater();
        return null;
      }
      Envelope envelope = null;
      if (!found.isEmpty()) {
        envelope = tell(found.remove());
      } else if (walking && !isChangeNext(place)) {
        envelope = walkOn(place);
      } else if (recheckDue && !walking) {
        recheckDue = false;
        walking = true;
        walk.begin();
      } else {
        SessionChange change = place.next();
        if (!place.tookBeforeMark()) {
          walk.caughtUp();
        }
        if (change != null) {
          envelope = told == null ? tell(change) : tellAsItIs(change.session(), change.now());
        } else if (place.hasFallen()) {
          end(CloseReason.OVERFLOW);
        } else if (!walking) {
          return null;
        }
      }
      if (envelope != null) {
        return envelope;
      }
    }
    return null;
  }

  @Override
  int silent() {
    return silent;
  }

  /**
   * Returns whether changes come next, and not the walk: those up to the mark of its last step. If
   * each session is examined as it is now, there is no mark, and walk and changes alternate.
   */
  private boolean isChangeNext(ChangeLog.Cursor place) {
    changeNext = !changeNext;
    return told == null ? place.isBeforeMark() : changeNext;
  }

  /**
   * Finds more sessions for the reader; the first time that there are none left, returns the ready
   * event.
   */
  private @Nullable Envelope walkOn(ChangeLog.Cursor place) {
    walking =
        walk.advance(
            parts.directory.search, filter, AHEAD_BYTES, found, told == null ? place : null);
    if (!walking && !ready) {
      ready = true;
      return new Envelope(new Event.Ready(held));
    }
    return null;
  }

  /** Returns the event for a session that a walk has found, or null. */
  private @Nullable Envelope tell(ListSearch.Found next) {
    if (told != null) {
      return tellAsItIs(next.session(), null);
    }
    held++;
    return Envelope.added(next.shown(), next.size());
  }

  /** Returns the event for a change, or null. */
  private @Nullable Envelope tell(SessionChange change) {
    SessionRef session = change.session();
    if (walk.willFind(session)) {
      return null;
    }
    boolean holds = passes(change.before());
    boolean held = passes(change.after());
    if (holds && held && !session.isShownBy(change.now())) {
      // It has changed again, or closed: only that later change is sent, in its turn.
      return null;
    }
    this.held += (held ? 1 : 0) - (holds ? 1 : 0);
    if (held || (holds && change.after() == null)) {
      return change.now();
    }
    return holds ? Envelope.removed(session.id) : null;
  }

  private boolean passes(@Nullable List<String> tags) {
    return tags != null && filter.matches(tags);
  }

  /**
   * Returns the event for a session as it is now, or null.
   *
   * @param change the event of a change, which all watches that may see it share; null for none
   */
  private @Nullable Envelope tellAsItIs(SessionRef ref, @Nullable Envelope change) {
    SessionState state = ref.state();
    if (state != null) {
      ListedSession shown = ref.show(state);
      if (state.listed() && filter.matches(state.tags()) && mayBeSeen(shown)) {
        boolean isNew = hold(ref);
        if (change == null) {
          return isNew ? Envelope.added(shown, state.shownSize()) : null;
        }
        return change.event() instanceof Event.Added added && added.session().equals(shown)
            ? change
            : Envelope.added(shown, state.shownSize());
      }
    }
    return letGo(ref) ? Envelope.removed(ref.id) : null;
  }

  private boolean mayBeSeen(ListedSession session) {
    Visibility now = visibility;
    return now == null || now.shows(session);
  }

  /** Notes that the reader holds a session; returns false if it already did. */
  private boolean hold(SessionRef session) {
    if (told == null || !told.add(session)) {
      return false;
    }
    held++;
    long more = told.bytes() - rememberedBytes;
    if (more > 0) {
      rememberedBytes += more;
      if (rememberedBytes > parts.limits.maxRememberedBytes() || !reserve(more)) {
        end(CloseReason.OVERFLOW);
      }
    }
    return true;
  }

  /** Notes that the reader no longer holds a session; returns false if it did not. */
  private boolean letGo(SessionRef session) {
    if (told == null || !told.remove(session)) {
      return false;
    }
    held--;
    return true;
  }

  private boolean reserve(long more) {
    ChangeBudget budget = parts.directory.watchBytes;
    if (!budget.reserve(more)) {
      return false;
    }
    long before = reserved.get();
    while (before != OVER) {
      if (reserved.compareAndSet(before, before + more)) {
        return true;
      }
      before = reserved.get();
    }
    budget.release(more);
    return false;
  }

  /**
   * Does nothing: a snapshot does not count against the bounds, and a change only until it is
   * polled.
   */
  @Override
  public void consumed(int events) {}

  @Override
  void detached(CloseReason reason) {
    // It leads to the caller: code that keeps an ended watch would keep that too.
    recheck = null;
    try {
      parts.directory.remove(this);
      parts.directory.watchBytes.release(Math.max(0, reserved.getAndSet(OVER)));
      lifecycle.closed(reason);
      lifecycle.notifyListeners();
    } finally {
      permit.release();
      parts.streams.remove(this);
    }
  }
}
