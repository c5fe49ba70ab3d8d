package io.peerbroker.websocket;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.peerbroker.core.Attachment;
import io.peerbroker.core.Channel;
import io.peerbroker.core.CloseReason;
import io.peerbroker.core.Envelope;
import io.peerbroker.core.Event;
import io.peerbroker.core.Gateway;
import io.peerbroker.core.Refusal;
import io.peerbroker.core.Timer;
import io.peerbroker.core.Transport;
import io.peerbroker.json.JsonRequests;
import io.peerbroker.servlet.HttpSettings;
import jakarta.websocket.RemoteEndpoint;
import jakarta.websocket.SendResult;
import jakarta.websocket.Session;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A WebSocket: it carries a channel's events to the client, the client's requests to the broker,
 * and the answers back.
 *
 * <p>One frame at a time is on its way to the network: Tomcat accepts no second one, and others
 * would keep it without a bound. What follows stays where it is until that frame has been taken:
 * events in the channel's queue, answers in {@link SocketRequests}. Of all threads that call {@link
 * #drain} one becomes the owner, polls and sends, and goes on until nothing is left or a frame is
 * on its way; the callback that follows the frame, which may come inside the call that sends it,
 * goes on then.
 *
 * <p>Safe for use by many threads; no method waits for the client.
 */
final class WebSocketTransport implements Transport {

  /** One instance, since an envelope remembers bytes by their encoder. */
  private static final Function<Envelope, byte[]> ENCODER = Frames::event;

  private final Gateway gateway;
  private final HttpSettings settings;
  private final SocketRequests requests;
  private final Set<WebSocketTransport> open;
  private final Timer timer;
  private final SocketCloser closer;

  private final AtomicInteger wakeups = new AtomicInteger();
  private final AtomicBoolean over = new AtomicBoolean();

  private volatile @Nullable Attachment attachment;

  /** Why there will be no channel. */
  private volatile @Nullable Refusal refused;

  private volatile @Nullable CloseReason ending;

  private volatile @Nullable Session session;
  private volatile RemoteEndpoint.@Nullable Async remote;

  /** Whether a frame is on its way to the network. Set by the owner, cleared by the callback. */
  private volatile boolean inFlight;

  /** Since when that is, or the connection is waited for. */
  private volatile long waitingSince;

  private volatile long lastGiven;
  private volatile boolean heartbeatDue;
  private volatile Timer.@Nullable Scheduled scheduled;

  /** What ends it if it does not end by itself. */
  private volatile Timer.@Nullable Scheduled draining;

  // Used by the owner only.
  private boolean eventGiven;
  private boolean farewellGiven;

  // Used by the task only.
  private long stuckSince;

  /**
   * @param gateway that of the caller of the requests
   * @param open the set that holds this until its connection is closed
   */
  WebSocketTransport(
      Gateway gateway, HttpSettings settings, JsonRequests reader, Set<WebSocketTransport> open) {
    this.gateway = gateway;
    this.settings = settings;
    requests = new SocketRequests(gateway, settings, reader, this::drain, this::cutOff);
    this.open = open;
    timer = gateway.timer();
    closer = new SocketCloser(timer);
    lastGiven = timer.nanoTime();
    waitingSince = lastGiven;
    stuckSince = lastGiven - 1;
    tick();
    open.add(this);
  }

  /** Takes the broker's end of the channel's stream. */
  Transport attach(Attachment given) {
    attachment = given;
    if (over.get()) {
      given.detach(CloseReason.GONE);
    }
    return this;
  }

  /** Notes that the channel is open, or why it is not. */
  void opened(@Nullable Channel given, @Nullable Throwable failure) {
    if (failure == null) {
      requests.opened(given);
    } else {
      refused = SocketRequests.refusal(failure);
    }
    drain();
  }

  /** The container has made the connection. Returns false if it comes too late, and is closed. */
  boolean connected(Session given) {
    RemoteEndpoint.Async async = SocketCloser.prepare(given, settings.writeTimeout());
    session = given;
    // Read after the session was written, as the thread that ends this reads it after that.
    if (over.get()) {
      SocketCloser.close(given, Frames.cut());
      return false;
    }
    remote = async;
    drain();
    return true;
  }

  boolean isConnected() {
    return session != null;
  }

  /** The connection is gone. */
  void disconnected() {
    open.remove(this);
    if (isLast()) {
      detach(CloseReason.GONE);
    }
  }

  /** The container reports a failure, after which it closes the connection, or should. */
  void failed(Throwable failure) {
    Log.log(System.Logger.Level.DEBUG, "A WebSocket failed", failure);
    cutOff(CloseReason.GONE, Frames.cut(), SocketCloser.CLOSE_WITHIN);
  }

  /** Ends the connection in any state. */
  void abort() {
    cutOff(CloseReason.GONE, Frames.cut(), Duration.ZERO);
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
    draining = timer.schedule(gateway.limits().drainTimeout(), this::abort);
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
    requests.received(part, last);
  }

