package io.peerbroker.core;

import org.jspecify.annotations.Nullable;

/**
 * What happens to one channel, session or watch, from its beginning to its end: counted at once,
 * and told to the listeners in order, however many threads make it happen.
 *
 * <p>It is noted while the lock is held that decides it, and told after that. One thread tells at a
 * time; whoever makes something happen meanwhile leaves it to that one. What is to be told is a
 * number of steps and perhaps an end, since changes are alike or come by turns; so however slow a
 * listener is, a story stays as small as it is. Its lock is a leaf, but that a session's takes its
 * host's.
 */
abstract class Lifecycle {

  private static final long NOTHING = 0;
  private static final long END = -1;

  /** After so many tellings another thread goes on. */
  private static final int TURN = 64;

  final Counters counters;

  /** The story that ends after this one has been told; null for none. */
  private final @Nullable Lifecycle host;

  // Guarded by this.
  private long steps;
  private long stepsNotified;
  private @Nullable CloseReason end;
  private boolean endNotified;
  private boolean notifying;
  private int guests;

  Lifecycle(Counters counters, @Nullable Lifecycle host) {
    this.counters = counters;
    this.host = host;
  }

  /** It has been opened: the first step. */
  final void opened() {
    if (host != null) {
      host.addGuest(1);
    }
    step();
  }

  /** It has changed: another step, unless it has not been opened or has ended. */
  final synchronized void changed() {
    if (steps > 0 && end == null) {
      step();
    }
  }

  private synchronized void step() {
    count(++steps);
  }

  /** It has ended, if it has been opened; the first who says so says why. */
  final synchronized void closed(CloseReason reason) {
    if (steps > 0 && end == null) {
      end = reason;
      countEnd(reason, steps);
    }
  }

  private synchronized void addGuest(int more) {
    guests += more;
  }

  /** Tells what has not been told, unless another thread is about it. Outside all locks. */
  final void notifyListeners() {
    if (!counters.hasListeners()) {
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
        counters.notifyEach(listener -> notifyStep(listener, next));
      }
    }
    // Else others could keep this thread, a container's perhaps, for as long as they make things
    // happen faster than a listener takes them.
    counters.notifyElsewhere(this::notifyPending);
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
    counters.notifyEach(listener -> notifyEnd(listener, reason));
    if (host != null) {
      host.addGuest(-1);
      host.notifyListeners();
    }
  }

  /** Counts a step, the first of which is 1, with the lock held. */
  abstract void count(long step);

  /** Counts the end after so many steps, with the lock held. */
  abstract void countEnd(CloseReason reason, long steps);

  /** Tells a listener of a step. */
  abstract void notifyStep(BrokerListener listener, long step);

  /** Tells a listener of the end. */
  abstract void notifyEnd(BrokerListener listener, CloseReason reason);

  /** A channel is opened, then interrupted and resumed by turns. */
  static final class OfChannel extends Lifecycle {

    private final Channel channel;

    OfChannel(Counters counters, Channel channel) {
      super(counters, null);
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

    OfSession(Counters counters, Session session, Lifecycle host) {
      super(counters, host);
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

    OfWatch(Counters counters, Watch watch) {
      super(counters, null);
      this.watch = watch;
    }

    @Override
    void count(long step) {
      counters.watchesOpened.increment();
    }

    @Override
    void countEnd(CloseReason reason, long steps) {
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
