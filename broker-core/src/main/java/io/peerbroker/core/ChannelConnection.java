package io.peerbroker.core;

import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Whether a channel's reader is there, and what happens when it is not: the time of grace in which
 * it may come back, what it is then given again, and the lease by which its silence is noticed.
 *
 * <p>At most one stream is the current one; the newest wins. Of all that can happen to a channel at
 * once (its stream breaks, another comes, the grace runs out, it closes) the lock lets one be
 * first, and the others find that it was. The lock is held for a few fields, the outbox's own lock,
 * and to schedule a task; streams are called after it.
 */
final class ChannelConnection implements WaitingChannels.Waiter {

  /** A decision that comes later than this is put off. */
  private static final Duration LATE = Duration.ofSeconds(1);

  private final LocalChannel.Parts parts;
  private final LocalChannel channel;
  private final Duration resume;
  private final Duration lease;

  /** The secret part of the events' ids, or null where the channel cannot be resumed. */
  private final @Nullable String secret;

  final Outbox outbox;
  private volatile long lastHeard;

  /** Not a monitor, since a timer may park the thread that schedules. */
  private final ReentrantLock lock = new ReentrantLock();

  // Guarded by the lock; current is also read without, by whoever wakes it.
  private volatile @Nullable Stream current;

  /** The stream that broke last, while the reader may still come back; else null. */
  private @Nullable Stream lost;

  private boolean over;

  /** Whether a new channel has taken a permit in the place of this one. */
  private boolean replaced;

  private Timer.@Nullable Scheduled task;

  ChannelConnection(LocalChannel.Parts parts, LocalChannel channel, ChannelOptions options) {
    this.parts = parts;
    this.channel = channel;
    Limits limits = parts.limits;
    resume = limits.grantResume(options.resume());
    lease = limits.grantLease(options.lease());
    secret = resume.isZero() ? null : parts.ids.key();
    outbox =
        new Outbox(
            limits,
            channel.isOwn() ? parts.ownBudget : parts.budget,
            parts.replay,
            parts.absent,
            secret == null ? null : ResumeId.prefix(channel.id(), secret));
  }

  /** The broker's end of one stream of the channel. */
  final class Stream extends AbstractAttachment {

    /** Released when the stream has ended, and its reader is no longer waited for. */
    private final Permits.Permit permit;

    Stream(Permits.Permit permit) {
      this.permit = permit;
    }

    @Override
    public @Nullable Envelope poll() {
      return outbox.poll(this);
    }

    @Override
    public void consumed(int events) {
      outbox.consumed(this, events, parts.timer.nanoTime());
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

  /** Whether an event's id proves the right to go on with this channel. */
  boolean isMine(ResumeId id) {
    return secret != null && id.cid().equals(channel.id()) && Ids.matches(secret, id.secret());
  }

  /** The client has been heard from. */
  void heard() {
    lastHeard = parts.timer.nanoTime();
  }

  /** Whether a stream is there, as far as the broker knows. */
  boolean isAttached() {
    return current != null;
  }

  /** The reader says that it has seen all events up to one; false if there has been none such. */
  boolean confirm(long number) {
    return outbox.confirm(number, parts.timer.nanoTime());
  }

  /**
   * Breaks the stream off whose reader says nothing new though something has been written to it for
   * so long. What it has not seen is given again when it comes back.
   */
  void cutIfSuspect(Duration patience) {
    if (outbox.suspect(patience, parts.timer.nanoTime()) instanceof Stream dead) {
      dead.cut(CloseReason.GONE);
    }
  }

  /** Tells the reader, if it is there, that something is queued for it. */
  void wake() {
    Stream reader = current;
    if (reader != null) {
      reader.wake();
    }
  }

  /**
   * Makes a stream the current one, after the last event that its reader has seen. Unless this
   * succeeds nothing has changed.
   */
  Outbox.AttachResult attach(Stream stream, long seen) {
    Stream before;
    Stream broken;
    lock.lock();
    try {
      if (over) {
        return Outbox.AttachResult.CLOSED;
      }
      // First, since it is foreign and may fail. Should it be due at once, it waits for the lock.
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
        // The stream before had broken, and nobody has noticed.
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
      // The stream has a permit of its own; the one that was kept for it is free.
      broken.permit.release();
    }
    channel.lifecycle.notifyListeners();
    return Outbox.AttachResult.DONE;
  }

  /** Cuts a stream off whose reader has not been heard of for the lease. */
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
      // Nobody would ever look again.
      ForeignCalls.log("The timer has refused a task; a stream with a lease ends", unscheduled);
    } finally {
      lock.unlock();
    }
    stream.cut(CloseReason.GONE);
  }

