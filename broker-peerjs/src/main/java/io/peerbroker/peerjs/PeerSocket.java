package io.peerbroker.peerjs;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.peerbroker.core.Channel;
import io.peerbroker.core.CloseReason;
import io.peerbroker.core.Envelope;
import io.peerbroker.core.Event;
import io.peerbroker.core.Limits;
import io.peerbroker.core.Message;
import io.peerbroker.core.RefusedException;
import io.peerbroker.core.Session;
import io.peerbroker.core.Timer;
import io.peerbroker.websocket.SocketConnection;
import jakarta.websocket.CloseReason.CloseCodes;
import java.security.MessageDigest;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The WebSocket of one PeerJS client: it takes the client's frames in, and gives those of others
 * and the server's own words.
 *
 * <p>Safe for use by many threads; no method waits for the client.
 */
final class PeerSocket implements SocketConnection.Protocol {

  /** What knows the other clients. Called on any thread, without a lock. */
  interface Relay {

    /** Takes a frame of a client; what is no frame is ignored. */
    void received(PeerSocket from, byte[] text);

    /** Returns the id of the client with this address; the address itself if it is no client's. */
    String nameOf(String address);

    /** Notes that a connection has ended, frees its id, and drops what it has waiting. */
    void remove(PeerSocket socket);

    /** Notes that a connection is closed for the container too. May be called again. */
    void closed(PeerSocket socket);
  }

  /**
   * How many words of the server may wait for a client: reading cannot be paused, so a client that
   * sends on without reading is cut off.
   */
  static final int MAX_NOTICES = 256;

  private final String id;
  private final byte[] token;
  private final PeerJsSettings settings;
  private final Timer timer;
  private final Relay relay;
  private final SocketConnection connection;
  private final FrameReader reader;

  private final AtomicInteger waiting = new AtomicInteger();
  private final Queue<byte[]> notices = new ConcurrentLinkedQueue<>();

  /** The channel, once it is open, and the session on it, if it hosts one. */
  private volatile @Nullable Channel channel;

  private volatile @Nullable Session session;

  /** Whether the client got no id, so that it is closed once it knows why. */
  private volatile boolean refused;

  /** When the last frame came from the client. */
  private volatile long lastHeard;

  /** What {@link #lastHeard} was when a look found it too long ago. Used by the task only. */
  private long silentSince;

  /** Creates one that is yet to be started. */
  PeerSocket(
      String id, String token, PeerJsSettings settings, Timer timer, Limits limits, Relay relay) {
    this.id = id;
    this.token = token.getBytes(UTF_8);
    this.settings = settings;
    this.timer = timer;
    this.relay = relay;
    connection =
        new SocketConnection(this, timer, settings.http().writeTimeout(), limits.drainTimeout());
    reader = new FrameReader(settings.http(), limits, timer, this::cutOff);
    lastHeard = timer.nanoTime();
    silentSince = lastHeard - 1;
  }

  String id() {
    return id;
  }

  SocketConnection connection() {
    return connection;
  }

  /** Returns whether the other client shows the same token, in constant time. */
  boolean hasTokenOf(PeerSocket other) {
    return MessageDigest.isEqual(token, other.token);
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
    return !connection.isOver() && !refused;
  }

  /** Tells the client that it has its id. */
  void admitted() {
    tell(Frames.OPEN);
  }

  /** Tells the client why it has no id, and closes the connection behind that. */
  void refuse(byte[] why) {
    refused = true;
    // At once: a client that does not read this must not keep a channel.
    connection.detach(CloseReason.GONE);
    tell(why);
  }

  /** Tells the client something, unless it is gone. */
  void tell(byte[] frame) {
    if (connection.isOver()) {
      return;
    }
    if (waiting.incrementAndGet() > MAX_NOTICES) {
      connection.cutOff(
          CloseReason.STALLED, closing(CloseCodes.VIOLATED_POLICY, "Too much waits for you."));
      return;
    }
    notices.add(frame);
    connection.drain();
  }

  /** Closes the channel: what waits is still sent, then the connection is closed. */
  void leave() {
    Channel own = channel;
    if (own != null) {
      own.close();
    }
  }

  @Override
  public void received(String part, boolean last) {
    byte[] frame = reader.read(part, last);
    if (frame != null) {
      lastHeard = timer.nanoTime();
      if (!refused) {
        RefusedException.untraced(() -> relay.received(this, frame));
      }
    }
  }

  @Override
  public byte @Nullable [] next(@Nullable CloseReason ending) {
    byte[] notice = notices.poll();
    if (notice != null) {
      waiting.decrementAndGet();
      return notice;
    }
    while (!refused) {
      Envelope envelope = connection.poll();
      if (envelope == null) {
        return null;
      }
      byte[] frame = frame(envelope.event());
      if (frame != null) {
        return frame;
      }
      connection.skip();
    }
    return null;
  }

  private byte @Nullable [] frame(Event event) {
    if (event instanceof Event.Received received) {
      Message message = received.message();
      return Frames.relayed(message.json(), relay.nameOf(message.origin()), id);
    }
    return null;
  }

  @Override
  public jakarta.websocket.@Nullable CloseReason closing(@Nullable CloseReason ending) {
    if (refused) {
      return closing(CloseCodes.NORMAL_CLOSURE, CloseReason.CLOSED.code());
    }
    if (ending == null) {
      return null;
    }
    return closing(
        ending == CloseReason.SHUTTING_DOWN
            ? CloseCodes.SERVICE_RESTART
            : CloseCodes.NORMAL_CLOSURE,
        ending.code());
  }

  @Override
  public jakarta.websocket.CloseReason stalled() {
    return closing(CloseCodes.GOING_AWAY, "");
  }

  @Override
  public jakarta.websocket.CloseReason binary() {
    return closing(CloseCodes.CANNOT_ACCEPT, "A frame is a text message.");
  }

  private static jakarta.websocket.CloseReason closing(CloseCodes code, String phrase) {
    return new jakarta.websocket.CloseReason(code, phrase);
  }

  private void cutOff(CloseCodes code, String phrase) {
    connection.cutOff(CloseReason.GONE, closing(code, phrase));
  }

  /** Gives up a client that says nothing, or does not end what it says. */
  @Override
  public long check(long now, boolean busy) {
    long patience = settings.aliveTimeout().toNanos();
    long heard = lastHeard;
    if (now - heard >= patience) {
      // Not at the first look: after a pause of the process what has come is yet to be read.
      if (heard == silentSince) {
        cutOff(CloseCodes.GOING_AWAY, "Nothing was heard from you.");
      }
      silentSince = heard;
    }
    if (reader.isOverdue()) {
      cutOff(CloseCodes.VIOLATED_POLICY, "A frame was not all there in time.");
    }
    return Math.min(
        settings.http().bodyTimeout().toNanos(), Math.max(patience / 8, patience - (now - heard)));
  }

  @Override
  public void ended() {
    relay.remove(this);
    notices.clear();
  }

  @Override
  public void closed() {
    relay.closed(this);
  }
}
