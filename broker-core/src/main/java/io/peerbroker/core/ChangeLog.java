package io.peerbroker.core;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What has changed for the watches with equal filters: one log for all of them, in which each has a
 * place of its own.
 *
 * <p>A change costs the same however many lists there are: it is folded in once, and what waits for
 * a list is what stands behind its place. The log takes what its filter passes from the feed of its
 * tag whenever it is used; nobody puts anything in. It is a chain of segments:
 *
 * <pre>
 *   [ frozen, being read ] -> [ read by the quick, waits for the slow ] -> [ tail, open ]
 * </pre>
 *
 * <p>Within a segment the changes of one session are folded into one, which says how the session
 * was before the segment and how it is after it; one that comes to nothing is taken out, unless a
 * reader looks at sessions as they are now and so may have told what has come before its place has
 * reached it. The first reader of the tail freezes it and opens another. A place is always at a
 * segment's beginning or inside one that is frozen, so what a reader knows is always how things
 * were at its place, and a removal is told to those who have been told the addition. When no reader
 * is left at the boundary of two segments, they are folded into one: for a reader who stalls, what
 * waits grows with the sessions that change and not with their changes.
 *
 * <p>A list falls off when more waits than the bounds permit. Only segments whose readers were
 * woken in an earlier round are dropped, so that one large change, as the close of a channel with
 * many sessions, ends nobody who reads at once.
 *
 * <p>What has to be in step with the directory (a place is opened, an end is marked) is left as a
 * note beside the place in the feed, without a lock, while the directory is locked and the feed so
 * stands still. Who next brings the log up to that place does it there, before any later change. So
 * the lock here is never taken, nor waited for, while the directory is locked.
 */
final class ChangeLog {

  /** About what a change takes here besides its envelope and the tags before it. */
  static final int CHANGE_BYTES = 96;

  /** About what a tag takes besides two bytes for each of its UTF-16 code units. */
  private static final int TAG_BYTES = 48;

  /**
   * What happened to a session: once in a feed, folded in a segment. It does not keep a session
   * that has closed.
   *
   * @param before its tags before it, or null where it was not listed or the log's filter did not
   *     pass it then
   * @param after its tags after it, or null where it is not listed or the filter does not pass it
   * @param now the session as it is after it, or its removal
   * @param bytes about what it takes besides its envelope
   */
  record Change(
      LocalSession.Ref session,
      @Nullable List<String> before,
      @Nullable List<String> after,
      Envelope now,
      int bytes) {

    Change(
        LocalSession.Ref session,
        @Nullable List<String> before,
        @Nullable List<String> after,
        Envelope now) {
      // The tags after it are those that the envelope shows.
      this(session, before, after, now, CHANGE_BYTES + (before == after ? 0 : bytesOf(before)));
    }

    private static int bytesOf(@Nullable List<String> tags) {
      int bytes = 0;
      if (tags != null) {
        for (String tag : tags) {
          bytes += TAG_BYTES + 2 * tag.length();
        }
      }
      return bytes;
    }

    int size() {
      return bytes + now.size();
    }
  }

  /** Some changes that follow each other. */
  private final class Segment {

    /** The changes while they can be folded; null when frozen. */
    @Nullable Map<LocalSession.Ref, Change> open = new LinkedHashMap<>(4);

    /** The changes when they are being read; null when open. */
    Change @Nullable [] frozen;

    int events;
    long bytes;

    /** In which round its readers are woken. */
    long round;

    /** How many places are at its beginning, and how many further inside. */
    int atStart;

    int inside;

    /** How many readers need its beginning to stay a boundary. */
    int marks;

    /** Whether it was dropped: who is here has fallen off. */
    boolean dropped;

    @Nullable Segment previous;
    @Nullable Segment next;

    boolean isUnused() {
      return atStart == 0 && inside == 0 && marks == 0;
    }

    Change[] freeze() {
      Change[] changes = frozen;
      if (changes == null) {
        changes = open == null ? new Change[0] : open.values().toArray(new Change[0]);
        frozen = changes;
        open = null;
      }
      return changes;
    }

    Map<LocalSession.Ref, Change> thaw() {
      Map<LocalSession.Ref, Change> changes = open;
      if (changes == null) {
        changes = new LinkedHashMap<>();
        if (frozen != null) {
          for (Change change : frozen) {
            changes.put(change.session, change);
          }
        }
        open = changes;
        frozen = null;
      }
      return changes;
    }

    void fold(Change change) {
      Map<LocalSession.Ref, Change> changes = thaw();
      Change earlier = changes.get(change.session);
      if (earlier == null) {
        changes.put(change.session, change);
        count(1, change.size());
        budget.hold(change);
        return;
      }
      budget.letGo(earlier);
      if (earlier.before == null && change.after == null && ahead == 0) {
        changes.remove(change.session);
        count(-1, -earlier.size());
        return;
      }
      Change folded = new Change(change.session, earlier.before, change.after, change.now);
      changes.put(change.session, folded);
      count(0, folded.size() - earlier.size());
      budget.hold(folded);
    }

    private void count(int moreEvents, long moreBytes) {
      events += moreEvents;
      bytes += moreBytes;
      allEvents += moreEvents;
      allBytes += moreBytes;
    }

    /** Lets go of what is in it. */
    void clear() {
      for (Change change : freeze()) {
        budget.letGo(change);
      }
      count(-events, -bytes);
      frozen = new Change[0];
    }
  }

  /** What is to be done when the log has come to a place of the feed, and not a change later. */
  private record Note(ChangeFeed.Place place, Runnable todo) {}

