package io.peerbroker.core;

import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The broker's end of one live list: a snapshot that is pulled as the reader reads, and the changes
 * meanwhile.
 *
 * <p>The snapshot is a walk over the listed sessions in order of creation, from the first to the
 * last that was there when the watch began (the horizon). A change to a session that the walk has
 * yet to come to is not queued: the walk will find the session as it is then. Any other change is
 * queued, folded with what is queued for the same session already. What the walk has found is told
 * before any change that came later. Since a change is made and queued in one write-locked step,
 * and the walk goes on in read-locked ones, no change is told twice or lost, and nothing is removed
 * that was not added. So the replay always ends in the truth, and a watch holds no more than its
 * queue and the few that the walk is ahead.
 *
 * <p>Where the application has a say in which sessions may be seen, its answers may change at any
 * time; so the stream remembers what its reader has been told, and counts that against the bound of
 * its queue. When it is to ask again it walks again, and tells where the answer differs.
 */
final class ListStream extends Link implements Watch {

  /** A change that waits, folded. */
  private static final class Change {
    /** Whether the session passed the filter before. */
    final boolean passed;

    /** The session as it is now, or its removal. */
    Envelope now;

    Change(boolean passed, Envelope now) {
      this.passed = passed;
      this.now = now;
    }
  }

  /** About what it takes to remember that a session has been told. */
  private static final int TOLD_BYTES = 40;

  private final LocalBroker broker;
  private final TagFilter filter;
  final Seats seats;
  final Story story;

  /** What may be seen; null for all that passes the filter. */
  private volatile @Nullable Visibility visibility;

  private volatile boolean recheckDue;

  // The walk: written under the directory's lock (by the poller, read-locked) and read under it.
  private long walked;
  private long horizon;

  /** Whether it is a further walk, beside which every change is queued. */
  private boolean again;

  // The poller's own.
  private boolean walking = true;
  private boolean ready;
  private boolean changeNext;

  /** What the walk has found and the reader has not been told. */
  private final Queue<Directory.Found> found = new ArrayDeque<>(0);

  /** How many the reader holds. */
  private int held;

  /** What the reader holds, where that does not follow from the filter. */
  private final @Nullable Set<HostedSession> told;

  // The queue, guarded by itself, so that polling needs no lock of the directory. Null until the
  // first change.
  private final Object queueLock = new Object();
  private @Nullable Map<HostedSession, Change> queue;
  private long queuedBytes;
  private boolean overflown;

  /**
   * @param visible says of a session that passes the filter whether the reader may see it; called
   *     by the poller; null where all may be seen
   */
  ListStream(
      LocalBroker broker,
      TagFilter filter,
      @Nullable Predicate<? super ListedSession> visible,
      Seats seats) {
    this.broker = broker;
    this.filter = filter;
    this.seats = seats;
    visibility = visible == null ? null : new Visibility(visible);
    told = visible == null ? null : new HashSet<>();
    story = new Story.OfWatch(broker.tally, this);
  }

  @Override
  public TagFilter filter() {
    return filter;
  }

  @Override
  public void close() {
    end(CloseReason.CLOSED);
  }

  /** Sets out, with the directory write-locked. */
  void begin(long lastCreated) {
    horizon = lastCreated;
    story.opened();
  }

  /** Sets out again, with the directory write-locked. */
  void beginAgain(long lastCreated) {
    walked = 0;
    horizon = lastCreated;
    again = true;
  }

  /**
   * Has all that the reader holds, and all that it could hold, seen through again. For a watch that
   * was begun with such a say.
   */
  void recheck(Predicate<? super ListedSession> visible) {
    visibility = new Visibility(visible);
    recheckDue = true;
    wake();
  }

  /**
   * Queues a change, with the directory write-locked.
   *
   * @param passed whether the session passed the filter until now
   * @param now the session as it is now, or its removal when it passes no more
   */
  void offer(HostedSession session, boolean passed, Envelope now) {
    if (!again && session.number > walked && session.number <= horizon) {
      return;
    }
    synchronized (queueLock) {
      if (overflown || isEnding()) {
        return;
      }
      if (queue == null) {
        queue = new LinkedHashMap<>();
      }
      Change change = queue.get(session);
      if (change == null) {
        change = new Change(passed, now);
        queue.put(session, change);
      } else {
        queuedBytes -= change.now.size();
        change.now = now;
      }
      // What came and went meanwhile need not be told; but a further walk may have told of it.
      if (!change.passed && told == null && now.event() instanceof Event.Removed) {
        queue.remove(session);
        return;
      }
      queuedBytes += now.size();
      Limits limits = broker.limits();
      if (queue.size() > limits.maxQueuedEvents() || queuedBytes > limits.maxQueuedBytes()) {
        overflown = true;
        queue = null;
      }
    }
  }

