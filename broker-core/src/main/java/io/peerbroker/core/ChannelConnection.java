package io.peerbroker.core;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The connection between a channel and its reader: the current stream, the grace in which the
 * reader may come back after its stream has broken, the replay that it then gets, and the lease by
 * which its silence is noticed.
 *
 * <p>At most one stream is the current one; the newest wins. Several things can happen to a channel
 * at once: its stream breaks, another comes, the grace expires, it closes. The lock lets one of
 * them be first, and the others see its effect. The lock is held to set a few fields, to take the
 * outbox's own lock, and to schedule a task; streams are called after it is released.
 */
final class ChannelConnection implements WaitingChannels.Waiter {

  /** A decision that is later than this is postponed. */
  private static final Duration LATE = Duration.ofSeconds(1);

  private final LocalChannel.Parts parts;
  private final LocalChannel channel;
  private final Duration resume;
  private final Duration lease;

  /** The secret part of the events' ids, or null if the channel cannot be resumed. */
  private final @Nullable String secret;

  final Outbox outbox;
  private volatile long lastHeard;

  /** Not a monitor, since a timer may park the thread that schedules. */
  private final ReentrantLock lock = new ReentrantLock();

  /** The stream; null if there is none. Written with the lock held, read without to wake it. */
  private volatile @Nullable Stream current;

  /** The stream that broke last while the reader may still come back; otherwise null. */
  @GuardedBy("lock")
  private @Nullable Stream lost;

  /** Set once: the channel has closed, or its grace is over. */
  @GuardedBy("lock")
  private boolean over;

  /** Whether a new channel has taken a permit in place of this one. */
  @GuardedBy("lock")
  private boolean replaced;

  /** When the grace ends, or has ended last; zero before the first one has begun. */
  @GuardedBy("lock")
  private long graceEnds;

  /** What ends the grace, or checks the lease. */
  @GuardedBy("lock")
  private Timer.@Nullable Scheduled task;

  /** The lists that the streams carry; null until the first. Written with the lock held. */
  private volatile @Nullable ChannelWatches watches;

  /** Creates the connection of a new channel, with the grants that its client is told. */
  ChannelConnection(LocalChannel.Parts parts, LocalChannel channel, ChannelOptions options) {
    this(
        parts,
        channel,
        parts.limits.grantResume(options.resume()),
        parts.limits.grantLease(options.lease()),
        parts.limits.grantResume(options.resume()).isZero() ? null : parts.ids.key());
  }

  /**
   * Creates a connection.
   *
   * @param secret the secret part of the events' ids, or null if the channel cannot be resumed
   */
  ChannelConnection(
      LocalChannel.Parts parts,
      LocalChannel channel,
      Duration resume,
      Duration lease,
      @Nullable String secret) {
    this.parts = parts;
    this.channel = channel;
    this.resume = resume;
    this.lease = lease;
    this.secret = secret;
    outbox =
        new Outbox(
            parts.limits,
            channel.isOwn() ? parts.budgets.ownQueues : parts.budgets.queues,
            parts.budgets.replay,
            parts.absent,
            secret == null ? null : ResumeId.prefix(channel.id(), secret));
  }

  /** The broker's end of one stream of the channel. */
  final class Stream extends AbstractAttachment {

    /** Released when the stream has ended, and its reader is no longer waited for. */
    private final Permits.Permit permit;

    /** Used by the poller only; null until there are lists. */
    private @Nullable StreamTurns turns;

    Stream(Permits.Permit permit) {
      this.permit = permit;
    }

    @Override
    public @Nullable Envelope poll() {
      ChannelWatches lists = watches;
      return lists == null ? outbox.poll(this) : turns(lists).poll();
    }

    @Override
    public void consumed(int events) {
      ChannelWatches lists = watches;
      int messages = lists == null ? events : turns(lists).consumed(events);
      if (messages > 0) {
        outbox.consumed(this, messages, parts.timer.nanoTime());
      }
    }

    private StreamTurns turns(ChannelWatches lists) {
      StreamTurns taken = turns;
      if (taken == null) {
        taken = new StreamTurns(this, outbox, lists, parts.directory.wakes);
        turns = taken;
      }
      return taken;
    }

