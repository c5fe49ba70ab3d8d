package io.peerbroker.core;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The open channels, their sessions, the listed ones among them, and the watches that follow
 * changes.
 *
 * <p>Every change is one write-locked step: first the maps change, then the change is fed to the
 * watches that can see it. Looking up takes no lock: a map may still contain a channel that is
 * being closed, but the channel itself knows, and it closes with all its sessions at one instant.
 * Searches are read-locked, a few sessions at a time. No foreign code is called under the lock:
 * readers are woken, and predicates are called, after it.
 */
final class Directory {

  /** How many sessions a search finds at most before it lets changes in. */
  private static final int BATCH = 64;

  /** How many frames of stack must be free before a change takes the lock. */
  private static final int HEADROOM = 128;

  /**
   * For how many sessions a page calls the application's predicate at most: a page with few visible
   * sessions is better than a reader that waits.
   */
  private static final int MAX_ASKED = 10_000;

  /** How many bytes of a page are read at a time, but at least one session. */
  private static final int PIECE_BYTES = 8 << 10;

  private final PageCursors cursors = new PageCursors();

  /** The bytes that all sessions take and may take. Reserved and released under the write lock. */
  final ByteBudget sessionBytes;

  /** The bytes that all watches hold together. */
  final ChangeBudget watchBytes;

  /** Decides when watches are woken. */
  final WakeThrottle wakes;

  private final Ids ids;
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

  /**
   * Held while searching. If all walks held the read lock at once, one of them would always be
   * waiting for a processor, and every change would wait for that one. It is not a monitor: a
   * virtual thread that waited for the read lock inside one would pin its carrier (JDK 21 to 23),
   * and with all carriers pinned, the change that is next in the read lock's queue would never run.
   */
  private final ReentrantLock searching = new ReentrantLock();

  // Changed under the write lock, read without.
  private final Map<String, LocalChannel> channels = new ConcurrentHashMap<>();
  private final Map<String, LocalSession> sessions = new ConcurrentHashMap<>();

  // Guarded by the lock.
  private final TagIndex<LocalSession> listed = new TagIndex<>();
  private final WatchIndex watches;
  private long steps;

  // Written under the write lock, read without.
  private volatile long created;
  private volatile int listedCount;

  /**
   * @param listPause the least time between two wake-ups of a watch
   * @param workers wakes watches
   */
  Directory(Limits limits, Ids ids, Timer timer, Duration listPause, Executor workers) {
    sessionBytes = new ByteBudget(limits.maxTotalSessionBytes());
    watchBytes = new ChangeBudget(limits.maxTotalWatchBytes());
    wakes = new WakeThrottle(timer, listPause, workers);
    watches = new WatchIndex(limits, watchBytes, wakes, listed::count);
    this.ids = ids;
  }

  @Nullable LocalChannel channel(String cid) {
    LocalChannel channel = channels.get(cid);
    return channel != null && channel.isOpen() ? channel : null;
  }

  @Nullable LocalSession session(String sid) {
    LocalSession session = sessions.get(sid);
    return session != null && session.isOpen() ? session : null;
  }

  /** Returns the channel that a cid or sid stands for. */
  @Nullable LocalChannel ownerOf(String id) {
    LocalChannel channel = channel(id);
    if (channel != null) {
      return channel;
    }
    LocalSession session = session(id);
    return session == null ? null : session.host;
  }

  List<Session> sessionsOf(LocalChannel channel) {
    lock.readLock().lock();
    try {
      return channel.sessions == null ? List.of() : List.copyOf(channel.sessions.values());
    } finally {
      lock.readLock().unlock();
    }
  }

  void add(LocalChannel channel) {
    changing(
        step -> {
          // A broker that shuts down may have closed it already.
          if (channel.isOpen()) {
            channels.put(channel.id(), channel);
            step.opened(channel.lifecycle);
          }
          return channel;
        });
  }

  List<LocalChannel> channels() {
    return List.copyOf(channels.values());
  }

  int channelCount() {
    return channels.size();
  }

  int sessionCount() {
    return sessions.size();
  }

  int listedCount() {
    return listedCount;
  }

  /** Returns the number of the session that was created last. */
  long lastCreated() {
    return created;
  }

