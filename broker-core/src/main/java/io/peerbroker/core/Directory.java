package io.peerbroker.core;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Who is there: the open channels, their sessions, the listed ones among them, and the live lists
 * that are told of changes.
 *
 * <p>Every change is one write-locked step in which the maps change first and then the change is
 * queued for those who can see it. Looking up takes no lock: what a map still shows of a channel
 * that is being closed is told by the channel itself, which goes with all its sessions in one
 * instant. Searches are read-locked, some sessions at a time. Nothing foreign is called under the
 * lock: readers are woken, and asked what may be seen, after it.
 */
final class Directory {

  /** How many sessions are found at the most before changes are let in. */
  private static final int BATCH = 64;

  /**
   * How many sessions a page asks the application about at the most: a page of few that may be seen
   * is better than a reader who waits.
   */
  private static final int MAX_ASKED = 10_000;

  /** What all sessions take, and may take. Reserved and released under the write lock. */
  final Budget sessionBytes;

  private final Ids ids;
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

  /**
   * Held by the one who searches. With as many in the read lock as there are walks, one of them
   * would always be waiting for a processor there, and every change for it. No monitor: a virtual
   * thread that waited for the read lock inside one would keep its carrier (JDK 21 to 23), and with
   * all carriers kept, the change that is next in the read lock's queue would never run.
   */
  private final ReentrantLock searching = new ReentrantLock();

  // Changed under the write lock, read without.
  private final Map<String, HostedChannel> channels = new ConcurrentHashMap<>();
  private final Map<String, HostedSession> sessions = new ConcurrentHashMap<>();

  // Guarded by the lock.
  private final TagIndex listed = new TagIndex();
  private final Watches watches = new Watches(listed::count);
  private long created;

  Directory(Limits limits, Ids ids) {
    sessionBytes = new Budget(limits.maxTotalSessionBytes());
    this.ids = ids;
  }

  @Nullable HostedChannel channel(String cid) {
    HostedChannel channel = channels.get(cid);
    return channel != null && channel.isOpen() ? channel : null;
  }

  @Nullable HostedSession session(String sid) {
    HostedSession session = sessions.get(sid);
    return session != null && session.isOpen() ? session : null;
  }

  /** The channel that a cid or sid stands for. */
  @Nullable HostedChannel ownerOf(String id) {
    HostedChannel channel = channel(id);
    if (channel != null) {
      return channel;
    }
    HostedSession session = session(id);
    return session == null ? null : session.host;
  }

  List<Session> sessionsOf(HostedChannel channel) {
    lock.readLock().lock();
    try {
      return channel.sessions == null ? List.of() : List.copyOf(channel.sessions.values());
    } finally {
      lock.readLock().unlock();
    }
  }

