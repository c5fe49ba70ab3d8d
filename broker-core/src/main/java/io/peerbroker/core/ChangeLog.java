package io.peerbroker.core;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The changes for all watches with equal filters: one log, in which each watch has a cursor of its
 * own.
 *
 * <p>A change costs the same however many watches there are: it is folded in once, and what waits
 * for a watch is what follows its cursor. Nothing is pushed into the log: whenever it is used, it
 * pulls the changes that its filter passes from the feed of its tag. It is a chain of segments:
 *
 * <pre>
 *   [ frozen, being read ] -> [ read by the quick, waits for the slow ] -> [ tail, open ]
 * </pre>
 *
 * <p>Within a segment the changes of one session are folded into one, which has the session's state
 * before and after the segment. A change that cancels out is removed, unless some reader looks at
 * sessions as they are now: it may have reported an addition that its cursor has not reached. The
 * first reader of the tail freezes it and opens another segment. A cursor is always at the
 * beginning of a segment or inside a frozen one, so a reader always knows the state at its cursor,
 * and a removal is reported to exactly the readers that were given the addition. When no reader is
 * left at the boundary of two segments, they are folded into one. So for a reader that stalls, what
 * waits grows with the number of sessions that change, not with the number of changes.
 *
 * <p>A watch falls off when more waits than the bounds permit. Only segments whose readers were
 * woken in an earlier round are dropped, so that one large change, such as closing a channel with
 * many sessions, never ends a watch that reads promptly.
 *
 * <p>Some operations must happen at an exact point of the feed: opening a cursor, and marking an
 * end. They are left as notes beside the place in the feed, without a lock, while the directory is
 * locked and the feed therefore does not move. The thread that next brings the log up to that place
 * carries them out there, before any later change. So this log's lock is never taken, nor waited
 * for, while the directory is locked.
 */
final class ChangeLog {

  /**
   * A run of consecutive changes. Its fields are guarded by the log's lock. The compiler cannot
   * follow a segment to the lock of its log, so its methods assert it.
   */
  private final class Segment {

    /** The changes while they can be folded; null if frozen. */
    @Nullable Map<SessionRef, SessionChange> open = new LinkedHashMap<>(4);

    /** The changes once they are being read; null if open. */
    SessionChange @Nullable [] frozen;

    int events;
    long bytes;

    /** The round in which its readers are woken. */
    long round;

    /** How many cursors are at its beginning. */
    int atStart;

    /** How many cursors are further inside. */
    int inside;

    /** How many readers need its beginning to stay a boundary. */
    int marks;

    /** Whether it was dropped: a cursor in it has fallen off. */
    boolean dropped;

    @Nullable Segment previous;
    @Nullable Segment next;

    boolean isUnused() {
      return atStart == 0 && inside == 0 && marks == 0;
    }

    SessionChange[] freeze() {
      SessionChange[] changes = frozen;
      if (changes == null) {
        changes = open == null ? new SessionChange[0] : open.values().toArray(new SessionChange[0]);
        frozen = changes;
        open = null;
      }
      return changes;
    }

    Map<SessionRef, SessionChange> thaw() {
      Map<SessionRef, SessionChange> changes = open;
      if (changes == null) {
        changes = new LinkedHashMap<>();
        if (frozen != null) {
          for (SessionChange change : frozen) {
            changes.put(change.session(), change);
          }
        }
        open = changes;
        frozen = null;
      }
      return changes;
    }

    @SuppressWarnings("GuardedBy")
    void fold(SessionChange change) {
      assert lock.isHeldByCurrentThread();
      Map<SessionRef, SessionChange> changes = thaw();
      SessionChange earlier = changes.get(change.session());
      if (earlier == null) {
        changes.put(change.session(), change);
        count(1, change.size());
        budget.hold(change);
        return;
      }
      budget.letGo(earlier);
      if (earlier.before() == null && change.after() == null && ahead == 0) {
        changes.remove(change.session());
        count(-1, -earlier.size());
        return;
      }
      SessionChange folded =
          new SessionChange(change.session(), earlier.before(), change.after(), change.now());
      changes.put(change.session(), folded);
      count(0, folded.size() - earlier.size());
      budget.hold(folded);
    }

    @SuppressWarnings("GuardedBy")
    private void count(int moreEvents, long moreBytes) {
      assert lock.isHeldByCurrentThread();
      events += moreEvents;
      bytes += moreBytes;
      allEvents += moreEvents;
      allBytes += moreBytes;
    }

    /** Frees its changes. */
    void clear() {
      for (SessionChange change : freeze()) {
        budget.letGo(change);
      }
      count(-events, -bytes);
      frozen = new SessionChange[0];
    }
  }

  /** A task to run exactly when the log has reached a place in the feed. */
  private record Note(ChangeFeed.Place place, Runnable todo) {}

  /** A watch's position in the log. Used by the watch's poller; closed by any thread. */
  final class Cursor {

    /** The segment of the next change. */
    @GuardedBy("lock")
    private Segment at = nowhere;