    @Override
    void detached(CloseReason reason) {
      try {
        ChannelConnection.this.lost(this, reason);
      } finally {
        parts.streams.remove(this);
      }
    }
  }

  Duration resume() {
    return resume;
  }

  Duration lease() {
    return lease;
  }

  boolean isResumable() {
    return secret != null;
  }

  /** Returns whether an event's id proves the right to continue this channel. */
  boolean isMine(ResumeId id) {
    return secret != null && id.cid().equals(channel.id()) && Ids.matches(secret, id.secret());
  }

  /** Notes that the client has been heard from. */
  void heard() {
    lastHeard = parts.timer.nanoTime();
  }

  /** Returns whether a stream is attached, as far as the broker knows. */
  boolean isAttached() {
    return current != null;
  }

  /**
   * Notes that the reader has seen all events up to one; returns false if that event was never
   * sent.
   */
  boolean confirm(long number) {
    return outbox.confirm(number, parts.timer.nanoTime());
  }

  /**
   * Breaks off the stream if its reader has confirmed nothing new for this long although events
   * were written to it. When it comes back, it gets the events that it has not seen again.
   */
  void cutIfSuspect(Duration patience) {
    if (outbox.suspect(patience, parts.timer.nanoTime()) instanceof Stream dead) {
      dead.cut(CloseReason.GONE);
    }
  }

  /** Notifies the reader, if it is attached, that an event is queued for it. */
  void wake() {
    Stream reader = current;
    if (reader != null) {
      reader.wake();
    }
  }

  /**
   * Returns the lists that the streams carry.
   *
   * @throws RefusedException {@code unknown_channel} if the channel has closed
   */
  ChannelWatches watches() {
    ChannelWatches lists;
    lock.lock();
    try {
      lists = watches;
      if (lists == null && !over && !outbox.hasMoved()) {
        lists =
            new ChannelWatches(
                parts.limits.maxWatchesPerChannel(),
                parts.streams,
                () -> current,
                isResumable(),
                channel::refused);
        watches = lists;
      }
    } finally {
      lock.unlock();
    }
    if (lists == null) {
      // Listeners are notified of it: not under the lock.
      throw channel.refused(new RefusedException(Refusals.unknownChannel()));
    }
    return lists;
  }

  /** Ends a list, if there is one of this name. */
  void unwatch(String name) {
    ChannelWatches lists = watches;
    if (lists != null) {
      lists.unwatch(name);
    }
  }

  /** Begins the lists anew on a stream with which a caller has come back. */
  void watchAgain(Stream stream, ChannelWatches.Viewer viewer) {
    ChannelWatches lists = watches;
    if (lists != null) {
      lists.attached(stream, viewer);
    }
  }

  /** Ends all lists of a channel that has left its broker, and returns them. */
  ChannelState.Lists takeLists() {
    ChannelWatches lists;
    lock.lock();
    try {
      // From here on none are created.
      lists = watches;
    } finally {
      lock.unlock();
    }
    return lists == null ? ChannelState.Lists.NONE : lists.takeOut();
  }

  /** Ends all lists. Called after it has been decided that the channel is over. */
  private void closeWatches(CloseReason reason) {
    ChannelWatches lists = watches;
    if (lists != null) {
      lists.close(reason);
    }
  }

  /**
   * Makes a stream the current one, which continues after the last event that its reader has seen.
   * If this fails, nothing has changed.
   */
  Outbox.AttachResult attach(Stream stream, long seen) {
    Stream before;
    Stream broken;
    lock.lock();
    try {
      if (over) {
        return Outbox.AttachResult.CLOSED;
      }
      // First, since the timer is foreign code and may fail. If the task is due at once, it waits
      // for the lock.
      Timer.Scheduled watch =
          lease.isZero() ? null : schedule(lease, due -> checkLease(stream, due));
      Outbox.AttachResult attached = outbox.attach(stream, seen);
      if (attached != Outbox.AttachResult.DONE) {
        cancel(watch);
        return attached;
      }
      before = current;
      broken = lost;
      if (before != null) {
        // The previous stream had broken, which the broker had not noticed.
        channel.lifecycle.changed();
      }
      if (before != null || broken != null) {
        channel.lifecycle.changed();
      }
      if (broken != null) {
        parts.streams.waiting.remove(this);
      }
      lost = null;
      current = stream;
      heard();
      cancel(task);
      task = watch;
    } finally {
      lock.unlock();
    }
    if (before != null) {
      before.end(CloseReason.SUPERSEDED);
    }
    if (broken != null) {
      // The new stream has a permit of its own; the one that was kept for it is freed.
      broken.permit.release();
    }
    channel.lifecycle.notifyListeners();
    return Outbox.AttachResult.DONE;
  }