  LocalSession open(LocalChannel host, SessionSpec spec) {
    // Everything that takes time is done before the lock is taken.
    SessionState state = SessionState.of(spec);
    String id = ids.id();
    return changing(
        step -> {
          if (!host.isOpen()) {
            throw new RefusedException(Refusals.hostClosed());
          }
          Map<String, LocalSession> hosted = host.sessionsToAddTo();
          if (hosted.size() >= host.maxSessions()) {
            throw new RefusedException(Refusals.tooManySessions(host.maxSessions()));
          }
          LocalSession session = new LocalSession(host, id, created + 1, state);
          reserve(host, state.bytes());
          boolean done = false;
          try {
            hosted.put(id, session);
            sessions.put(id, session);
            created = session.number;
            changed(session, null, state, step);
            done = true;
          } finally {
            if (!done) {
              // Memory has run out: nothing of it must stay behind.
              hosted.remove(id);
              sessions.remove(id);
              sessionBytes.release(state.bytes());
            }
          }
          step.opened(session.lifecycle);
          return session;
        });
  }

  void update(LocalSession session, SessionUpdate update) {
    while (!tryUpdate(session, update)) {
      // Another update of the same session came first; the new state is computed again.
      Thread.onSpinWait();
    }
  }

  @SuppressWarnings("ReferenceEquality") // a state is replaced as a whole
  private boolean tryUpdate(LocalSession session, SessionUpdate update) {
    SessionState before = session.state;
    SessionState after = before.after(update);
    return changing(
        step -> {
          if (!session.isOpen()) {
            throw new RefusedException(Refusals.sessionClosed());
          }
          if (session.state != before) {
            return false;
          }
          if (after != before) {
            int more = after.bytes() - before.bytes();
            if (more > 0) {
              reserve(session.host, more);
            }
            boolean done = false;
            try {
              session.state = after;
              changed(session, before, after, step);
              done = true;
            } finally {
              if (!done) {
                session.state = before;
              }
              if (done == more < 0) {
                sessionBytes.release(Math.abs(more));
              }
            }
            step.changed(session.lifecycle);
          }
          return true;
        });
  }

  void close(LocalSession session) {
    changing(
        step -> {
          if (session.open) {
            if (session.host.sessions != null) {
              session.host.sessions.remove(session.id());
            }
            forget(session, step);
          }
          return session;
        });
  }

  /**
   * Closes a channel and all its sessions at one instant. Does nothing if it has closed.
   *
   * @return the task that notifies listeners, to run after the channel's stream was asked to end
   */
  Runnable close(LocalChannel channel, CloseReason reason) {
    Closing closing = new Closing();
    try {
      LocalChannel unused =
          make(
              closing.step,
              step -> {
                if (channel.isOpen()) {
                  Map<String, LocalSession> hosted = channel.sessions;
                  step.expect(1 + (hosted == null ? 0 : hosted.size()));
                  // The instant: a client that learns of one removal from here on finds none of the
                  // other sessions.
                  channel.closeOutbox();
                  channels.remove(channel.id());
                  step.closed(channel.lifecycle, reason);
                  if (hosted != null) {
                    channel.sessions = null;
                    for (LocalSession session : hosted.values()) {
                      forget(session, step);
                    }
                  }
                }
                return channel;
              });
    } catch (RuntimeException | Error failed) {
      closing.failed = failed;
    }
    return closing;
  }

  /**
   * What follows a channel's close. If the close has failed, whether before or after the channel
   * was marked, listeners are notified of what has happened, and then the failure is thrown.
   */
  private final class Closing implements Runnable {
    final Step step = new Step();
    @Nullable Throwable failed;

    @Override
    public void run() {
      step.notifyListeners();
      if (failed instanceof Error error) {
        throw error;
      }
      if (failed instanceof RuntimeException exception) {
        throw exception;
      }
    }
  }

  private void reserve(LocalChannel host, int bytes) {
    if (host.isOwn()) {
      sessionBytes.add(bytes);
    } else if (!sessionBytes.reserve(bytes)) {
      throw new RefusedException(Refusals.sessionsFull());
    }
  }

  private void forget(LocalSession session, Step step) {
    session.closed();
    step.closed(session.lifecycle, CloseReason.CLOSED);
    sessions.remove(session.id());
    sessionBytes.release(session.state.bytes());
    changed(session, session.state, null, step);
  }

  /**
   * Updates the index, and feeds the change to all watches that could see the session before it, or
   * can see it now.
   */
  private void changed(
      LocalSession session,
      @Nullable SessionState before,
      @Nullable SessionState after,
      Step step) {
    List<String> from = before != null && before.listed() ? before.tags() : null;
    List<String> to = after != null && after.listed() ? after.tags() : null;
    if (after == null || to == null) {
      if (from != null) {
        listed.remove(session, from);
        listedCount = listed.count();
        feed(session, from, null, Envelope.removed(session.id()), step);
      }
      return;
    }
    if (from == null) {
      listed.add(session, to);
      listedCount = listed.count();
    } else if (from != to) {
      listed.retag(session, from, to);
    }
    feed(session, from, to, Envelope.added(session.ref.show(after), after.shownSize()), step);
  }