  /** Takes a message that is no text. */
  void receivedBinary() {
    cutOff(Frames.binary());
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
        Log.log(System.Logger.Level.ERROR, "A WebSocket failed; it ends", failure);
      }
      seen = wakeups.addAndGet(-seen);
    } while (seen != 0);
  }

  private void send() {
    RemoteEndpoint.Async connection = remote;
    while (connection != null && !inFlight && !over.get()) {
      if (eventGiven) {
        eventGiven = false;
        Objects.requireNonNull(attachment).consumed(1);
      }
      byte[] frame = next();
      if (frame == null) {
        if (farewellGiven) {
          leave();
        }
        return;
      }
      heartbeatDue = false;
      lastGiven = timer.nanoTime();
      waitingSince = lastGiven;
      inFlight = true;
      try {
        connection.sendText(new String(frame, UTF_8), this::sent);
      } catch (RuntimeException closed) {
        // Its end is reported, too, or should be.
        cutOff(CloseReason.GONE, Frames.cut(), SocketCloser.CLOSE_WITHIN);
      }
    }
  }

  private byte @Nullable [] next() {
    byte[] answer = requests.poll();
    if (answer != null) {
      return answer;
    }
    Refusal none = refused;
    if (none != null) {
      return farewell(Frames.refusal(null, none));
    }
    Attachment from = attachment;
    if (from == null) {
      return null;
    }
    // Read before the queue: once the broker has ended the stream, it queues nothing more.
    CloseReason reason = ending;
    Envelope envelope = from.poll();
    if (envelope != null) {
      eventGiven = true;
      return encoded(envelope);
    }
    if (reason != null && requests.isPerforming()) {
      return null;
    }
    if (reason != null) {
      return farewell(reason.isTold() ? Frames.farewell(reason) : null);
    }
    return heartbeatDue ? Frames.HEARTBEAT : null;
  }

  private byte @Nullable [] farewell(byte @Nullable [] last) {
    boolean given = farewellGiven;
    farewellGiven = true;
    return given ? null : last;
  }

  private byte[] encoded(Envelope envelope) {
    Event event = envelope.event();
    if (event instanceof Event.Watched watched) {
      return Frames.ofWatch(watched.watch(), watched.shared().encoded(ENCODER));
    }
    // No other stream gets this one, and it has the heartbeat of these settings.
    return event instanceof Event.Opened
        ? Frames.event(event, envelope.id(), settings.heartbeat())
        : envelope.encoded(ENCODER);
  }

  /**
   * A frame has been taken, or lost. Called by the container, perhaps inside the call that sends.
   */
  private void sent(SendResult result) {
    if (!result.isOK()) {
      boolean stalled = timer.nanoTime() - waitingSince >= settings.writeTimeout().toNanos();
      cutOff(
          stalled ? CloseReason.STALLED : CloseReason.GONE,
          Frames.cut(),
          SocketCloser.CLOSE_WITHIN);
      return;
    }
    inFlight = false;
    drain();
  }

  /** Closes the connection after the last frame. */
  private void leave() {
    Refusal none = refused;
    jakarta.websocket.CloseReason closing =
        none == null ? Frames.closing(Objects.requireNonNull(ending)) : Frames.closing(none);
    if (isLast()) {
      // The stream is detached when that is done, as a broker that shuts down waits for it.
      closeLater(closing, Duration.ZERO, () -> detach(CloseReason.GONE));
    }
  }

  /** Cuts off a client that breaks the protocol. */
  private void cutOff(jakarta.websocket.CloseReason closing) {
    cutOff(CloseReason.GONE, closing, Duration.ZERO);
  }

  /**
   * Ends it, and closes the connection.
   *
   * @param delay after how long the connection is closed, if the container should do so by itself
   */
  private void cutOff(CloseReason reason, jakarta.websocket.CloseReason closing, Duration delay) {
    if (isLast()) {
      // First: a container may wait with its close for a client that takes nothing.
      detach(reason);
      closeLater(closing, delay, () -> {});
    }
  }

  /** Closes the connection on another thread than the one that sends for others. */
  private void closeLater(
      jakarta.websocket.CloseReason closing, Duration delay, Runnable afterwards) {
    // Read after it was noted that this is over: see connected().
    Session connected = session;
    closer.closeLater(
        connected,
        closing,
        delay,
        () -> {
          open.remove(this);
          afterwards.run();
        });
  }

  /** Returns whether this call ends it. */
  private boolean isLast() {
    if (over.getAndSet(true)) {
      return false;
    }
    cancel(scheduled);
    cancel(draining);
    requests.clear();
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

  /** Sends the heartbeat after a silence, and gives up a client that takes nothing. */
  private void tick() {
    if (over.get()) {
      return;
    }
    long now = timer.nanoTime();
    long timeout = settings.writeTimeout().toNanos();
    long heartbeat = settings.heartbeat().toNanos();
    boolean waits = inFlight || session == null;
    long since = waitingSince;
    if (waits && now - since >= timeout) {
      // Not at the first look: after a pause of the process the callback may be on its way.
      if (since == stuckSince) {
        cutOff(CloseReason.STALLED, Frames.closing(CloseReason.STALLED), Duration.ZERO);
        return;
      }
      stuckSince = since;
    }
    if (requests.isOverdue()) {
      cutOff(Frames.unfinished());
      return;
    }
    boolean due = now - lastGiven >= heartbeat;
    long next = due ? heartbeat : heartbeat - (now - lastGiven);
    if (waits) {
      next = Math.min(next, Math.max(timeout / 8, timeout - (now - since)));
    }
    scheduled = timer.schedule(Duration.ofNanos(next), this::tick);
    if (over.get()) {
      cancel(scheduled);
    }
    if (due && !waits) {
      heartbeatDue = true;
      drain();
    }
  }
}
