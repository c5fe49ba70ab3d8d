package io.peerbroker.core;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The broker's end of one live list: a snapshot that is pulled as the reader reads, and the changes
 * meanwhile.
 *
 * <p>The snapshot is a walk over the listed sessions in order of creation, from the first to the
 * last that was there when the watch began (the horizon). A change to a session that the walk has
 * yet to come to is not queued: the walk will find the session as it is then. Any other change is
 * queued, folded with what is queued for the same session already. Since a change is made and
 * queued in one write-locked step, and the walk goes on in read-locked ones, no change is told
 * twice or lost, and nothing is removed that was not added. So the replay always ends in the truth,
 * and a watch holds no more than its queue.
 */
final class ListStream extends Link implements Watch {

  /** A change that waits, folded. */
  private static final class Change {
    /** Whether the reader holds the session. */
    final boolean told;

    /** The session as it is now, or null when the reader is to see it no more. */
    @Nullable Envelope now;

    Change(boolean told) {
      this.told = told;
    }

    int size() {
      return now == null ? 64 : now.size();
    }
  }

  private final LocalBroker broker;
  private final TagFilter filter;
  final Story story;

  // The walk: written under the directory's lock (by the poller, read-locked) and read under it.
  private long walked;
  private long horizon;

  // The poller's own.
  private boolean walking = true;
  private boolean changeNext;
  private int held;

  // The queue, guarded by itself, so that polling needs no lock of the directory. Null until the
  // first change.
  private final Object queueLock = new Object();
  private @Nullable Map<HostedSession, Change> queue;
  private long queuedBytes;
  private boolean overflown;

  ListStream(LocalBroker broker, TagFilter filter) {
    this.broker = broker;
    this.filter = filter;
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

  /**
   * Queues a change, with the directory write-locked.
   *
   * @param seenBefore whether the session passed the filter until now
   * @param now the session as it is now, or null when it passes no more
   */
  void offer(HostedSession session, boolean seenBefore, @Nullable Envelope now) {
    if (session.number > walked && session.number <= horizon) {
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
        change = new Change(seenBefore);
        queue.put(session, change);
      } else {
        queuedBytes -= change.size();
      }
      change.now = now;
      if (now == null && !change.told) {
        queue.remove(session);
        return;
      }
      queuedBytes += change.size();
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
    if (isEnding()) {
      return null;
    }
    if (!walking) {
      return nextChange();
    }
    // Turn about: a long list must not make the changes overflow, nor many changes keep the list
    // from its end.
    changeNext = !changeNext;
    Envelope change = changeNext ? nextChange() : null;
    return change != null ? change : nextOfSnapshot();
  }

  private Envelope nextOfSnapshot() {
    ListedSession found = null;
    while (walking && found == null) {
      long from = walked;
      found = broker.directory.walk(this, from);
      walking = found != null || walked < horizon;
    }
    if (found == null) {
      return new Envelope(new Event.Ready(held));
    }
    held++;
    return new Envelope(new Event.Added(found));
  }

  /** How far the walk may go. */
  long horizon() {
    return horizon;
  }

  /** Notes how far the walk has come, with the directory read-locked. */
  void walkedTo(long number) {
    walked = number;
  }

  private @Nullable Envelope nextChange() {
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
      queuedBytes -= change.size();
    }
    Envelope now = change.now;
    if (now == null) {
      held--;
      return new Envelope(new Event.Removed(session.id()));
    }
    if (!change.told) {
      held++;
    }
    return now;
  }

  /**
   * Nothing to do: a snapshot does not count against the bounds, and a change only until it is
   * polled.
   */
  @Override
  public void taken(int events) {}

  @Override
  void detached(CloseReason reason) {
    broker.directory.remove(this);
    story.closed(reason);
    story.tell();
    broker.released(this);
  }
}