  private void feed(
      LocalSession session,
      @Nullable List<String> from,
      @Nullable List<String> to,
      Envelope change,
      Step step) {
    watches.feed(new SessionChange(session.ref, from, to, change), steps, step.touched);
  }

  /**
   * Returns a page of the listed sessions. A session that comes or goes meanwhile may be on it or
   * not.
   */
  Page page(
      ParsedFilter filter,
      @Nullable Predicate<? super ListedSession> visible,
      int limit,
      long after) {
    List<ListedSession> shown = new ArrayList<>();
    Long next = scan(filter, visible, limit, after, found -> shown.add(found.shown()));
    return new Page(shown, next == null ? null : cursors.write(next));
  }

  /**
   * Returns the same page, to be read piece by piece; only the numbers of its sessions are kept.
   */
  PageReader read(
      ParsedFilter filter,
      @Nullable Predicate<? super ListedSession> visible,
      int limit,
      long after) {
    DeltaVarints numbers = new DeltaVarints();
    Long next = scan(filter, visible, limit, after, found -> numbers.add(found.session().number));
    Visibility visibility = visible == null ? null : new Visibility(visible);
    return new PageReader() {
      private final DeltaVarints.Reader left = numbers.read();

      @Override
      public @Nullable String next() {
        return next == null ? null : cursors.write(next);
      }

      @Override
      public List<ListedSession> more() {
        List<ListedSession> shown = new ArrayList<>();
        while (shown.isEmpty() && left.hasNext()) {
          for (ListedSession session : look(filter, left)) {
            if (visibility == null || visibility.shows(session)) {
              shown.add(session);
            }
          }
        }
        return shown;
      }
    };
  }

  /** Returns some sessions as they are now, of which only those that are still listed and pass. */
  private List<ListedSession> look(ParsedFilter filter, DeltaVarints.Reader numbers) {
    List<ListedSession> shown = new ArrayList<>();
    searching(
        () -> {
          int bytes = 0;
          for (int i = 0; i < BATCH && bytes < PIECE_BYTES && numbers.hasNext(); i++) {
            LocalSession session = listed.get(numbers.next());
            if (session != null && filter.matches(session.state.tags())) {
              shown.add(session.ref.show(session.state));
              bytes += session.state.shownSize();
            }
          }
          return bytes;
        });
    return shown;
  }

  /**
   * Visits a page of the listed sessions.
   *
   * @return where the next page begins; null if there is none
   */
  private @Nullable Long scan(
      ParsedFilter filter,
      @Nullable Predicate<? super ListedSession> visible,
      int limit,
      long after,
      Consumer<Found> shown) {
    Visibility visibility = visible == null ? null : new Visibility(visible);
    List<Found> found = new ArrayList<>();
    long bytes = 0;
    long last = after;
    int asked = 0;
    int count = 0;
    for (long at = after; at < Long.MAX_VALUE; ) {
      found.clear();
      at = find(filter, at, Long.MAX_VALUE, found);
      for (Found next : found) {
        if (visibility != null) {
          if (asked++ >= MAX_ASKED) {
            return last;
          }
          if (!visibility.shows(next.shown())) {
            last = next.session().number;
            continue;
          }
        }
        bytes += next.size();
        if (count >= limit || (bytes > Page.MAX_BYTES && count > 0)) {
          return last;
        }
        shown.accept(next);
        count++;
        last = next.session().number;
      }
    }
    return null;
  }

  /**
   * Returns the number behind which a page begins that a client asks for.
   *
   * @throws RefusedException {@code invalid_request} if there cannot be such a page
   */
  long pageStart(int limit, @Nullable String after) {
    if (limit < 1 || limit > Page.MAX_LIMIT) {
      throw new RefusedException(Refusals.badLimit());
    }
    return after == null ? 0 : cursors.read(after);
  }

  /**
   * A session that a search has found, and its state then.
   *
   * @param size an upper bound of its bytes as JSON
   */
  record Found(SessionRef session, ListedSession shown, int size) {}

  private long find(ParsedFilter filter, long after, long upTo, Collection<Found> found) {
    return searching(() -> findLocked(filter, after, upTo, Integer.MAX_VALUE, found));
  }