    /** How many of its changes have been taken. */
    @GuardedBy("lock")
    private int taken;

    /** The segment that begins at the mark; null once it has been reached. */
    @GuardedBy("lock")
    private @Nullable Segment mark;

    private final boolean looksAhead;

    /** Whether the log has reached the place at which the cursor was opened. */
    @GuardedBy("lock")
    private boolean opened;

    @GuardedBy("lock")
    private boolean closed;

    /** Whether the change that was taken last is before the mark. Used by the watch's poller. */
    private boolean tookBeforeMark;

    private Cursor(boolean looksAhead) {
      this.looksAhead = looksAhead;
    }

    /** Begins at the end of the log. Run as a note, which the compiler cannot follow. */
    @SuppressWarnings("GuardedBy")
    private void open() {
      assert lock.isHeldByCurrentThread();
      if (!closed) {
        opened = true;
        at = tail;
        at.atStart++;
        ahead += looksAhead ? 1 : 0;
      }
    }

    /** Takes the next change; returns null if there is none now, or the cursor has fallen off. */
    @Nullable SessionChange next() {
      lock.lock();
      try {
        catchUpLocked();
        Segment segment = settle();
        tookBeforeMark = mark != null;
        if (closed || segment.dropped || segment.events == 0) {
          return null;
        }
        if (segment == tail) {
          addTail(round + 1);
        }
        SessionChange change = segment.freeze()[taken++];
        if (taken == 1) {
          segment.atStart--;
          segment.inside++;
        }
        if (taken == segment.events) {
          segment.inside--;
          enter(segment.next);
          tidy(segment);
          trim();
        }
        return change;
      } finally {
        lock.unlock();
      }
    }

    /** Skips segments that have become empty, and returns the next one. */
    @GuardedBy("lock")
    private Segment settle() {
      while (!closed && at.events == 0 && at != tail && !at.dropped) {
        Segment empty = at;
        empty.atStart--;
        enter(empty.next);
        tidy(empty);
      }
      return at;
    }

    @GuardedBy("lock")
    private void enter(@Nullable Segment segment) {
      if (segment == null) {
        throw new IllegalStateException("The log ends before its tail");
      }
      at = segment;
      taken = 0;
      at.atStart++;
      if (at == mark) {
        at.marks--;
        mark = null;
      }
    }

    /**
     * Marks the current end: changes up to here are not folded with later ones. Called while the
     * directory is read-locked, so that none is made meanwhile. Takes no lock. There is one mark at
     * a time.
     */
    void mark() {
      notes.add(new Note(feed.end(), this::cut));
    }

    /** Keeps the end of the log a boundary. Run as a note, which the compiler cannot follow. */
    @SuppressWarnings("GuardedBy")
    private void cut() {
      assert lock.isHeldByCurrentThread();
      if (closed || at.dropped) {
        return;
      }
      if (tail.events > 0) {
        addTail(round + 1);
      }
      if (settle() != tail) {
        mark = tail;
        mark.marks++;
      }
    }

    /** Returns whether the mark is still ahead. */
    boolean isBeforeMark() {
      lock.lock();
      try {
        catchUpLocked();
        settle();
        return mark != null && !at.dropped;
      } finally {
        lock.unlock();
      }
    }

    /** Returns whether the last change from {@link #next} is before the mark. */
    boolean tookBeforeMark() {
      return tookBeforeMark;
    }

    /** Returns whether what follows has been dropped. */
    boolean hasFallen() {
      lock.lock();
      try {
        return at.dropped;
      } finally {
        lock.unlock();
      }
    }

    /** Closes the cursor. May be called again. */
    void close() {
      lock.lock();
      try {
        if (closed) {
          return;
        }
        closed = true;
        if (opened) {
          leave();
        }
        // Clears its notes, which would otherwise stay until the log is used again.
        catchUpLocked();
      } finally {
        lock.unlock();
      }
    }

    @GuardedBy("lock")
    private void leave() {
      ahead -= looksAhead ? 1 : 0;
      if (taken == 0) {
        at.atStart--;
      } else {
        at.inside--;
      }
      if (mark != null) {
        mark.marks--;
        tidy(mark);
        mark = null;
      }
      tidy(at);
    }
  }

  private final int maxEvents;
  private final int maxBytes;
  private final ChangeBudget budget;
  private final ParsedFilter filter;
  private final ChangeFeed feed;

  /**
   * In the order of their places; written while the directory is locked, removed while the lock is
   * held.
   */
  private final Queue<Note> notes = new ConcurrentLinkedQueue<>();

  private final ReentrantLock lock = new ReentrantLock();

  @GuardedBy("lock")
  private Segment head;

  @GuardedBy("lock")
  private Segment tail;

  /** Where a cursor is until the log has reached the place where it was opened. */
  private final Segment nowhere = new Segment();

  /** The place in the feed that has been reached. */
  @GuardedBy("lock")
  private ChangeFeed.Place reached;

  /** Whether a change was added that no watch was woken for. */
  @GuardedBy("lock")
  private boolean news;

