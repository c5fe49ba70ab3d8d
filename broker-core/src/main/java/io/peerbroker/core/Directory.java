package io.peerbroker.core;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * Who is there: the open channels, their sessions, the listed ones among them, and the live lists
 * that are told of changes.
 *
 * <p>Every change is one write-locked step in which the maps change first and then the change is
 * queued for those who can see it. Looking up and listing take no lock: what a map still shows of a
 * channel that is being closed is told by the channel itself, which goes with all its sessions in
 * one instant. Live lists walk read-locked. Nothing foreign is called under the lock: readers are
 * woken after it.
 */
final class Directory {

  /** How many sessions a walk passes at the most before it lets changes in. */
  private static final int WALK_STEPS = 256;

  private final int maxSessionsPerChannel;
  private final Ids ids;
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

  // Changed under the write lock, read without.
  private final Map<String, HostedChannel> channels = new ConcurrentHashMap<>();
  private final Map<String, HostedSession> sessions = new ConcurrentHashMap<>();
  private final ConcurrentSkipListMap<Long, HostedSession> listed = new ConcurrentSkipListMap<>();

  // Guarded by the lock.
  private final Watches watches = new Watches();
  private long created;

  Directory(int maxSessionsPerChannel, Ids ids) {
    this.maxSessionsPerChannel = maxSessionsPerChannel;
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
    return listed.size();
  }

  HostedSession open(HostedChannel host, SessionSpec spec) {
    return changing(
        touched -> {
          if (!host.isOpen()) {
            throw refused(Refusal.Code.UNKNOWN_CHANNEL, "The host channel has closed.");
          }
          Map<String, HostedSession> hosted = host.sessionsToAddTo();
          if (hosted.size() >= maxSessionsPerChannel) {
            throw refused(
                Refusal.Code.TOO_MANY_SESSIONS,
                "A channel hosts at most " + maxSessionsPerChannel + " sessions; close one first.");
          }
          HostedSession.State state = new HostedSession.State(spec);
          HostedSession session = new HostedSession(host, ids.id(), ++created, state);
          session.story.opened();
          hosted.put(session.id(), session);
          sessions.put(session.id(), session);
          show(session, state);
          tell(session, null, state, touched);
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
            session.state = after;
            session.story.changed();
            show(session, after);
            tell(session, before, after, touched);
          }
          return session;
        });
  }

  void close(HostedSession session) {
    changing(
        touched -> {
          if (session.open) {
            forget(session);
            if (session.host.sessions != null) {
              session.host.sessions.remove(session.id());
            }
            tell(session, session.state, null, touched);
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
                forget(session);
                tell(session, session.state, null, touched);
              }
              return hosted.values();
            }
          }
          return List.of();
        });
  }

  private void show(HostedSession session, HostedSession.State state) {
    if (state.listed()) {
      listed.put(session.number, session);
    } else {
      listed.remove(session.number);
    }
  }

  private void forget(HostedSession session) {
    session.open = false;
    session.story.closed(CloseReason.CLOSED);
    sessions.remove(session.id());
    listed.remove(session.number);
  }

  /** Queues a change for all who could see the session before it, or can see it now. */
  private void tell(
      HostedSession session,
      HostedSession.@Nullable State before,
      HostedSession.@Nullable State after,
      List<ListStream> touched) {
    HostedSession.State from = before != null && before.listed() ? before : null;
    HostedSession.State to = after != null && after.listed() ? after : null;
    if (from == null && to == null) {
      return;
    }
    Envelope now = to == null ? null : new Envelope(new Event.Added(session.show(to)));
    List<String> tagsBefore = from == null ? List.of() : from.tags();
    List<String> tagsNow = to == null ? List.of() : to.tags();
    watches.forEachThatCouldSee(
        tagsBefore,
        tagsNow,
        stream -> {
          boolean seen = from != null && stream.filter().matches(tagsBefore);
          boolean sees = to != null && stream.filter().matches(tagsNow);
          if (seen || sees) {
            stream.offer(session, seen, sees ? now : null);
            touched.add(stream);
          }
        });
  }

  /** A page of what is listed. Takes no lock: what comes or goes meanwhile may be on it or not. */
  Page page(TagFilter filter, int limit, long after) {
    List<ListedSession> shown = new ArrayList<>();
    long bytes = 0;
    long last = after;
    for (HostedSession session : listed.tailMap(after, false).values()) {
      HostedSession.State state = session.state;
      // The state may be newer than the map: hidden a moment ago, not yet taken out.
      if (state.listed() && session.isOpen() && filter.matches(state.tags())) {
        ListedSession entry = session.show(state);
        bytes += entry.size();
        if (shown.size() >= limit || (bytes > Page.MAX_BYTES && !shown.isEmpty())) {
          return new Page(shown, Long.toString(last));
        }
        shown.add(entry);
        last = session.number;
      }
    }
    return new Page(shown, null);
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

  /**
   * Takes a live list's walk on to its next session, or some way if there is none near, or to its
   * horizon.
   */
  @Nullable ListedSession walk(ListStream stream, long from) {
    lock.readLock().lock();
    try {
      long at = from;
      for (int step = 0; step < WALK_STEPS; step++) {
        Map.Entry<Long, HostedSession> entry = listed.higherEntry(at);
        if (entry == null || entry.getKey() > stream.horizon()) {
          stream.walkedTo(stream.horizon());
          return null;
        }
        at = entry.getKey();
        HostedSession session = entry.getValue();
        if (stream.filter().matches(session.state.tags())) {
          stream.walkedTo(at);
          return session.show(session.state);
        }
      }
      stream.walkedTo(at);
      return null;
    } finally {
      lock.readLock().unlock();
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