  void add(HostedChannel channel) {
    lock.writeLock().lock();
    try {
      // A broker that shuts down may have closed it before it got here.
      if (channel.isOpen()) {
        channels.put(channel.id(), channel);
        channel.story.opened();
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  List<HostedChannel> channels() {
    return List.copyOf(channels.values());
  }

  int channelCount() {
    return channels.size();
  }

  int sessionCount() {
    return sessions.size();
  }

  int listedCount() {
    lock.readLock().lock();
    try {
      return listed.count();
    } finally {
      lock.readLock().unlock();
    }
  }

  HostedSession open(HostedChannel host, SessionSpec spec) {
    return changing(
        touched -> {
          if (!host.isOpen()) {
            throw refused(Refusal.Code.UNKNOWN_CHANNEL, "The host channel has closed.");
          }
          Map<String, HostedSession> hosted = host.sessionsToAddTo();
          if (hosted.size() >= host.maxSessions()) {
            throw refused(
                Refusal.Code.TOO_MANY_SESSIONS,
                "A channel hosts at most " + host.maxSessions() + " sessions; close one first.");
          }
          HostedSession.State state = new HostedSession.State(spec);
          HostedSession session = new HostedSession(host, ids.id(), created + 1, state);
          // After all that can fail, or what fails would keep it.
          reserve(host, state.bytes());
          created++;
          session.story.opened();
          hosted.put(session.id(), session);
          sessions.put(session.id(), session);
          changed(session, null, state, touched);
          return session;
        });
  }

  void update(HostedSession session, SessionUpdate update) {
    changing(
        touched -> {
          if (!session.isOpen()) {
            throw refused(Refusal.Code.UNKNOWN_SESSION, "The session has been closed.");
          }
          HostedSession.State before = session.state;
          HostedSession.State after = before.after(update);
          if (!after.equals(before)) {
            int more = after.bytes() - before.bytes();
            if (more > 0) {
              reserve(session.host, more);
            } else {
              sessionBytes.release(-more);
            }
            session.state = after;
            session.story.changed();
            changed(session, before, after, touched);
          }
          return session;
        });
  }

  void close(HostedSession session) {
    changing(
        touched -> {
          if (session.open) {
            if (session.host.sessions != null) {
              session.host.sessions.remove(session.id());
            }
            forget(session, touched);
          }
          return session;
        });
  }

  /**
   * Closes a channel and all its sessions in one instant. Does nothing if it has closed.
   *
   * @return the sessions that have closed with it
   */
  Collection<HostedSession> close(HostedChannel channel, CloseReason reason) {
    return changing(
        touched -> {
          if (channel.isOpen()) {
            // The instant: whoever learns of one removal from here on finds none of the others.
            channel.closeOutbox();
            channels.remove(channel.id());
            channel.story.closed(reason);
            Map<String, HostedSession> hosted = channel.sessions;
            if (hosted != null) {
              channel.sessions = null;
              for (HostedSession session : hosted.values()) {
                forget(session, touched);
              }
              return hosted.values();
            }
          }
          return List.of();
        });
  }

  private void reserve(HostedChannel host, int bytes) {
    if (host.isOwn()) {
      sessionBytes.add(bytes);
    } else if (!sessionBytes.reserve(bytes)) {
      throw new RefusedException(
          new Refusal(
              Refusal.Code.AT_CAPACITY,
              "The broker holds as many sessions, tags and metadata as it may.",
              LocalBroker.LATER));
    }
  }

  private void forget(HostedSession session, List<ListStream> touched) {
    session.open = false;
    session.story.closed(CloseReason.CLOSED);
    sessions.remove(session.id());
    sessionBytes.release(session.state.bytes());
    changed(session, session.state, null, touched);
  }

  /**
   * Brings the index up to date, and queues the change for all who could see the session before it,
   * or can see it now.
   */
  private void changed(
      HostedSession session,
      HostedSession.@Nullable State before,
      HostedSession.@Nullable State after,
      List<ListStream> touched) {
    List<String> from = before != null && before.listed() ? before.tags() : null;
    List<String> to = after != null && after.listed() ? after.tags() : null;
    if (to == null) {
      if (from != null) {
        listed.remove(session, from);
        tell(session, from, null, new Envelope(new Event.Removed(session.id())), touched);
      }
      return;
    }
    if (from == null) {
      listed.add(session, to);
    } else {
      listed.retag(session, from, to);
    }
    tell(session, from, to, new Envelope(new Event.Added(session.show(session.state))), touched);
  }

  /** Queues a change in the live lists; its bytes are made once for all that tell it as it is. */
  private void tell(
      HostedSession session,
      @Nullable List<String> from,
      @Nullable List<String> to,
      Envelope change,
      List<ListStream> touched) {
    watches.forEachThatCouldSee(
        from,
        to,
        group -> {
          boolean seen = from != null && group.filter.matches(from);
          // Mostly the tags have not changed, and are the same list.
          boolean sees = from == to ? seen : to != null && group.filter.matches(to);
          if (seen || sees) {
            Envelope told =
                sees || to == null ? change : new Envelope(new Event.Removed(session.id()));
            for (ListStream stream : group.streams) {
              stream.offer(session, seen, told);
              touched.add(stream);
            }
          }
        });
  }

  /** A page of what is listed. What comes or goes meanwhile may be on it or not. */
  Page page(
      TagFilter filter, @Nullable Predicate<? super ListedSession> visible, int limit, long after) {
    Visibility visibility = visible == null ? null : new Visibility(visible);
    List<ListedSession> shown = new ArrayList<>();
    List<Found> found = new ArrayList<>();
    long bytes = 0;
    long last = after;
    int asked = 0;
    for (long at = after; at < Long.MAX_VALUE; ) {
      found.clear();
      at = find(filter, at, Long.MAX_VALUE, found);
      for (Found next : found) {
        if (visibility != null) {
          if (asked++ >= MAX_ASKED) {
            return new Page(shown, Long.toString(last));
          }
          if (!visibility.shows(next.shown())) {
            last = next.session().number;
            continue;
          }
        }
        bytes += next.shown().size();
        if (shown.size() >= limit || (bytes > Page.MAX_BYTES && !shown.isEmpty())) {
          return new Page(shown, Long.toString(last));
        }
        shown.add(next.shown());
        last = next.session().number;
      }
    }
    return new Page(shown, null);
  }

  /** A session that a search has found, and how it was then. */
  record Found(HostedSession session, ListedSession shown) {}

  private long find(TagFilter filter, long after, long upTo, Collection<Found> found) {
    return searching(() -> findLocked(filter, after, upTo, found));
  }

  private long findLocked(TagFilter filter, long after, long upTo, Collection<Found> found) {
    List<HostedSession> sessions = new ArrayList<>();
    long at = listed.find(filter, after, upTo, BATCH, sessions);
    for (HostedSession session : sessions) {
      found.add(new Found(session, session.show(session.state)));
    }
    return at;
  }

  void add(ListStream stream) {
    lock.writeLock().lock();
    try {
      // As above: then it has been removed already.
      if (!stream.isEnding()) {
        stream.begin(created);
        watches.add(stream);
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  void remove(ListStream stream) {
    lock.writeLock().lock();
    try {
      watches.remove(stream);
    } finally {
      lock.writeLock().unlock();
    }
  }

  /** Takes a live list's walk on by some sessions, or some way if there are none near. */
  void walk(ListStream stream, Collection<Found> found) {
    searching(
        () -> {
          long at = findLocked(stream.filter(), stream.walked(), stream.horizon(), found);
          stream.walkedTo(at);
          return at;
        });
  }

  /** Searches with the read lock, one thread at a time. */
  private long searching(LongSupplier search) {
    searching.lock();
    try {
      lock.readLock().lock();
      try {
        return search.getAsLong();
      } finally {
        lock.readLock().unlock();
      }
    } finally {
      searching.unlock();
    }
  }

  /** Lets a live list walk again over all that is listed now. */
  void walkAgain(ListStream stream) {
    lock.writeLock().lock();
    try {
      stream.beginAgain(created);
    } finally {
      lock.writeLock().unlock();
    }
  }

  /** A change that notes which live lists it has touched. */
  private interface Change<T> {
    T make(List<ListStream> touched);
  }

  /** Makes a change under the write lock, then wakes whom it has touched. */
  private <T> T changing(Change<T> change) {
    List<ListStream> touched = new ArrayList<>(0);
    T result;
    lock.writeLock().lock();
    try {
      result = change.make(touched);
    } finally {
      lock.writeLock().unlock();
    }
    touched.forEach(ListStream::flush);
    return result;
  }

  private static RefusedException refused(Refusal.Code code, String detail) {
    return new RefusedException(Refusal.of(code, detail));
  }
}