  /** A list's place in the log. Used by the list's poller; closed by any thread. */
  final class Cursor {

    private Segment at = nowhere;
    private int taken;
    private @Nullable Segment mark;
    private final boolean looksAhead;
    private boolean opened;
    private boolean closed;

    /** Whether the change that was taken last is before the mark. */
    private boolean tookBeforeMark;

    private Cursor(boolean looksAhead) {
      this.looksAhead = looksAhead;
    }

    private void open() {
      if (!closed) {
        opened = true;
        at = tail;
        at.atStart++;
        ahead += looksAhead ? 1 : 0;
      }
    }

    /** Takes the next change; null if there is none now, or the place has fallen off. */
    @Nullable Change next() {
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
        Change change = segment.freeze()[taken++];
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

    /** Passes by what has come to nothing, and gives the segment that is next. */
    private Segment settle() {
      while (!closed && at.events == 0 && at != tail && !at.dropped) {
        Segment empty = at;
        empty.atStart--;
        enter(empty.next);
        tidy(empty);
      }
      return at;
    }

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
     * Marks the end of what has happened until now: changes up to here are not folded with later
     * ones. With the directory read-locked, so that there is none meanwhile. Takes no lock. One
     * mark at a time.
     */
    void mark() {
      notes.add(new Note(feed.end(), this::cut));
    }

    private void cut() {
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

    /** Whether the mark is still ahead. */
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

    /** Whether the change that {@link #next} has given is one before the mark. */
    boolean tookBeforeMark() {
      return tookBeforeMark;
    }

    /** Whether what follows has been dropped. */
    boolean hasFallen() {
      lock.lock();
      try {
        return at.dropped;
      } finally {
        lock.unlock();
      }
    }

    /** Gives the place back. May be called again. */
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
        // What it has noted is done with: else it would stay until somebody uses the log.
        catchUpLocked();
      } finally {
        lock.unlock();
      }
    }

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
  private final TagFilter filter;
  private final ChangeFeed feed;

  /** In the order of their places; written while the directory is locked, taken under the lock. */
  private final Queue<Note> notes = new ConcurrentLinkedQueue<>();

  private final ReentrantLock lock = new ReentrantLock();

  // Guarded by the lock.
  private Segment head;
  private Segment tail;

  /** Where a place is until the log has come to where it was opened. */
  private final Segment nowhere = new Segment();

  /** How far the feed has been taken in. */
  private ChangeFeed.Place reached;

  /** Whether something has been taken in that nobody has been woken for. */
  private boolean news;

  private boolean closed;

  // What all segments have.
  private int allEvents;
  private long allBytes;
  private long round;

  /** How many readers look at sessions as they are now, whatever the log has yet to say of them. */
  private int ahead;

  /**
   * A log of what happens from now on, with the directory write-locked.
   *
   * @param filter what of the feed is taken in
   */
  ChangeLog(Limits limits, ChangeBudget budget, TagFilter filter, ChangeFeed feed) {
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
   * Opens a place at the end, for a list that begins, with the directory write-locked.
   *
   * @param looksAhead whether it looks at sessions as they are now, and so may know of changes that
   *     its place has not reached
   */
  Cursor open(boolean looksAhead) {
    Cursor cursor = new Cursor(looksAhead);
    notes.add(new Note(feed.end(), cursor::open));
    return cursor;
  }

  /**
   * Takes in what has come in the feed.
   *
   * @return how many changes were looked at
   */
  int catchUp() {
    lock.lock();
    try {
      return catchUpLocked();
    } finally {
      lock.unlock();
    }
  }

  private int catchUpLocked() {
    int looked = 0;
    while (true) {
      // In this order: what is noted here was noted before the next change was made.
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
      Change change = closed ? null : next.seenBy(filter);
      if (change != null) {
        tail.fold(change);
        news = true;
      }
    }
  }

  /** Whether something was taken in since this was asked last. */
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
   * Begins another round: all who read are woken after it. Who has not come since an earlier one,
   * and has more waiting than the bounds permit, falls off.
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

  /** How many changes are kept. */
  int events() {
    lock.lock();
    try {
      return allEvents;
    } finally {
      lock.unlock();
    }
  }

  /** Lets go of all, when the last list has gone. */
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
   * Closes the tail, and opens another.
   *
   * @param woken the round in which the readers of what is closed are woken
   */
  private void addTail(long woken) {
    Segment next = new Segment();
    next.previous = tail;
    tail.next = next;
    tail.round = woken;
    tail = next;
    tidy(next.previous);
  }

  private void trim() {
    while (head != tail && head.round < round && isOver()) {
      head.dropped = true;
      dropHead();
    }
  }

  /**
   * Whether more waits than may, the tail aside, since nobody has been woken for it. Where all logs
   * together have too much, a fair share is less.
   */
  private boolean isOver() {
    return allEvents - tail.events > maxEvents
        || allBytes - tail.bytes > Math.min(maxBytes, budget.share());
  }

  private void dropHead() {
    Segment dropped = head;
    dropped.clear();
    Segment next = dropped.next;
    if (next != null) {
      next.previous = null;
      head = next;
    }
  }

  /** Lets go of what nobody needs any more, and folds together what nobody holds apart. */
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

  /** Folds a segment that nobody reads into the one before it, of which nobody has read any. */
  private void merge(Segment into, Segment from) {
    for (Change change : from.freeze()) {
      into.fold(change);
    }
    from.clear();
    into.next = from.next;
    if (from.next != null) {
      from.next.previous = into;
    }
  }
}
