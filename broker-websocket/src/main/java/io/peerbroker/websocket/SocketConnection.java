package io.peerbroker.websocket;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.peerbroker.core.Attachment;
import io.peerbroker.core.CloseReason;
import io.peerbroker.core.Envelope;
import io.peerbroker.core.Timer;
import io.peerbroker.core.Transport;
import jakarta.websocket.CloseReason.CloseCodes;
import jakarta.websocket.RemoteEndpoint;
import jakarta.websocket.SendResult;
import jakarta.websocket.Session;
import java.time.Duration;
import java.util.Collection;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The connection of one WebSocket: it writes the frames of a protocol without waiting, gives up a
 * client that takes nothing, and ends once. For this module, and for {@code broker-peerjs}; not for
 * others, since it may change with each version.
 *
 * <p>One frame at a time is on its way to the network: Tomcat accepts no second one, and others
 * would keep it without a bound. What follows stays where it is until that frame has been taken:
 * events in the channel's queue, a protocol's own frames with the protocol. Of all threads that
 * call {@link #drain} one becomes the owner, asks for frames and sends, and goes on until nothing
 * is left or a frame is on its way; the callback that follows the frame, which may come inside the
 * call that sends it, goes on then.
 *
 * <p>Safe for use by many threads; no method but {@link #closeAll} waits for the client.
 */
public final class SocketConnection implements Transport {

  /** What is said over a connection. */
  public interface Protocol {

    /**
     * Returns the next frame, which the client takes now, or null if there is none: of the
     * protocol's own, or of an event that {@link SocketConnection#poll} returns. Called by one
     * thread at a time.
     *
     * @param ending why the stream has ended, once it has; then nothing more is queued
     */
    byte @Nullable [] next(@Nullable CloseReason ending);

    /**
     * Returns how the connection must be closed once there is no frame, or null if it stays open.
     * Called after {@link #next} by the same thread.
     */
    jakarta.websocket.@Nullable CloseReason closing(@Nullable CloseReason ending);

    /** Returns how a connection is closed whose client takes nothing. */
    jakarta.websocket.CloseReason stalled();

    /** Returns how a connection is closed whose client sends what is no text. */
    jakarta.websocket.CloseReason binary();

    /** Takes a part of a text message. Called by one thread at a time, unless this is over. */
    void received(String part, boolean last);

    /**
     * Does what is due by now, and returns in how many nanoseconds to ask again at the latest. What
     * may have become due to be sent is asked for afterwards.
     *
     * @param busy whether a frame is on its way, or there is no connection yet
     */
    long check(long now, boolean busy);

    /** The connection is over: nothing more is sent or received. Called once, on any thread. */
    void ended();

    /** The connection is closed for the container too. May be called again. */
    void closed();
  }

  private final Protocol protocol;
  private final Timer timer;
  private final Duration writeTimeout;
  private final Duration drainTimeout;
  private final SocketCloser closer;

  private final AtomicInteger wakeups = new AtomicInteger();
  private final AtomicBoolean over = new AtomicBoolean();

  private volatile @Nullable Attachment attachment;
  private volatile @Nullable CloseReason ending;
  private volatile @Nullable Session session;
  private volatile RemoteEndpoint.@Nullable Async remote;

  /** Whether a frame is on its way to the network. Set by the owner, cleared by the callback. */
  private volatile boolean inFlight;

  /** Since when that is, or the connection is waited for. */
  private volatile long waitingSince;

  private volatile Timer.@Nullable Scheduled scheduled;

  /** What ends it if it does not end by itself. */
  private volatile Timer.@Nullable Scheduled draining;

  /** Whether the frame that was sent last was an event's. Used by the owner only. */
  private boolean eventGiven;

  /** Since when the client had taken nothing at the last look. Used by the task only. */
  private long stuckSince;

  /**
   * Creates one that is yet to be made by the container, and to be started.
   *
   * @param writeTimeout after how long a client is given up that takes nothing
   * @param drainTimeout how long it may take to end
   */
  public SocketConnection(
      Protocol protocol, Timer timer, Duration writeTimeout, Duration drainTimeout) {
    this.protocol = Objects.requireNonNull(protocol, "protocol");
    this.timer = Objects.requireNonNull(timer, "timer");
    this.writeTimeout = Objects.requireNonNull(writeTimeout, "writeTimeout");
    this.drainTimeout = Objects.requireNonNull(drainTimeout, "drainTimeout");
    closer = new SocketCloser(timer);
    waitingSince = timer.nanoTime();
    stuckSince = waitingSince - 1;
  }

  /** Begins to look after the client, also while it is not connected. Called once. */
  public void start() {
    tick();
  }

  /** Takes the broker's end of the channel's stream, and returns this. */
  public Transport attach(Attachment given) {
    attachment = given;
    if (over.get()) {
      given.detach(CloseReason.GONE);
    }
    return this;
  }

  /** Detaches the channel's stream, if there is one, and leaves the connection open. */
  public void detach(CloseReason reason) {
    Attachment left = attachment;
    if (left != null) {
      left.detach(reason);
    }
  }

  /** Returns whether this is over: nothing more is sent or received. */
  public boolean isOver() {
    return over.get();
  }

  /** Returns whether the container has made the connection. */
  boolean isConnected() {
    return session != null;
  }

  /** The container has made the connection. Returns false if it comes too late, and is closed. */
  boolean connected(Session given) {
    RemoteEndpoint.Async async = SocketCloser.prepare(given, writeTimeout);
    session = given;
    // Read after the session was written, as the thread that ends this reads it after that.
    if (over.get()) {
      SocketCloser.close(given, cut());
      return false;
    }
    remote = async;
    drain();
    return true;
  }

  /** The connection is gone. */
  void disconnected() {
    protocol.closed();
    if (isLast()) {
      detach(CloseReason.GONE);
    }
  }

  /** The container reports a failure, after which it closes the connection, or should. */
  void failed(Throwable failure) {
    Log.log(System.Logger.Level.DEBUG, "A WebSocket failed", failure);
    lost(CloseReason.GONE);
  }

  /** Takes a part of a text message. Called by one thread at a time. */
  void received(String part, boolean last) {
    if (!over.get()) {
      protocol.received(part, last);
    }
  }

  /** Takes a message that is no text. */
  void receivedBinary() {
    cutOff(CloseReason.GONE, protocol.binary());
  }

  /** Ends the connection in any state. */
  public void abort() {
    cutOff(CloseReason.GONE, cut());
  }

  /** Ends the connection in any state, and closes it on this thread if that is yet to be done. */
  private void closeNow() {
    abort();
    closer.closeNow();
  }

  /**
   * Ends the connections of an application that stops, and closes them side by side. Waits for at
   * most 5 s until all are closed; after that, or an interrupt, it goes on without this thread.
   */
  public static void closeAll(Collection<SocketConnection> connections) {
    SocketCloser.closeAll(
        connections.stream().<Runnable>map(connection -> connection::closeNow).toList());
  }

  @Override
  public void ready() {
    drain();
  }

  @Override
  public void end(CloseReason reason) {
    ending = reason;
    draining = timer.schedule(drainTimeout, this::abort);
    if (over.get()) {
      cancel(draining);
    }
    drain();
  }

  /** Sends what there is to send, unless a frame is on its way. */
  public void drain() {
    if (wakeups.getAndIncrement() != 0) {
      return;
    }
    int seen = 1;
    do {
      try {
        send();
      } catch (Throwable failure) {
        // Errors too: the channel would keep its place for ever.
        abort();
        Log.log(System.Logger.Level.ERROR, "A WebSocket failed; it ends", failure);
      }
      seen = wakeups.addAndGet(-seen);
    } while (seen != 0);
  }

  private void send() {
    RemoteEndpoint.Async connection = remote;
    while (connection != null && !inFlight && !over.get()) {
      if (eventGiven) {
        skip();
      }
      // Read before the queue: once the broker has ended the stream, it queues nothing more.
      CloseReason reason = ending;
      byte[] frame = protocol.next(reason);
      if (frame == null) {
        jakarta.websocket.CloseReason closing = protocol.closing(reason);
        if (closing != null) {
          leave(closing);
        }
        return;
      }
      waitingSince = timer.nanoTime();
      inFlight = true;
      try {
        connection.sendText(new String(frame, UTF_8), this::sent);
      } catch (RuntimeException closed) {
        // Its end is reported, too, or should be.
        lost(CloseReason.GONE);
      }
    }
  }

  /**
   * Returns the channel's next event, or null if there is none. Called by {@link Protocol#next},
   * which makes its frame, or skips it.
   */
  public @Nullable Envelope poll() {
    Attachment from = attachment;
    Envelope envelope = from == null ? null : from.poll();
    eventGiven = envelope != null;
    return envelope;
  }

  /** Notes that the event of {@link #poll} has been taken, or has no frame. */
  public void skip() {
    eventGiven = false;
    Objects.requireNonNull(attachment).consumed(1);
  }

  /**
   * A frame has been taken, or lost. Called by the container, perhaps inside the call that sends.
   */
  private void sent(SendResult result) {
    if (!result.isOK()) {
      boolean stalled = timer.nanoTime() - waitingSince >= writeTimeout.toNanos();
      lost(stalled ? CloseReason.STALLED : CloseReason.GONE);
      return;
    }
    inFlight = false;
    drain();
  }

  /** Closes the connection after the last frame. */
  private void leave(jakarta.websocket.CloseReason closing) {
    if (isLast()) {
      // The stream is detached when that is done, as a broker that shuts down waits for it.
      closeLater(closing, Duration.ZERO, () -> detach(CloseReason.GONE));
    }
  }

  /** Ends it; the container, which knows why, closes the connection, or this does later. */
  private void lost(CloseReason reason) {
    cutOff(reason, cut(), SocketCloser.CLOSE_WITHIN);
  }

  /**
   * Ends it, and closes the connection.
   *
   * @param reason why the channel's stream is detached
   */
  public void cutOff(CloseReason reason, jakarta.websocket.CloseReason closing) {
    cutOff(reason, closing, Duration.ZERO);
  }

  private void cutOff(CloseReason reason, jakarta.websocket.CloseReason closing, Duration delay) {
    if (isLast()) {
      // First: a container may wait with its close for a client that takes nothing.
      detach(reason);
      closeLater(closing, delay, () -> {});
    }
  }

  private static jakarta.websocket.CloseReason cut() {
    return new jakarta.websocket.CloseReason(CloseCodes.GOING_AWAY, "");
  }

  /** Closes the connection on another thread than the one that sends for others. */
  private void closeLater(
      jakarta.websocket.CloseReason closing, Duration delay, Runnable afterwards) {
    closer.closeLater(
        // Read after it was noted that this is over: see connected().
        session,
        closing,
        delay,
        () -> {
          protocol.closed();
          afterwards.run();
        });
  }

  /** Returns whether this call ends it. */
  private boolean isLast() {
    if (over.getAndSet(true)) {
      return false;
    }
    protocol.ended();
    cancel(scheduled);
    cancel(draining);
    return true;
  }

  private static void cancel(Timer.@Nullable Scheduled task) {
    if (task != null) {
      task.cancel();
    }
  }

  /** Lets the protocol do what is due, and gives up a client that takes nothing. */
  private void tick() {
    if (over.get()) {
      return;
    }
    long now = timer.nanoTime();
    boolean waits = inFlight || session == null;
    long next = protocol.check(now, waits);
    if (waits) {
      long timeout = writeTimeout.toNanos();
      long since = waitingSince;
      if (now - since >= timeout) {
        // Not at the first look: after a pause of the process the callback may be on its way.
        if (since == stuckSince) {
          cutOff(CloseReason.STALLED, protocol.stalled());
          return;
        }
        stuckSince = since;
      }
      next = Math.min(next, Math.max(timeout / 8, timeout - (now - since)));
    }
    // Before anything is sent, since a container may keep the thread that sends.
    scheduled = timer.schedule(Duration.ofNanos(next), this::tick);
    if (over.get()) {
      cancel(scheduled);
    }
    drain();
  }
}
