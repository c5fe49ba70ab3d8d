package io.peerbroker.core;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The open channels, their sessions, the listed ones among them, and the watches that follow
 * changes.
 *
 * <p>Every change is one write-locked step: first the maps change, then the change is fed to the
 * watches that can see it. Looking up takes no lock: a map may still contain a channel that is
 * being closed, but the channel itself knows, and it closes with all its sessions at one instant.
 * {@link ListSearch} reads the list. No foreign code is called under the lock: readers are woken
 * after it.
 */
final class Directory {

  /** How many frames of stack must be free before a change takes the lock. */
  private static final int HEADROOM = 128;

  /** The bytes that all sessions take and may take. Reserved and released under the write lock. */
  final ByteBudget sessionBytes;

  /** The bytes that all watches hold together. */
  final ChangeBudget watchBytes;

  /** Decides when watches are woken. */
  final WakeThrottle wakes;

  private final Ids ids;
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

  // Changed under the write lock, read without.
  private final Map<String, LocalChannel> channels = new ConcurrentHashMap<>();
  private final Map<String, LocalSession> sessions = new ConcurrentHashMap<>();

  // Guarded by the lock.
  final SessionList list;
  private final CreationClock clock = new CreationClock(Directory::micros);
  private long steps;

  /** Reads the list. */
  final ListSearch search;

  /** The sessions of other nodes. */
  final ForeignSessions foreign;

  /**
   * @param listPause the least time between two wake-ups of a watch
   * @param workers wakes watches
   */
  Directory(Limits limits, Node node, Timer timer, Duration listPause, Executor workers) {
    sessionBytes = new ByteBudget(limits.maxTotalSessionBytes());
    watchBytes = new ChangeBudget(limits.maxTotalWatchBytes());
    wakes = new WakeThrottle(timer, listPause, workers);
    ids = node.ids();
    list =
        new SessionList(ids.tag(), limits, watchBytes, wakes, lock::isWriteLockedByCurrentThread);
    search = new ListSearch(list.parts, node.cursors(), lock.readLock(), watchBytes);
    foreign =
        new ForeignSessions(
            this::change, list.parts, clock, sessions::containsKey, node.maxForeignBytes());
  }