  private long findLocked(
      ParsedFilter filter, long after, long upTo, int maxBytes, Collection<Found> found) {
    List<LocalSession> sessions = new ArrayList<>();
    long at = listed.find(filter, after, upTo, BATCH, sessions);
    long bytes = 0;
    for (LocalSession session : sessions) {
      SessionState state = session.state;
      bytes += state.shownSize();
      if (bytes > maxBytes && !found.isEmpty()) {
        return session.number - 1;
      }
      found.add(new Found(session.ref, session.ref.show(state), state.shownSize()));
    }
    return at;
  }

  void add(LocalWatch stream) {
    changing(
        step -> {
          // As above: if it is ending, it has been removed already.
          if (!stream.isEnding()) {
            stream.begin(created);
            step.opened(stream.lifecycle);
            watches.add(stream);
          }
          return stream;
        });
  }

  void remove(LocalWatch stream) {
    WatchIndex.Group empty;
    lock.writeLock().lock();
    try {
      empty = watches.remove(stream);
    } finally {
      lock.writeLock().unlock();
    }
    try {
      stream.giveUpPlace();
    } finally {
      if (empty != null) {
        empty.close();
      }
    }
  }

  /**
   * Advances a watch's walk by a few sessions, or by some distance if there are none near.
   *
   * @param place marks the last change that is included in the result; null for no mark
   * @return how far the walk has come
   */
  long walk(
      ParsedFilter filter,
      long after,
      long upTo,
      Collection<Found> found,
      ChangeLog.@Nullable Cursor place) {
    return searching(
        () -> {
          long at = findLocked(filter, after, upTo, LocalWatch.AHEAD_BYTES, found);
          if (place != null) {
            place.mark();
          }
          return at;
        });
  }

  /**
   * Refuses a watch that would have to remember more sessions than it may, which would otherwise
   * begin and end again and again.
   */
  void checkRemembers(ParsedFilter filter, long max) {
    long bytes = searching(() -> listed.bytesToRemember(filter));
    if (bytes > max || !watchBytes.hasRoomFor(bytes)) {
      throw new RefusedException(Refusals.listTooLong(bytes, max));
    }
  }

  /** Runs a search with the read lock, one thread at a time. */
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

  /** What follows one change when it has been made: watches are woken, listeners notified. */
  private final class Step {
    private final List<WatchIndex.Home> touched = new ArrayList<>(0);

    /** With room for the one that most changes note: no change may fail once it is made. */
    private final ArrayList<Lifecycle> lifecycles = new ArrayList<>(1);

    /** Makes room for so many lifecycles, before a change that cannot be undone. */
    void expect(int lifecycles) {
      this.lifecycles.ensureCapacity(lifecycles);
    }

    void opened(Lifecycle lifecycle) {
      lifecycle.opened();
      lifecycles.add(lifecycle);
    }

    void changed(Lifecycle lifecycle) {
      lifecycle.changed();
      lifecycles.add(lifecycle);
    }

    void closed(Lifecycle lifecycle, CloseReason reason) {
      lifecycle.closed(reason);
      lifecycles.add(lifecycle);
    }

    /** Wakes the watches, outside the lock. */
    void wake() {
      try {
        for (WatchIndex.Home home : touched) {
          home.catchUpWithMuch();
        }
      } finally {
        wakes.touched(touched);
      }
    }

    /** Notifies listeners, outside the lock. */
    void notifyListeners() {
      lifecycles.forEach(Lifecycle::notifyListeners);
    }
  }

  /** Makes a change under the write lock, then wakes watches and notifies listeners. */
  private <T> T changing(Function<Step, T> change) {
    Step step = new Step();
    try {
      return make(step, change);
    } finally {
      step.notifyListeners();
    }
  }

  /** Makes a change under the write lock, then wakes watches. */
  private <T> T make(Step step, Function<Step, T> change) {
    T result;
    // A stack overflow inside could leave the lock held, so it must happen here.
    checkStack(HEADROOM, 1, 2, 3, 4);
    lock.writeLock().lock();
    try {
      steps++;
      result = change.apply(step);
    } finally {
      lock.writeLock().unlock();
    }
    step.wake();
    return result;
  }

  /** Uses some stack, or throws a StackOverflowError before anything has happened. */
  private static long checkStack(int frames, long a, long b, long c, long d) {
    return frames == 0 ? a + b + c + d : checkStack(frames - 1, b, c, d, a) + a;
  }
}
