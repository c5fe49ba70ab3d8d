package io.peerbroker.core;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import org.jspecify.annotations.Nullable;

/**
 * The events of one channel, session or watch, from its beginning to its end: counted at once, and
 * reported to the listeners in order, however many threads cause them.
 *
 * <p>An event is noted while the lock that decides it is held, and reported afterwards. One thread
 * reports at a time; a thread that causes another event meanwhile leaves it to that one. All
 * changes are alike or alternate, so a count of steps and perhaps an end describe what is still to
 * report, and memory does not grow however slow a listener is. The lock is a leaf, except that a
 * session's lifecycle takes its host's.
 */
abstract class Lifecycle {

  /** How many steps a channel that comes from another broker has had at least: it waits. */
  static final long INTERRUPTED = 2;

  /** How many steps a session has had at least. */
  static final long OPENED = 1;

  private static final long NOTHING = 0;
  private static final long END = -1;

  /** After this many reports another thread continues. */
  private static final int TURN = 64;

  final Counters counters;
  private final Listeners listeners;

  /** The lifecycle whose end is reported after this one's; null for none. */
  private final @Nullable Lifecycle host;

  /** How many steps there were: it was opened, and changed. */
  @GuardedBy("this")
  private long steps;

  /** How many of them the listeners have been notified of, or are being notified of. */
  @GuardedBy("this")
  private long stepsNotified;

  /** Why it has ended; null while it has not. */
  @GuardedBy("this")
  private @Nullable CloseReason end;

  /** Whether the listeners have been notified of the end, or are being notified. */
  @GuardedBy("this")
  private boolean endNotified;

  /** Whether a thread notifies listeners, or will. */
  @GuardedBy("this")
  private boolean notifying;

  /** Set once: it goes on at another broker, which reports what follows. */
  @GuardedBy("this")
  private boolean left;

  /** How many lifecycles have this one as their host, and have not reported their end. */
  @GuardedBy("this")
  private int guests;

  Lifecycle(Counters counters, Listeners listeners, @Nullable Lifecycle host) {
    this.counters = counters;
    this.listeners = listeners;
    this.host = host;
  }

  /** Notes that it has been opened: the first step. */
  final void opened() {
    if (host != null) {
      host.addGuest(1);
    }
    step();
  }

  /**
   * Notes that it comes from another broker, which has counted and reported what was before.
   *
   * @param before how many steps that was
   */
  final void arrived(long before) {
    if (host != null) {
      host.addGuest(1);
    }
    synchronized (this) {
      steps = before;
      stepsNotified = before;
      countArrival();
    }
  }

  /**
   * Notes that it leaves for another broker. What has happened is still reported here; nothing that
   * follows is, and no end.
   */
  final synchronized void left() {
    if (isGoingOn()) {
      if (changesToLeave(steps)) {
        step();
      }
      left = true;
      countLeaving();
    }
  }

  @GuardedBy("this")
  private boolean isGoingOn() {
    return steps > 0 && end == null && !left;
  }

  /** Notes that it has changed: another step, unless it has not been opened or has ended. */
  final synchronized void changed() {
    if (isGoingOn()) {
      step();
    }
  }

  private synchronized void step() {
    count(++steps);
  }

  /** Notes that it has ended, if it has been opened; the first call sets the reason. */
  final synchronized void closed(CloseReason reason) {
    if (isGoingOn()) {
      end = reason;
      countEnd(reason, steps);
    }
  }

  private synchronized void addGuest(int more) {
    guests += more;
  }

  /**
   * Reports what has not been reported, unless another thread is doing so. Called outside all
   * locks.
   */
  final void notifyListeners() {
    if (listeners.isEmpty()) {
      return;
    }
    synchronized (this) {
      if (notifying) {
        return;
      }
      notifying = true;
    }
    ForeignCalls.runNotification(this::notifyPending);
  }

  private void notifyPending() {
    for (int i = 0; i < TURN; i++) {
      long next = next();
      if (next == NOTHING) {
        return;
      }
      if (next == END) {
        notifyEnd();
      } else {
        listeners.notifyEach(listener -> notifyStep(listener, next));
      }
    }
    // Otherwise other threads could occupy this one, which may be a container's, for as long as
    // they cause events faster than a listener takes them.
    listeners.notifyElsewhere(this::notifyPending);
  }

  private synchronized long next() {
    if (stepsNotified < steps) {
      return ++stepsNotified;
    }
    if (end != null && !endNotified && guests == 0) {
      endNotified = true;
      return END;
    }
    notifying = false;
    return NOTHING;
  }