  private static long micros() {
    Instant now = Instant.now();
    return now.getEpochSecond() * 1_000_000 + now.getNano() / 1_000;
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

  /** Returns how many sessions are listed, those of other nodes included. */
  int listedCount() {
    return list.count();
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
          if (host.sessionsToAddTo().size() >= host.maxSessions()) {
            throw new RefusedException(Refusals.tooManySessions(host.maxSessions()));
          }
          reserve(host, state.bytes());
          LocalSession session = put(host, id, state, step);
          step.opened(session.lifecycle);
          return session;
        });
  }

  /**
   * Creates a session whose bytes have been reserved. If it fails, nothing is left of it, and the
   * bytes are free again.
   */
  private LocalSession put(LocalChannel host, String id, SessionState state, Step step) {
    Map<String, LocalSession> hosted = host.sessionsToAddTo();
    boolean done = false;
    try {
      ListPart own = list.parts.own;
      long number = own.last() + 1;
      // A broker that is alone needs no instants to compare.
      long created = own.origin == Ids.NO_TAG ? number : clock.next();
      SessionRef ref = new SessionRef(own.origin, created, number, id);
      LocalSession session = new LocalSession(host, ref, state);
      hosted.put(id, session);
      sessions.put(id, session);
      own.reached(number);
      list.changed(session, null, state, steps, step.touched);
      done = true;
      return session;
    } finally {
      if (!done) {
        // Memory has run out: nothing of it must stay behind.
        hosted.remove(id);
        sessions.remove(id);
        sessionBytes.release(state.bytes());
      }
    }
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
              list.changed(session, before, after, steps, step.touched);
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
                  try {
                    channel.closeOutbox();
                    step.closed(channel.lifecycle, reason);
                  } finally {
                    channels.remove(channel.id(), channel);
                    channel.sessions = null;
                    forgetAll(hosted == null ? List.of() : hosted.values(), step);
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
   * Lets a channel and all its sessions leave this broker at one instant. For watches the sessions
   * are removed; listeners are not notified of an end. Does nothing if the channel has closed.
   *
   * @param takeOut takes out of the channel, with these sessions, what goes on elsewhere; called
   *     under the lock. If it returns false or fails, nothing has changed
   */
  void release(LocalChannel channel, Predicate<List<LocalSession>> takeOut) {
    var unused =
        make(
            new Step(),
            step -> {
              Map<String, LocalSession> hosted = channel.sessions;
              List<LocalSession> leaving =
                  hosted == null ? List.of() : List.copyOf(hosted.values());
              step.expect(leaving.size());
              if (channel.isOpen() && takeOut.test(leaving)) {
                channels.remove(channel.id(), channel);
                channel.sessions = null;
                leave(channel, leaving, step);
              }
              return channel;
            });
  }

  private void leave(LocalChannel channel, Collection<LocalSession> leaving, Step step) {
    leaving.forEach(session -> session.lifecycle.left());
    channel.lifecycle.left();
    forgetAll(leaving, step);
  }

  /**
   * Adds a channel that comes from another broker, with its sessions, at one instant. Does nothing
   * if it has closed. If it fails, nothing has changed.
   *
   * @throws RefusedException {@code at_capacity} if there is no room for the sessions
   * @throws IllegalStateException if the channel is here already
   */
  void adopt(LocalChannel channel, List<ChannelState.MovedSession> arriving) {
    LocalChannel unused =
        changing(
            step -> {
              if (channel.isOpen()) {
                if (channels.containsKey(channel.id())) {
                  throw new IllegalStateException(channel + " is here already.");
                }
                adopt(channel, arriving, step);
              }
              return channel;
            });
  }

  private void adopt(LocalChannel channel, List<ChannelState.MovedSession> arriving, Step step) {
    int reserved = arriving.stream().mapToInt(each -> each.state().bytes()).sum();
    reserve(channel, reserved);
    boolean done = false;
    try {
      for (ChannelState.MovedSession each : arriving) {
        reserved -= each.state().bytes();
        put(channel, each.sid(), each.state(), step).lifecycle.arrived(Lifecycle.OPENED);
      }
      channels.put(channel.id(), channel);
      done = true;
    } finally {
      if (!done) {
        sessionBytes.release(reserved);
        Map<String, LocalSession> added = channel.sessions;
        channel.sessions = null;
        leave(channel, added == null ? List.of() : added.values(), step);
      }
    }
    channel.lifecycle.arrived(Lifecycle.INTERRUPTED);
    if (channel.isAttached()) {
      step.changed(channel.lifecycle);
    }
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
      rethrow(failed);
    }
  }

  private static void rethrow(@Nullable Throwable failed) {
    if (failed instanceof Error error) {
      throw error;
    }
    if (failed instanceof RuntimeException exception) {
      throw exception;
    }
  }

  private void reserve(LocalChannel host, int bytes) {
    assertLocked();
    if (host.isOwn()) {
      sessionBytes.add(bytes);
    } else if (!sessionBytes.reserve(bytes)) {
      throw new RefusedException(Refusals.sessionsFull());
    }
  }

  /** Forgets the sessions of a channel: all, though one fails. The first failure is thrown. */
  private void forgetAll(Collection<LocalSession> hosted, Step step) {
    Throwable failure = null;
    for (LocalSession session : hosted) {
      try {
        forget(session, step);
      } catch (RuntimeException | Error failed) {
        failure = failure == null ? failed : failure;
      }
    }
    rethrow(failure);
  }

  /**
   * Removes a session from everything. If memory runs out, it is removed all the same, and only the
   * watches do not learn of it.
   */
  private void forget(LocalSession session, Step step) {
    session.closed();
    try {
      step.closed(session.lifecycle, CloseReason.CLOSED);
    } finally {
      sessions.remove(session.id());
      sessionBytes.release(session.state.bytes());
      list.removed(session, steps, step.touched);
    }
  }

  /** Makes a change to the sessions of other nodes. */
  private <T> T change(Function<ForeignSessions.Step, T> change) {
    return changing(
        step ->
            change.apply(
                new ForeignSessions.Step() {
                  @Override
                  public void changed(
                      ListEntry session, @Nullable SessionState before, SessionState after) {
                    list.changed(session, before, after, steps, step.touched);
                  }

                  @Override
                  public void removed(ListEntry session) {
                    list.removed(session, steps, step.touched);
                  }
                }));
  }

  void add(LocalWatch stream) {
    changing(
        step -> {
          // As above: if it is ending, it has been removed already.
          if (!stream.isEnding()) {
            stream.begin();
            step.opened(stream.lifecycle);
            list.watches.add(stream);
          }
          return stream;
        });
  }

  void remove(LocalWatch stream) {
    WatchIndex.Group empty;
    lock.writeLock().lock();
    try {
      empty = list.watches.remove(stream);
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
      assertUnlocked();
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
      assertUnlocked();
      lifecycles.forEach(Lifecycle::notifyListeners);
    }
  }

  /** Asserts what the compiler cannot check: changes are functions, and run with the lock held. */
  private void assertLocked() {
    assert lock.isWriteLockedByCurrentThread() : "The directory is not locked.";
  }

  /** Asserts that foreign code may be called. */
  private void assertUnlocked() {
    assert !lock.isWriteLockedByCurrentThread() && lock.getReadHoldCount() == 0
        : "The directory is locked.";
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
    // A stack overflow inside could leave the lock held, so it must happen here.
    checkStack(HEADROOM, 1, 2, 3, 4);
    try {
      lock.writeLock().lock();
      try {
        steps++;
        return change.apply(step);
      } finally {
        lock.writeLock().unlock();
      }
    } finally {
      // Even if it has failed: a part of it may have been made.
      step.wake();
    }
  }

  /** Uses some stack, or throws a StackOverflowError before anything has happened. */
  private static long checkStack(int frames, long a, long b, long c, long d) {
    return frames == 0 ? a + b + c + d : checkStack(frames - 1, b, c, d, a) + a;
  }
}