  /** Cuts off a stream whose client has not been heard from for the lease. */
  private void checkLease(Stream stream, long due) {
    lock.lock();
    try {
      if (current != stream || over) {
        return;
      }
      long now = parts.timer.nanoTime();
      long left = lease.toNanos() - (now - lastHeard);
      if (left <= 0) {
        left = indulgence(now - due, lease);
      }
      if (left > 0) {
        task = schedule(Duration.ofNanos(left), next -> checkLease(stream, next));
        return;
      }
      task = null;
    } catch (RuntimeException | Error unscheduled) {
      // Otherwise the lease would never be checked again.
      ForeignCalls.log("The timer has rejected a task; a stream with a lease ends", unscheduled);
    } finally {
      lock.unlock();
    }
    stream.cut(CloseReason.GONE);
  }

  /**
   * Returns for how much longer to wait for a reader whose time is up, in nanoseconds.
   *
   * <p>If the broker itself is late, for example after a pause of its process, requests that
   * clients sent in time wait in sockets and are read only now. So clients get extra time: as much
   * as the broker was late, and at most the agreed time.
   */
  private static long indulgence(long late, Duration agreed) {
    return late < LATE.toNanos() ? 0 : Math.min(late, agreed.toNanos());
  }

  /**
   * Notes that a stream is over. If it was the current one, the grace begins, or the channel ends.
   */
  private void lost(Stream stream, CloseReason reason) {
    boolean wasLast;
    boolean waits;
    lock.lock();
    try {
      wasLast = current == stream;
      if (wasLast) {
        current = null;
        cancel(task);
        task = null;
      }
      waits = wasLast && !over && isResumable() && beginGrace(stream, resume);
    } finally {
      lock.unlock();
    }
    try {
      ChannelWatches lists = watches;
      if (lists != null) {
        lists.detached(stream);
      }
    } finally {
      if (waits) {
        channel.lifecycle.notifyListeners();
      } else {
        stream.permit.release();
        if (wasLast) {
          endAfterLast(reason);
        }
      }
    }
  }

  /** Ends the channel with its last stream. */
  private void endAfterLast(CloseReason reason) {
    try {
      channel.end(reason);
    } finally {
      letGo(reason);
    }
  }

  /**
   * Begins to wait for the reader; returns false if the timer rejects the task that ends the grace.
   * Called with the lock held.
   */
  @GuardedBy("lock")
  private boolean beginGrace(Stream stream, Duration grace) {
    try {
      graceEnds = parts.timer.nanoTime() + grace.toNanos();
      task = schedule(grace, due -> expire(stream, due));
    } catch (RuntimeException | Error unscheduled) {
      ForeignCalls.log("The timer has rejected a task; a channel ends without grace", unscheduled);
      return false;
    }
    lost = stream;
    parts.streams.waiting.add(this);
    outbox.detach(stream);
    channel.lifecycle.changed();
    return true;
  }

  /**
   * Begins to wait for the reader of a channel that comes from another broker.
   *
   * @param stream takes the place of the one that has broken, and holds the permit
   * @param grace what is left of it
   * @throws IllegalStateException if the timer rejects the task that ends the grace
   */
  void await(Stream stream, Duration grace) {
    lock.lock();
    try {
      if (!beginGrace(stream, grace)) {
        throw new IllegalStateException("The timer has rejected a task; see the log.");
      }
    } finally {
      lock.unlock();
    }
  }

  /** Returns how much is left of the grace: all of it while a stream is attached. */
  Duration graceLeft() {
    lock.lock();
    try {
      return current != null
          ? resume
          : Duration.ofNanos(Math.max(0, graceEnds - parts.timer.nanoTime()));
    } finally {
      lock.unlock();
    }
  }

