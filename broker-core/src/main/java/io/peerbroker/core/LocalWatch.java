package io.peerbroker.core;

import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The broker's end of one watch: a snapshot that is pulled as the reader reads, and a place in the
 * log of the changes meanwhile.
 *
 * <p>The snapshot is a walk over the listed sessions in order of creation, from the first to the
 * last that was there when the watch began (the horizon). A change to a session that the walk has
 * yet to come to is passed over: the walk will find the session as it is then. Since a change is
 * made and fed in one write-locked step, and the walk goes on in read-locked ones, which mark the
 * feed's end, what the walk has found is how things were at the mark: changes before it to those
 * sessions are passed over too, and the next step waits until the mark is reached. So no change is
 * told twice or lost, nothing is removed that was not added, the replay always ends in the truth,
 * and a walk gets on however much changes.
 *
 * <p>Where the application has a say in which sessions may be seen, its answers may change at any
 * time; so the stream remembers the numbers of the sessions that its reader has been told, a bit
 * for each. A change then only says which session to look at: it is asked about as it is now, and
 * told where that differs from what the reader holds. When it is to ask again it walks again.
 *
 * <p>What a stream whose reader stalls keeps is its place, and what the walk is ahead: at most
 * {@link #AHEAD_BYTES}.
 */
final class LocalWatch extends AbstractAttachment implements Watch {

  /** How much the walk may be ahead of the reader, besides the session that it has come to. */
  static final int AHEAD_BYTES = 4 << 10;

  /** After so many sessions of which nothing is told, others have their turn. */
  private static final int MAX_SILENT = 1_000;

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

  /** What may be seen; null for all that passes the filter. */
  private volatile @Nullable Visibility visibility;

  /** Asks anew what may be seen; null where all may be seen for as long as the watch lives. */
  private volatile @Nullable Runnable recheck;

  private volatile boolean recheckDue;
  private final AtomicBoolean wakeDue = new AtomicBoolean();

  // Written with the directory write-locked; the slot is the group's.
  private volatile WatchIndex.@Nullable Group group;
  private int slot;
  private volatile ChangeLog.@Nullable Cursor cursor;

  // The poller's own; the horizon is set before there is one.
  private long horizon;
  private long walked;

  /** The last session whose state the reader knows as it was at the cursor. */
  private long covered;

  private boolean walking = true;
  private boolean ready;

  /** What the walk has found and the reader has not been told. */
  private final Queue<Directory.Found> found = new ArrayDeque<>(0);

  /** How many the reader holds. */
  private int held;

  /** What the reader holds, where that does not follow from the filter. */
  private final @Nullable Postings told;

  /** How much that takes, as far as it is counted. */
  private long rememberedBytes;

  private boolean changeNext = true;

  /** What is reserved for what the reader holds; {@link #OVER} when the stream is. */
  private final AtomicLong reserved = new AtomicLong();

  /**
   * @param visible says of a session that passes the filter whether the reader may see it; called
   *     by the poller; null where all may be seen
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
    told = visible == null ? null : new Postings();
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

  /** Sets out, with the directory write-locked. */
  void begin(long lastCreated) {
    horizon = lastCreated;
  }

  /** Belongs to a group from now on, with the directory write-locked. */
  void join(WatchIndex.Group joined, int place, ChangeLog.Cursor opened) {
    group = joined;
    slot = place;
    cursor = opened;
  }

  /** Belongs to none any more, with the directory write-locked. */
  void leave() {
    group = null;
  }

  /** Gives its place in the log back. Outside the directory's lock. */
  void giveUpPlace() {
    ChangeLog.Cursor place = cursor;
    if (place != null) {
      // A place leads to its log and on to all that comes in the feed later: whoever keeps a watch
      // that has ended would keep that too. None is given to it any more.
      cursor = null;
      place.close();
    }
  }

  /** Whether it looks at sessions as they are now, and not as they were at its place in the log. */
  boolean looksAhead() {
    return told != null;
  }

  WatchIndex.@Nullable Group group() {
    return group;
  }

  /** Where in its group it stands. */
  int slot() {
    return slot;
  }

  void moveTo(int place) {
    slot = place;
  }

  /** Sets what asks anew what may be seen, when the application wants it. */
  void setRecheck(Runnable asking) {
    recheck = asking;
  }

  /** Asks anew what may be seen, on the caller's thread. */
  void recheck() {
    Runnable asking = recheck;
    if (asking != null) {
      asking.run();
    }
  }

  /**
   * Has all that the reader holds, and all that it could hold, seen through again, on a thread of
   * the broker. For a watch that was begun with such a say.
   */
  void recheck(Predicate<? super ListedSession> visible) {
    visibility = new Visibility(visible);
    recheckDue = true;
    wakeLater();
  }

  private void wakeLater() {
    if (!wakeDue.getAndSet(true)) {
      parts.directory.wakes.later(this::wakeNow);
    }
  }

  /** Wakes the reader, on a thread of the broker. */
  private void wakeNow() {
    wakeDue.set(false);
    wake();
  }

  /** Wakes the reader for what has changed, or tells it that it has not kept up. Outside locks. */
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
    for (int silent = 0; place != null && !isEnding(); silent++) {
      if (silent >= MAX_SILENT) {
        // Nothing for so long: this thread has others to see to.
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
        walked = 0;
        horizon = parts.directory.lastCreated();
      } else {
        SessionChange change = place.next();
        if (!place.tookBeforeMark()) {
          covered = walked;
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

  /**
   * Whether changes come before the walk goes on: those up to the mark of its last step. Where each
   * session is looked at as it is now there is no mark, and they take turns.
   */
  private boolean isChangeNext(ChangeLog.Cursor place) {
    changeNext = !changeNext;
    return told == null ? place.isBeforeMark() : changeNext;
  }

  /** Finds more for the reader; when there is no more, and that is the first time, says so. */
  private @Nullable Envelope walkOn(ChangeLog.Cursor place) {
    covered = walked;
    walking = walked < horizon;
    if (walking) {
      walked = parts.directory.walk(filter, walked, horizon, found, told == null ? place : null);
    } else if (!ready) {
      ready = true;
      return new Envelope(new Event.Ready(held));
    }
    return null;
  }

  /** What the reader is to be told of a session that a walk has found, if anything. */
  private @Nullable Envelope tell(Directory.Found next) {
    if (told != null) {
      return tellAsItIs(next.session(), null);
    }
    held++;
    return Envelope.added(next.shown(), next.size());
  }

  /** What the reader is to be told of a change, if anything. */
  private @Nullable Envelope tell(SessionChange change) {
    SessionRef session = change.session();
    if (session.number > covered && session.number <= horizon) {
      return null;
    }
    boolean holds = passes(change.before());
    boolean held = passes(change.after());
    if (holds && held && !session.isShownBy(change.now())) {
      // It has changed again, or closed: that is told in its turn, and this no more.
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
   * What the reader is to be told of a session as it is now, if anything.
   *
   * @param change what a change has made of it, which all who may see it can share; null for none
   */
  private @Nullable Envelope tellAsItIs(SessionRef ref, @Nullable Envelope change) {
    SessionState state = ref.state();
    if (state != null) {
      ListedSession shown = ref.show(state);
      if (state.listed() && filter.matches(state.tags()) && mayBeSeen(shown)) {
        boolean isNew = hold(ref.number);
        if (change == null) {
          return isNew ? Envelope.added(shown, state.shownSize()) : null;
        }
        return change.event() instanceof Event.Added added && added.session().equals(shown)
            ? change
            : Envelope.added(shown, state.shownSize());
      }
    }
    return letGo(ref.number) ? Envelope.removed(ref.id) : null;
  }

  private boolean mayBeSeen(ListedSession session) {
    Visibility now = visibility;
    return now == null || now.shows(session);
  }

  /** Notes that the reader has been told of a session; false if it knew. */
  private boolean hold(long number) {
    if (told == null || told.contains(number)) {
      return false;
    }
    told.add(number);
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

  /** Notes that the reader holds a session no more; false if it did not. */
  private boolean letGo(long number) {
    if (told == null || !told.contains(number)) {
      return false;
    }
    told.remove(number);
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
   * Nothing to do: a snapshot does not count against the bounds, and a change only until it is
   * polled.
   */
  @Override
  public void consumed(int events) {}

  @Override
  void detached(CloseReason reason) {
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