  private void notifyEnd() {
    CloseReason reason;
    synchronized (this) {
      reason = end == null ? CloseReason.CLOSED : end;
    }
    listeners.notifyEach(listener -> notifyEnd(listener, reason));
    if (host != null) {
      host.addGuest(-1);
      host.notifyListeners();
    }
  }

  /** Counts a step; the first one is 1. */
  @GuardedBy("this")
  abstract void count(long step);

  /** Counts the end, which came after this many steps. */
  @GuardedBy("this")
  abstract void countEnd(CloseReason reason, long steps);

  /** Counts that it goes on here. */
  @GuardedBy("this")
  void countArrival() {}

  /** Returns whether, after this many steps, one more comes before it leaves. */
  boolean changesToLeave(long steps) {
    return false;
  }

  /** Counts that it no longer goes on here. */
  @GuardedBy("this")
  void countLeaving() {}

  /** Reports a step to a listener. */
  abstract void notifyStep(BrokerListener listener, long step);

  /** Reports the end to a listener. */
  abstract void notifyEnd(BrokerListener listener, CloseReason reason);

  /**
   * A channel is opened, then interrupted and resumed alternately. It leaves and arrives as one
   * that waits: the broker that it leaves reports that it is interrupted, and the other one that it
   * is resumed.
   */
  static final class OfChannel extends Lifecycle {

    private final Channel channel;

    OfChannel(Counters counters, Listeners listeners, Channel channel) {
      super(counters, listeners, null);
      this.channel = channel;
    }

    private static boolean isWaiting(long steps) {
      return steps % 2 == 0;
    }

    @Override
    void count(long step) {
      if (step == 1) {
        counters.channelsOpened.increment();
      } else if (isWaiting(step)) {
        counters.channelsInterrupted.increment();
        counters.channelsWaiting.increment();
      } else {
        counters.channelsResumed.increment();
        counters.channelsWaiting.decrement();
      }
    }

    @Override
    void countEnd(CloseReason reason, long steps) {
      counters.channelsClosed.increment(reason);
      if (isWaiting(steps)) {
        counters.channelsWaiting.decrement();
      }
    }

    @Override
    void countArrival() {
      counters.channelsWaiting.increment();
    }

    @Override
    boolean changesToLeave(long steps) {
      return !isWaiting(steps);
    }

    @Override
    void countLeaving() {
      counters.channelsWaiting.decrement();
    }

    @Override
    void notifyStep(BrokerListener listener, long step) {
      if (step == 1) {
        listener.channelOpened(channel);
      } else if (isWaiting(step)) {
        listener.channelInterrupted(channel);
      } else {
        listener.channelResumed(channel);
      }
    }

    @Override
    void notifyEnd(BrokerListener listener, CloseReason reason) {
      listener.channelClosed(channel, reason);
    }
  }

  /** A session is opened, then updated. */
  static final class OfSession extends Lifecycle {

    private final Session session;

    OfSession(Counters counters, Listeners listeners, Session session, Lifecycle host) {
      super(counters, listeners, host);
      this.session = session;
    }

    @Override
    void count(long step) {
      (step == 1 ? counters.sessionsOpened : counters.sessionsUpdated).increment();
    }

    @Override
    void countEnd(CloseReason reason, long steps) {
      counters.sessionsClosed.increment();
    }

    @Override
    void notifyStep(BrokerListener listener, long step) {
      if (step == 1) {
        listener.sessionOpened(session);
      } else {
        listener.sessionUpdated(session);
      }
    }

    @Override
    void notifyEnd(BrokerListener listener, CloseReason reason) {
      listener.sessionClosed(session);
    }
  }

  /** A watch is opened, and nothing else happens to it. */
  static final class OfWatch extends Lifecycle {

    private final Watch watch;

    OfWatch(Counters counters, Listeners listeners, Watch watch) {
      super(counters, listeners, null);
      this.watch = watch;
    }

    @Override
    void count(long step) {
      counters.watchesOpen.increment();
      counters.watchesOpened.increment();
    }

    @Override
    void countEnd(CloseReason reason, long steps) {
      counters.watchesOpen.decrement();
      counters.watchesClosed.increment(reason);
    }

    @Override
    void notifyStep(BrokerListener listener, long step) {
      listener.watchOpened(watch);
    }

    @Override
    void notifyEnd(BrokerListener listener, CloseReason reason) {
      listener.watchClosed(watch, reason);
    }
  }
}
