package io.peerbroker.peerjs;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.peerbroker.core.Attachment;
import io.peerbroker.core.Channel;
import io.peerbroker.core.CloseReason;
import io.peerbroker.core.Envelope;
import io.peerbroker.core.Event;
import io.peerbroker.core.Limits;
import io.peerbroker.core.Message;
import io.peerbroker.core.RefusedException;
import io.peerbroker.core.Session;
import io.peerbroker.core.Timer;
import io.peerbroker.core.Transport;
import io.peerbroker.websocket.SocketCloser;
import jakarta.websocket.CloseReason.CloseCodes;
import jakarta.websocket.RemoteEndpoint;
import jakarta.websocket.SendResult;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The WebSocket of one PeerJS client: it takes the client's frames in, and writes those of others.
 *
 * <p>One frame at a time is on its way to the network: Tomcat accepts no second one, and others
 * would keep it without a bound. What follows stays where it is until that frame has been taken:
 * messages in the channel's queue, the server's own words here. Of all threads that call {@link
 * #drain} one becomes the owner and sends; the callback that follows a frame, which may come inside
 * the call that sends it, goes on.
 *
 * <p>Safe for use by many threads; no method waits for the client.
 */
final class PeerSocket implements Transport {

  /**
   * How many words of the server may wait for a client: reading cannot be paused, so a client that
   * sends on without reading is cut off.
   */
  static final int MAX_NOTICES = 256;

  private final String id;
  private final byte[] token;
  private final PeerJsSettings settings;
  private final Timer timer;
  private final Limits limits;
  private final Peers peers;
  private final FrameReader reader;
  private final SocketCloser closer;

  private final AtomicInteger wakeups = new AtomicInteger();
  private final AtomicInteger waiting = new AtomicInteger();
  private final AtomicBoolean over = new AtomicBoolean();
  private final Queue<byte[]> notices = new ConcurrentLinkedQueue<>();

  private volatile @Nullable Attachment attachment;

  /** The channel, once it is open, and the session on it, if it hosts one. */
  private volatile @Nullable Channel channel;

  private volatile @Nullable Session session;

  /** Why the stream has ended, once it has. */
  private volatile @Nullable CloseReason ending;

  /** Whether the client got no id, so that it is closed once it knows why. */
  private volatile boolean refused;

  private volatile jakarta.websocket.@Nullable Session connection;
  private volatile RemoteEndpoint.@Nullable Async remote;

  /** Whether a frame is on its way to the network. Set by the owner, cleared by the callback. */
  private volatile boolean inFlight;

  /** Since when that is, or the connection is waited for. */
  private volatile long waitingSince;

  /** When the last frame came from the client. */
  private volatile long lastHeard;

  private volatile Timer.@Nullable Scheduled scheduled;

  /** What ends it if it does not end by itself. */
  private volatile Timer.@Nullable Scheduled draining;

  /** Whether the frame that was sent last was an event's. Used by the owner only. */
  private boolean eventGiven;

  // Used by the task only: what the last look saw that is over its time.
  private long stuckSince;
  private long silentSince;

  PeerSocket(
      String id, String token, PeerJsSettings settings, Timer timer, Limits limits, Peers peers) {
    this.id = id;
    this.token = token.getBytes(UTF_8);
    this.settings = settings;
    this.timer = timer;
    this.limits = limits;
    this.peers = peers;
    closer = new SocketCloser(timer);
    reader =
        new FrameReader(
            settings, limits, timer, (code, phrase) -> cutOff(CloseReason.GONE, code, phrase));
    lastHeard = timer.nanoTime();
    waitingSince = lastHeard;
    stuckSince = lastHeard - 1;
    silentSince = lastHeard - 1;
    peers.add(this);
    tick();
  }

  String id() {
    return id;
  }

  /** Returns whether the other client shows the same token, in constant time. */
  boolean hasTokenOf(PeerSocket other) {
    return MessageDigest.isEqual(token, other.token);
  }

  /** Takes the broker's end of the channel's stream. */
  Transport attach(Attachment given) {
    attachment = given;
    if (over.get()) {
      given.detach(CloseReason.GONE);
    }
    return this;
  }

  /** Notes that the channel is open. */
  void opened(Channel given) {
    channel = given;
  }

  /** Notes the session on the channel, to which others send. */
  void hosts(Session given) {
    session = given;
  }

  /** Returns the channel; only once it is open. */
  Channel channel() {
    return Objects.requireNonNull(channel, "no channel yet");
  }

  /** Returns the address that others see: the session's, or the channel's if it hosts none. */
  String address() {
    Session hosted = session;
    return hosted == null ? channel().id() : hosted.id();
  }

  /** Returns all addresses so far. */
  List<String> addresses() {
    Channel own = channel;
    Session hosted = session;
    if (own == null) {
      return List.of();
    }
    return hosted == null ? List.of(own.id()) : List.of(own.id(), hosted.id());
  }

  /** Returns whether the client may have an id: its connection has not ended, or been refused. */
  boolean isOpen() {
    return !over.get() && !refused;
  }

  /** Tells the client that it has its id. */
  void admitted() {
    tell(Frames.OPEN);
  }

  /** Tells the client why it has no id, and closes the connection behind that. */
  void refuse(byte[] why) {
    refused = true;
    // At once: a client that does not read this must not keep a channel.
    detach(CloseReason.GONE);
    tell(why);
  }

  /** Tells the client something, unless it is gone. */
  void tell(byte[] frame) {
    if (over.get()) {
      return;
    }
    if (waiting.incrementAndGet() > MAX_NOTICES) {
      cutOff(CloseReason.STALLED, CloseCodes.VIOLATED_POLICY, "Too much waits for you.");
      return;
    }
    notices.add(frame);
    drain();
  }

  /** Closes the channel: what waits is still sent, then the connection is closed. */
  void leave() {
    Channel own = channel;
    if (own != null) {
      own.close();
    }
  }

  /** The container has made the connection. Returns false if it comes too late, and is closed. */
  boolean connected(jakarta.websocket.Session given) {
    RemoteEndpoint.Async async = SocketCloser.prepare(given, settings.http().writeTimeout());
    connection = given;
    // Read after the connection was written, as the thread that ends this reads it after that.
    if (over.get()) {
      SocketCloser.close(given, new jakarta.websocket.CloseReason(CloseCodes.GOING_AWAY, ""));
      return false;
    }
    remote = async;
    drain();
    return true;
  }

  boolean isConnected() {
    return connection != null;
  }

  /** The connection is gone. */
  void disconnected() {
    peers.closed(this);
    if (isLast()) {
      detach(CloseReason.GONE);
    }
  }

  /** The container reports a failure, after which it closes the connection, or should. */
  void failed(Throwable failure) {
    Log.log(System.Logger.Level.DEBUG, "A PeerJS client's WebSocket failed", failure);
    lost(CloseReason.GONE);
  }

  /** Ends it; the container, which knows why, closes the connection, or this does later. */
  private void lost(CloseReason reason) {
    cutOff(reason, CloseCodes.GOING_AWAY, "", SocketCloser.CLOSE_WITHIN);
  }

  /** Ends the connection in any state. */
  void abort() {
    cutOff(CloseReason.GONE, CloseCodes.GOING_AWAY, "");
  }

  /** Ends the connection in any state, and closes it on this thread if that is yet to be done. */
  void closeNow() {
    abort();
    closer.closeNow();
  }

  @Override
  public void ready() {
    drain();
  }

  @Override
  public void end(CloseReason reason) {
    ending = reason;
    draining = timer.schedule(limits.drainTimeout(), this::abort);
    if (over.get()) {
      cancel(draining);
    }
    drain();
  }

  /** Takes a part of a text message. Called by one thread at a time. */
  void received(String part, boolean last) {
    if (over.get()) {
      return;
    }
    byte[] frame = reader.read(part, last);
    if (frame != null) {
      lastHeard = timer.nanoTime();
      if (!refused) {
        RefusedException.untraced(() -> peers.received(this, frame));
      }
    }
  }

  /** Takes a message that is no text. */
  void receivedBinary() {
    cutOff(CloseReason.GONE, CloseCodes.CANNOT_ACCEPT, "A frame is a text message.");
  }

  /** Sends what there is to send, unless a frame is on its way. */
  private void drain() {
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
        Log.log(System.Logger.Level.ERROR, "A PeerJS client's WebSocket failed; it ends", failure);
      }
      seen = wakeups.addAndGet(-seen);
    } while (seen != 0);
  }

  private void send() {
    RemoteEndpoint.Async async = remote;
    while (async != null && !inFlight && !over.get()) {
      if (eventGiven) {
        eventGiven = false;
        Objects.requireNonNull(attachment).consumed(1);
      }
      // Read before the queue: once the broker has ended the stream, it queues nothing more.
      CloseReason reason = ending;
      byte[] frame = next();
      if (frame == null) {
        if (refused) {
          leave(CloseReason.CLOSED);
        } else if (reason != null) {
          leave(reason);
        }
        return;
      }
      waitingSince = timer.nanoTime();
      inFlight = true;
      try {
        async.sendText(new String(frame, UTF_8), this::sent);
      } catch (RuntimeException closed) {
        // Its end is reported, too, or should be.
        lost(CloseReason.GONE);
      }
    }
  }

  private byte @Nullable [] next() {
    byte[] notice = notices.poll();
    if (notice != null) {
      waiting.decrementAndGet();
      return notice;
    }
    Attachment from = attachment;
    while (from != null && !refused) {
      Envelope envelope = from.poll();
      if (envelope == null) {
        return null;
      }
      byte[] frame = frame(envelope.event());
      if (frame != null) {
        eventGiven = true;
        return frame;
      }
      from.consumed(1);
    }
    return null;
  }

  private byte @Nullable [] frame(Event event) {
    if (event instanceof Event.Received received) {
      Message message = received.message();
      return Frames.relayed(message.json(), peers.nameOf(message.origin()), id);
    }
    return null;
  }

  /**
   * A frame has been taken, or lost. Called by the container, perhaps inside the call that sends.
   */
  private void sent(SendResult result) {
    if (!result.isOK()) {
      Duration timeout = settings.http().writeTimeout();
      boolean stalled = timer.nanoTime() - waitingSince >= timeout.toNanos();
      lost(stalled ? CloseReason.STALLED : CloseReason.GONE);
      return;
    }
    inFlight = false;
    drain();
  }

  /** Closes the connection after the last frame. */
  private void leave(CloseReason reason) {
    boolean isShutdown = reason == CloseReason.SHUTTING_DOWN;
    if (isLast()) {
      // The stream is detached when that is done, as a broker that shuts down waits for it.
      closeLater(
          isShutdown ? CloseCodes.SERVICE_RESTART : CloseCodes.NORMAL_CLOSURE,
          reason.code(),
          Duration.ZERO,
          () -> detach(CloseReason.GONE));
    }
  }

  /** Ends it, and closes the connection. */
  private void cutOff(CloseReason reason, CloseCodes code, String phrase) {
    cutOff(reason, code, phrase, Duration.ZERO);
  }

  private void cutOff(CloseReason reason, CloseCodes code, String phrase, Duration delay) {
    if (isLast()) {
      // First: a container may wait with its close for a client that takes nothing.
      detach(reason);
      closeLater(code, phrase, delay, () -> {});
    }
  }

  /** Closes the connection on another thread than the one that sends for others. */
  private void closeLater(CloseCodes code, String phrase, Duration delay, Runnable afterwards) {
    closer.closeLater(
        // Read after it was noted that this is over: see connected().
        connection,
        new jakarta.websocket.CloseReason(code, phrase),
        delay,
        () -> {
          peers.closed(this);
          afterwards.run();
        });
  }

  /** Returns whether this call ends it. */
  private boolean isLast() {
    if (over.getAndSet(true)) {
      return false;
    }
    peers.remove(this);
    cancel(scheduled);
    cancel(draining);
    notices.clear();
    return true;
  }

  private static void cancel(Timer.@Nullable Scheduled task) {
    if (task != null) {
      task.cancel();
    }
  }

  private void detach(CloseReason reason) {
    Attachment left = attachment;
    if (left != null) {
      left.detach(reason);
    }
  }

  /** Gives up a client that takes nothing, says nothing, or does not end what it says. */
  private void tick() {
    if (over.get()) {
      return;
    }
    // Nothing ends it at the first look: after a pause of the process what has come from the client
    // is yet to be read, and callbacks may be on their way.
    long now = timer.nanoTime();
    long patience = settings.aliveTimeout().toNanos();
    long heard = lastHeard;
    if (now - heard >= patience) {
      if (heard == silentSince) {
        cutOff(CloseReason.GONE, CloseCodes.GOING_AWAY, "Nothing was heard from you.");
        return;
      }
      silentSince = heard;
    }
    long timeout = settings.http().writeTimeout().toNanos();
    boolean waits = inFlight || connection == null;
    long since = waitingSince;
    if (reader.isOverdue()) {
      cutOff(CloseReason.GONE, CloseCodes.VIOLATED_POLICY, "A frame was not all there in time.");
      return;
    }
    long next = Math.min(timeout, settings.http().bodyTimeout().toNanos());
    if (waits) {
      if (now - since >= timeout) {
        if (since == stuckSince) {
          cutOff(CloseReason.STALLED, CloseCodes.GOING_AWAY, "");
          return;
        }
        stuckSince = since;
      }
      next = Math.min(next, Math.max(timeout / 8, timeout - (now - since)));
    }
    next = Math.min(next, Math.max(patience / 8, patience - (now - heard)));
    scheduled = timer.schedule(Duration.ofNanos(next), this::tick);
    if (over.get()) {
      cancel(scheduled);
    }
  }
}
