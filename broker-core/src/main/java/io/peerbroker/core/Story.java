package io.peerbroker.core;

import org.jspecify.annotations.Nullable;

/**
 * What happens to one channel, session or live list, from its beginning to its end: counted at
 * once, and told to the listeners in order, however many threads make it happen.
 *
 * <p>It is noted while the lock is held that decides it, and told after that. One thread tells at a
 * time; whoever makes something happen meanwhile leaves it to that one. What is to be told is a
 * number of steps and perhaps an end, since changes are alike or come by turns; so however slow a
 * listener is, a story stays as small as it is. Its lock is a leaf, but that a session's takes its
 * host's.
 */
abstract class Story {

  private static final long NOTHING = 0;
  private static final long END = -1;

  /** After so many tellings another thread goes on. */
  private static final int TURN = 64;

  final Tally tally;

  /** The story that ends after this one has been told; null for none. */
  private final @Nullable Story host;

  // Guarded by this.
  private long steps;
  private long stepsTold;
  private @Nullable CloseReason end;
  private boolean endTold;
  private boolean telling;
  private int guests;

  Story(Tally tally, @Nullable Story host) {
    this.tally = tally;
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
  final void tell() {
    if (!tally.hasListeners()) {
      return;
    }
    synchronized (this) {
      if (telling) {
        return;
      }
      telling = true;
    }
    ForeignCalls.tell(this::tellAll);
  }

  private void tellAll() {
    for (int i = 0; i < TURN; i++) {
      long next = next();
      if (next == NOTHING) {
        return;
      }
      if (next == END) {
        tellEnd();
      } else {
        tally.tellEach(listener -> tell(listener, next));
      }
    }
    // Else others could keep this thread, a container's perhaps, for as long as they make things
    // happen faster than a listener takes them.
    tally.tellAside(this::tellAll);
  }

  private synchronized long next() {
    if (stepsTold < steps) {
      return ++stepsTold;
    }
    if (end != null && !endTold && guests == 0) {
      endTold = true;
      return END;
    }
    telling = false;
    return NOTHING;
  }

  private void tellEnd() {
    CloseReason reason;
    synchronized (this) {
      reason = end == null ? CloseReason.CLOSED : end;
    }
    tally.tellEach(listener -> tellEnd(listener, reason));
    if (host != null) {
      host.addGuest(-1);
      host.tell();
    }
  }

  /** Counts a step, the first of which is 1, with the lock held. */
  abstract void count(long step);

  /** Counts the end after so many steps, with the lock held. */
  abstract void countEnd(CloseReason reason, long steps);

  /** Tells a listener of a step. */
  abstract void tell(BrokerListener listener, long step);

  /** Tells a listener of the end. */
  abstract void tellEnd(BrokerListener listener, CloseReason reason);

  /** A channel is opened, then interrupted and resumed by turns. */
  static final class OfChannel extends Story {

    private final Channel channel;

    OfChannel(Tally tally, Channel channel) {
      super(tally, null);
      this.channel = channel;
    }

    private static boolean isWaiting(long steps) {
      return steps % 2 == 0;
    }

    @Override
    void count(long step) {
      if (step == 1) {
        tally.channelsOpened.increment();
      } else if (isWaiting(step)) {
        tally.channelsInterrupted.increment();
        tally.channelsWaiting.increment();
      } else {
        tally.channelsResumed.increment();
        tally.channelsWaiting.decrement();
      }
    }

    @Override
    void countEnd(CloseReason reason, long steps) {
      tally.channelsClosed.increment(reason);
      if (isWaiting(steps)) {
        tally.channelsWaiting.decrement();
      }
    }

    @Override
    void tell(BrokerListener listener, long step) {
      if (step == 1) {
        listener.channelOpened(channel);
      } else if (isWaiting(step)) {
        listener.channelInterrupted(channel);
      } else {
        listener.channelResumed(channel);
      }
    }

    @Override
    void tellEnd(BrokerListener listener, CloseReason reason) {
      listener.channelClosed(channel, reason);
    }
  }

  /** A session is opened, then updated. */
  static final class OfSession extends Story {

    private final Session session;

    OfSession(Tally tally, Session session, Story host) {
      super(tally, host);
      this.session = session;
    }

    @Override
    void count(long step) {
      (step == 1 ? tally.sessionsOpened : tally.sessionsUpdated).increment();
    }

    @Override
    void countEnd(CloseReason reason, long steps) {
      tally.sessionsClosed.increment();
    }

    @Override
    void tell(BrokerListener listener, long step) {
      if (step == 1) {
        listener.sessionOpened(session);
      } else {
        listener.sessionUpdated(session);
      }
    }

    @Override
    void tellEnd(BrokerListener listener, CloseReason reason) {
      listener.sessionClosed(session);
    }
  }

  /** A live list is opened, and nothing else happens to it. */
  static final class OfWatch extends Story {

    private final Watch watch;

    OfWatch(Tally tally, Watch watch) {
      super(tally, null);
      this.watch = watch;
    }

    @Override
    void count(long step) {
      tally.watchesOpened.increment();
    }

    @Override
    void countEnd(CloseReason reason, long steps) {
      tally.watchesClosed.increment(reason);
    }

    @Override
    void tell(BrokerListener listener, long step) {
      listener.watchOpened(watch);
    }

    @Override
    void tellEnd(BrokerListener listener, CloseReason reason) {
      listener.watchClosed(watch, reason);
    }
  }
}