  /** Decides that the reader has not come back; the consequences are carried out elsewhere. */
  private void expire(Stream stream, long due) {
    // Allocated before the decision: after it, the permit must come back even without memory.
    Expired expired = new Expired(stream.permit);
    lock.lock();
    try {
      if (lost != stream) {
        return;
      }
      long left = indulgence(parts.timer.nanoTime() - due, resume);
      if (left > 0 && waitOn(stream, left)) {
        return;
      }
      stopWaiting();
    } finally {
      lock.unlock();
    }
    parts.expiries.add(expired);
  }

  @GuardedBy("lock")
  private boolean waitOn(Stream stream, long nanos) {
    try {
      task = schedule(Duration.ofNanos(nanos), due -> expire(stream, due));
      return true;
    } catch (RuntimeException | Error unscheduled) {
      ForeignCalls.log(
          "The timer has rejected a task; a channel ends without extra time", unscheduled);
      return false;
    }
  }

  /** Decides that a client that comes back from now on is too late. Called with the lock held. */
  @GuardedBy("lock")
  private void stopWaiting() {
    over = true;
    lost = null;
    parts.streams.waiting.remove(this);
    task = null;
  }

  /**
   * Ends the grace early, if it has begun and not ended, so that another channel gets the permit.
   */
  @Override
  public void giveWay() {
    Expired expired;
    lock.lock();
    try {
      if (lost == null) {
        return;
      }
      expired = new Expired(lost.permit);
      cancel(task);
      stopWaiting();
    } finally {
      lock.unlock();
    }
    try {
      expired.close();
    } finally {
      expired.closed();
    }
  }

  /** The end of the channel, of whose reader it has been decided that it does not come back. */
  private final class Expired implements ExpiryQueue.Expiry {

    private final Permits.Permit permit;

    /** What notifies listeners, once the channel has closed. */
    private @Nullable Runnable notification;

    Expired(Permits.Permit permit) {
      this.permit = permit;
    }

    @Override
    public void close() {
      notification = channel.closeExpired();
    }

    @Override
    public void closed() {
      try {
        if (notification != null) {
          notification.run();
        }
      } finally {
        try {
          closeWatches(CloseReason.EXPIRED);
        } finally {
          release();
        }
      }
    }

    private void release() {
      try {
        letGo(CloseReason.EXPIRED);
      } finally {
        permit.release();
      }
    }
  }

  /**
   * Takes a permit for a new channel even if none is free: this channel is about to close and to
   * free its own.
   *
   * @return null where another has done so, or this one has closed
   */
  Permits.@Nullable Permit permitSuccessor(Permits permits) {
    lock.lock();
    try {
      if (over || replaced) {
        return null;
      }
      Permits.Permit permit = permits.takeAnyway();
      replaced = true;
      return permit;
    } finally {
      lock.unlock();
    }
  }

  /** Ends the stream of a closed channel, or frees what was kept for one. */
  void end(CloseReason reason) {
    Stream reader;
    Stream broken;
    lock.lock();
    try {
      if (over) {
        return;
      }
      over = true;
      reader = current;
      broken = lost;
      if (broken != null) {
        parts.streams.waiting.remove(this);
      }
      lost = null;
      cancel(task);
      task = null;
    } finally {
      lock.unlock();
    }
    if (broken != null) {
      broken.permit.release();
    }
    try {
      closeWatches(reason);
    } finally {
      if (reader != null) {
        reader.end(reason);
      }
      if (reader == null || reader.isDetached()) {
        // A broker that closes may have detached it even before it was attached.
        letGo(reason);
      }
    }
  }

  private void letGo(CloseReason reason) {
    for (Outbox.QueuedMessage leftover : outbox.discard()) {
      parts.router.notifyUndelivered(leftover, reason);
    }
  }

  /**
   * Schedules a task.
   *
   * @param task receives the time at which it is due
   */
  private Timer.Scheduled schedule(Duration delay, LongConsumer task) {
    long due = parts.timer.nanoTime() + delay.toNanos();
    return parts.timer.schedule(delay, () -> task.accept(due));
  }

  private static void cancel(Timer.@Nullable Scheduled task) {
    if (task != null) {
      // The timer may be the application's: an exception from it must not skip the rest.
      ForeignCalls.runLogged(task::cancel);
    }
  }
}