  /** Whether the last watch has gone. */
  @GuardedBy("lock")
  private boolean closed;

  /** The changes in all segments. */
  @GuardedBy("lock")
  private int allEvents;

  /** Their bytes. */
  @GuardedBy("lock")
  private long allBytes;

  /** How many rounds have begun. */
  @GuardedBy("lock")
  private long round;

  /** How many readers look at sessions as they are now, ahead of the log. */
  @GuardedBy("lock")
  private int ahead;

  /**
   * Creates a log of the changes from now on. Called while the directory is write-locked.
   *
   * @param filter selects the changes that are taken from the feed
   */
  ChangeLog(Limits limits, ChangeBudget budget, ParsedFilter filter, ChangeFeed feed) {
    maxEvents = limits.maxQueuedEvents();
    maxBytes = limits.maxQueuedBytes();
    this.budget = budget;
    this.filter = filter;
    this.feed = feed;
    reached = feed.end();
    tail = new Segment();
    head = tail;
  }

  /**
   * Opens a cursor at the end, for a watch that begins. Called while the directory is write-locked.
   *
   * @param looksAhead whether the watch looks at sessions as they are now, and so may know of
   *     changes that its cursor has not reached
   */
  Cursor open(boolean looksAhead) {
    Cursor cursor = new Cursor(looksAhead);
    notes.add(new Note(feed.end(), cursor::open));
    return cursor;
  }

  /**
   * Pulls new changes from the feed.
   *
   * @return how many changes were examined
   */
  int catchUp() {
    lock.lock();
    try {
      return catchUpLocked();
    } finally {
      lock.unlock();
    }
  }

  @GuardedBy("lock")
  private int catchUpLocked() {
    int looked = 0;
    while (true) {
      // In this order: the notes for this place were made before the next change.
      ChangeFeed.Place next = reached.next();
      for (Note note = notes.peek(); note != null && note.place == reached; note = notes.peek()) {
        notes.remove();
        note.todo.run();
      }
      if (next == null) {
        return looked;
      }
      reached = next;
      looked++;
      SessionChange change = closed ? null : next.seenBy(filter);
      if (change != null) {
        tail.fold(change);
        news = true;
      }
    }
  }

  /** Returns whether a change was added since the last call. */
  boolean takeNews() {
    lock.lock();
    try {
      boolean had = news;
      news = false;
      return had;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Begins another round, after which all readers are woken. A reader that has not read since an
   * earlier round, and for which more waits than the bounds permit, falls off.
   */
  void beginRound() {
    lock.lock();
    try {
      round++;
      trim();
      if (tail.events > 0) {
        addTail(round);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Returns how many changes are kept. */
  int events() {
    lock.lock();
    try {
      return allEvents;
    } finally {
      lock.unlock();
    }
  }

  /** Frees all changes after the last watch has gone. */
  void close() {
    lock.lock();
    try {
      closed = true;
      for (Segment each = head; each != null; each = each.next) {
        each.clear();
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Closes the tail and opens another.
   *
   * @param woken the round in which the readers of the closed segment are woken
   */
  @GuardedBy("lock")
  private void addTail(long woken) {
    Segment next = new Segment();
    next.previous = tail;
    tail.next = next;
    tail.round = woken;
    tail = next;
    tidy(next.previous);
  }

  @GuardedBy("lock")
  private void trim() {
    while (head != tail && head.round < round && isOver()) {
      head.dropped = true;
      dropHead();
    }
  }

  /**
   * Returns whether more waits than the bounds permit. The tail does not count, since no watch has
   * been woken for it. If all logs together hold too much, the bound is a fair share.
   */
  @GuardedBy("lock")
  private boolean isOver() {
    return allEvents - tail.events > maxEvents
        || allBytes - tail.bytes > Math.min(maxBytes, budget.share());
  }

  @GuardedBy("lock")
  private void dropHead() {
    Segment dropped = head;
    dropped.clear();
    Segment next = dropped.next;
    if (next != null) {
      next.previous = null;
      head = next;
    }
  }

  /**
   * Drops segments that no reader needs any longer, and merges segments that no reader keeps apart.
   */
  @GuardedBy("lock")
  private void tidy(Segment left) {
    Segment segment = left;
    if (segment == tail || segment.dropped) {
      return;
    }
    if (segment.isUnused() && segment != head) {
      Segment previous = segment.previous;
      if (previous != null && previous.inside == 0) {
        merge(previous, segment);
        segment = previous;
      }
    }
    Segment next = segment.next;
    if (segment.inside == 0 && next != null && next != tail && next.isUnused()) {
      merge(segment, next);
    }
    while (head != tail && head.isUnused()) {
      dropHead();
    }
  }

  /**
   * Folds a segment that no cursor is in into the previous one, of which no cursor has read any
   * part.
   */
  @GuardedBy("lock")
  private void merge(Segment into, Segment from) {
    for (SessionChange change : from.freeze()) {
      into.fold(change);
    }
    from.clear();
    into.next = from.next;
    if (from.next != null) {
      from.next.previous = into;
    }
  }
}
