package io.peerbroker.core;

import java.time.Duration;
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
final class Presence {

  private final LocalBroker broker;
  private final HostedChannel channel;
  private final Duration resume;
  private final Duration lease;

  /** The secret part of the events' ids, or null where the channel cannot be resumed. */
  private final @Nullable String secret;

  final Outbox outbox;
  private volatile long lastHeard;

  // Guarded by this; current is also read without, by whoever wakes it.
  private volatile @Nullable Stream current;

  /** The stream that broke last, while the reader may still come back; else null. */
  private @Nullable Stream lost;

  private boolean over;
  private Timer.@Nullable Scheduled task;

  Presence(LocalBroker broker, HostedChannel channel, ChannelOptions options) {
    this.broker = broker;
    this.channel = channel;
    Limits limits = broker.limits();
    resume = limits.grantResume(options.resume());
    lease = limits.grantLease(options.lease());
    secret = resume.isZero() ? null : broker.ids.key();
    outbox =
        new Outbox(
            limits,
            broker.budget,
            broker.replay,
            broker.absent,
            secret == null ? null : ResumeId.prefix(channel.id(), secret));
  }

  /** The broker's end of one stream of the channel. */
  final class Stream extends Link {

    @Override
    public @Nullable Envelope poll() {
      return outbox.poll(this);
    }

    @Override
    public void taken(int events) {
      outbox.taken(this, events);
    }

    @Override
    void detached(CloseReason reason) {
      Presence.this.lost(this, reason);
      broker.released(this);
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
    lastHeard = broker.timer().nanoTime();
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
  Outbox.Attached attach(Stream stream, long seen) {
    Stream before;
    boolean cameBack;
    synchronized (this) {
      Outbox.Attached attached = over ? Outbox.Attached.CLOSED : outbox.attach(stream, seen);
      if (attached != Outbox.Attached.DONE) {
        return attached;
      }
      before = current;
      cameBack = lost != null;
      if (before != null) {
        // The stream before had broken, and nobody has noticed.
        channel.story.changed();
      }
      if (before != null || cameBack) {
        channel.story.changed();
      }
      lost = null;
      current = stream;
      heard();
      unschedule();
      if (!lease.isZero()) {
        task = broker.timer().schedule(lease, () -> checkLease(stream));
      }
    }
    if (before != null) {
      before.end(CloseReason.SUPERSEDED);
    }
    if (cameBack) {
      // The stream has a seat of its own; the one that was kept for it is free.
      broker.freeSeat();
    }
    channel.story.tell();
    return Outbox.Attached.DONE;
  }

  private void checkLease(Stream stream) {
    synchronized (this) {
      if (current != stream || over) {
        return;
      }
      long left = lease.toNanos() - (broker.timer().nanoTime() - lastHeard);
      if (left > 0) {
        task = broker.timer().schedule(Duration.ofNanos(left), () -> checkLease(stream));
        return;
      }
    }
    stream.cut(CloseReason.GONE);
  }

  /** A stream is over. If it was the current one, the grace begins, or the channel ends. */
  private void lost(Stream stream, CloseReason reason) {
    boolean wasLast;
    boolean waits;
    synchronized (this) {
      wasLast = current == stream;
      waits = wasLast && !over && isResumable();
      if (wasLast) {
        current = null;
        unschedule();
      }
      if (waits) {
        lost = stream;
        outbox.detach(stream);
        channel.story.changed();
        task = broker.timer().schedule(resume, () -> expire(stream));
      }
    }
    if (waits) {
      channel.story.tell();
      return;
    }
    broker.freeSeat();
    if (wasLast) {
      channel.end(reason);
      letGo(reason);
    }
  }

  private void expire(Stream stream) {
    synchronized (this) {
      if (lost != stream) {
        return;
      }
      // Decided here: whoever comes back from now on comes too late.
      over = true;
      lost = null;
      task = null;
    }
    channel.end(CloseReason.EXPIRED);
    letGo(CloseReason.EXPIRED);
    broker.freeSeat();
  }

  /** The channel has closed: its stream is to end, or what was kept for one is let go. */
  void end(CloseReason reason) {
    Stream reader;
    boolean waited;
    synchronized (this) {
      if (over) {
        return;
      }
      over = true;
      reader = current;
      waited = lost != null;
      lost = null;
      unschedule();
    }
    if (reader != null) {
      reader.end(reason);
    }
    if (reader == null || reader.isDetached()) {
      // Detached even before it was attached, perhaps, by a broker that closes.
      letGo(reason);
    }
    if (waited) {
      broker.freeSeat();
    }
  }

  private void letGo(CloseReason reason) {
    for (Outbox.Leftover leftover : outbox.discard()) {
      broker.tellUndelivered(leftover, reason);
    }
  }

  /** Takes the task back that waits for its time, with the lock held. */
  private void unschedule() {
    if (task != null) {
      task.cancel();
      task = null;
    }
  }
}