  /** Wakes the reader for what was offered, or tells it that it has not kept up. Outside locks. */
  void flush() {
    boolean over;
    synchronized (queueLock) {
      over = overflown;
    }
    if (over) {
      end(CloseReason.OVERFLOW);
    } else {
      wake();
    }
  }

  @Override
  public @Nullable Envelope poll() {
    while (!isEnding()) {
      Envelope envelope = null;
      if (!found.isEmpty()) {
        envelope = tell(found.remove());
      } else if (walking) {
        // Turn about: a long list must not make the changes overflow, nor many changes keep the
        // list from its end.
        changeNext = !changeNext;
        envelope = changeNext ? nextChange() : null;
        if (envelope == null) {
          envelope = walkOn();
        }
      } else if (recheckDue) {
        recheckDue = false;
        walking = true;
        broker.directory.walkAgain(this);
      } else {
        return nextChange();
      }
      if (envelope != null) {
        return envelope;
      }
    }
    return null;
  }

  /** Finds more for the reader; when there is no more, and that is the first time, says so. */
  private @Nullable Envelope walkOn() {
    walking = walked < horizon;
    if (walking) {
      broker.directory.walk(this, found);
    } else if (!ready) {
      ready = true;
      return new Envelope(new Event.Ready(held));
    }
    return null;
  }

  /** How far the walk may go. */
  long horizon() {
    return horizon;
  }

  /** How far the walk has come. */
  long walked() {
    return walked;
  }

  /** Notes how far the walk has come, with the directory read-locked. */
  void walkedTo(long number) {
    walked = number;
  }

  /** What the reader is to be told of a session that a walk has found, if anything. */
  private @Nullable Envelope tell(Directory.Found next) {
    if (told == null) {
      held++;
      return new Envelope(new Event.Added(next.shown()));
    }
    if (mayBeSeen(next.shown())) {
      return hold(next.session()) ? new Envelope(new Event.Added(next.shown())) : null;
    }
    return letGo(next.session()) ? new Envelope(new Event.Removed(next.session().id())) : null;
  }

  private @Nullable Envelope nextChange() {
    while (true) {
      Change change;
      HostedSession session;
      synchronized (queueLock) {
        if (queue == null || queue.isEmpty()) {
          return null;
        }
        Iterator<Map.Entry<HostedSession, Change>> changes = queue.entrySet().iterator();
        Map.Entry<HostedSession, Change> first = changes.next();
        session = first.getKey();
        change = first.getValue();
        changes.remove();
        queuedBytes -= change.now.size();
      }
      Event.Added added = change.now.event() instanceof Event.Added event ? event : null;
      if (told == null) {
        held += (added == null ? 0 : 1) - (change.passed ? 1 : 0);
        return change.now;
      }
      if (added != null && mayBeSeen(added.session())) {
        hold(session);
        return change.now;
      }
      if (letGo(session)) {
        return added == null ? change.now : new Envelope(new Event.Removed(session.id()));
      }
    }
  }

  private boolean mayBeSeen(ListedSession session) {
    Visibility now = visibility;
    return now == null || now.shows(session);
  }

  /** Notes that the reader has been told of a session; false if it knew. */
  private boolean hold(HostedSession session) {
    if (told == null || !told.add(session)) {
      return false;
    }
    held++;
    if ((long) held * TOLD_BYTES > broker.limits().maxQueuedBytes()) {
      end(CloseReason.OVERFLOW);
    }
    return true;
  }

  /** Notes that the reader holds a session no more; false if it did not. */
  private boolean letGo(HostedSession session) {
    if (told == null || !told.remove(session)) {
      return false;
    }
    held--;
    return true;
  }

  /**
   * Nothing to do: a snapshot does not count against the bounds, and a change only until it is
   * polled.
   */
  @Override
  public void taken(int events) {}

  @Override
  void detached(CloseReason reason) {
    try {
      broker.directory.remove(this);
      story.closed(reason);
      story.tell();
    } finally {
      broker.released(this);
    }
  }
}