  /**
   * Returns for how much longer a reader is waited for when its time is up, in nanoseconds.
   *
   * <p>When the broker itself has been late, as after a pause of its process, what its clients have
   * sent in time waits in sockets and is read only now. So they have as long as it was late, and no
   * longer than was agreed.
   */
  private static long indulgence(long late, Duration agreed) {
    return late < LATE.toNanos() ? 0 : Math.min(late, agreed.toNanos());
  }

  /** A stream is over. If it was the current one, the grace begins, or the channel ends. */
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
      waits = wasLast && !over && isResumable() && beginGrace(stream);
    } finally {
      lock.unlock();
    }
    if (waits) {
      channel.lifecycle.notifyListeners();
      return;
    }
    stream.permit.release();
    if (wasLast) {
      try {
        channel.end(reason);
      } finally {
        letGo(reason);
      }
    }
  }

  /** Waits for the reader, with the lock held; false if there is no timer to end that. */
  private boolean beginGrace(Stream stream) {
    try {
      task = schedule(resume, due -> expire(stream, due));
    } catch (RuntimeException | Error unscheduled) {
      ForeignCalls.log("The timer has refused a task; a channel ends without grace", unscheduled);
      return false;
    }
    lost = stream;
    parts.streams.waiting.add(this);
    outbox.detach(stream);
    channel.lifecycle.changed();
    return true;
  }

  /** Decides that nobody has come back; what follows from it is done elsewhere. */
  private void expire(Stream stream, long due) {
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
    parts.expiries.add(() -> closeExpired(stream.permit));
  }

  private boolean waitOn(Stream stream, long nanos) {
    try {
      task = schedule(Duration.ofNanos(nanos), due -> expire(stream, due));
      return true;
    } catch (RuntimeException | Error unscheduled) {
      ForeignCalls.log("The timer has refused a task; a channel ends in time", unscheduled);
      return false;
    }
  }

  /** Decides, with the lock held: a client that comes back from now on comes too late. */
  private void stopWaiting() {
    over = true;
    lost = null;
    parts.streams.waiting.remove(this);
    task = null;
  }

  /** Ends the grace early, if it has begun and not ended, so that another has the permit. */
  @Override
  public void giveWay() {
    Stream broken;
    lock.lock();
    try {
      broken = lost;
      if (broken == null) {
        return;
      }
      cancel(task);
      stopWaiting();
    } finally {
      lock.unlock();
    }
    closeExpired(broken.permit).run();
  }

  /**
   * Closes the channel, of whose reader it has been decided that it does not come back.
   *
   * @return what follows: those concerned are notified, and what was kept is let go
   */
  private Runnable closeExpired(Permits.Permit permit) {
    Runnable closed = channel.closeExpired();
    return () -> {
      try {
        closed.run();
      } finally {
        try {
          letGo(CloseReason.EXPIRED);
        } finally {
          permit.release();
        }
      }
    };
  }

  /**
   * Takes a permit for a new channel, unasked: this one is to close and give its own back in a
   * moment.
   *
   * @return null where another has done so, or this one has closed
   */
  Permits.@Nullable Permit permitSuccessor(Permits permits) {
    lock.lock();
    try {
      if (over || replaced) {
        return null;
      }
      replaced = true;
      return permits.takeAnyway();
    } finally {
      lock.unlock();
    }
  }

  /** The channel has closed: its stream is to end, or what was kept for one is let go. */
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
    if (reader != null) {
      reader.end(reason);
    }
    if (reader == null || reader.isDetached()) {
      // Detached even before it was attached, perhaps, by a broker that closes.
      letGo(reason);
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
   * @param task is given the time at which it is due
   */
  private Timer.Scheduled schedule(Duration delay, LongConsumer task) {
    long due = parts.timer.nanoTime() + delay.toNanos();
    return parts.timer.schedule(delay, () -> task.accept(due));
  }

  private static void cancel(Timer.@Nullable Scheduled task) {
    if (task != null) {
      // A timer of the application's: what it throws must not leave the rest undone.
      ForeignCalls.runLogged(task::cancel);
    }
  }
}
