package io.peerbroker.websocket;

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
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The broker's protocol over one WebSocket: a channel's events downwards, requests and their
 * answers ({@link SocketRequests}), and a heartbeat after a silence.
 *
 * <p>Safe for use by many threads; no method waits for the client.
 */
final class BrokerProtocol implements SocketConnection.Protocol {

  /** One instance, since an envelope remembers bytes by their encoder. */
  private static final Function<Envelope, byte[]> ENCODER = Frames::event;

  private final HttpSettings settings;
  private final Set<SocketConnection> open;
  private final Timer timer;
  private final SocketConnection connection;
  private final SocketRequests requests;

  /** Why there will be no channel. */
  private volatile @Nullable Refusal refused;

  private volatile long lastGiven;
  private volatile boolean heartbeatDue;

  /** Whether the last frame has been given. Used by the connection's owner only. */
  private boolean farewellGiven;

  /**
   * @param gateway that of the caller of the requests
   * @param open the set that holds the connection until it is closed
   */
  BrokerProtocol(
      Gateway gateway, HttpSettings settings, JsonRequests reader, Set<SocketConnection> open) {
    this.settings = settings;
    this.open = open;
    timer = gateway.timer();
    connection =
        new SocketConnection(this, timer, settings.writeTimeout(), gateway.limits().drainTimeout());
    requests =
        new SocketRequests(
            gateway,
            settings,
            reader,
            connection::drain,
            closing -> connection.cutOff(CloseReason.GONE, closing));
    lastGiven = timer.nanoTime();
    open.add(connection);
    connection.start();
  }

  SocketConnection connection() {
    return connection;
  }

  /** Takes the broker's end of the channel's stream. */
  Transport attach(Attachment given) {
    return connection.attach(given);
  }

  /** Notes that the channel is open, or why it is not. */
  void opened(@Nullable Channel given, @Nullable Throwable failure) {
    if (failure == null) {
      requests.opened(given);
    } else {
      refused = SocketRequests.refusal(failure);
    }
    connection.drain();
  }

  @Override
  public void received(String part, boolean last) {
    requests.received(part, last);
  }

  @Override
  public byte @Nullable [] next(@Nullable CloseReason ending) {
    byte[] frame = nextFrame(ending);
    if (frame != null) {
      heartbeatDue = false;
      lastGiven = timer.nanoTime();
    }
    return frame;
  }

  private byte @Nullable [] nextFrame(@Nullable CloseReason ending) {
    byte[] answer = requests.poll();
    if (answer != null) {
      return answer;
    }
    Refusal none = refused;
    if (none != null) {
      return farewell(Frames.refusal(null, none));
    }
    Envelope envelope = connection.poll();
    if (envelope != null) {
      return encoded(envelope);
    }
    if (ending != null) {
      return requests.isPerforming()
          ? null
          : farewell(ending.isTold() ? Frames.farewell(ending) : null);
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

  @Override
  public jakarta.websocket.@Nullable CloseReason closing(@Nullable CloseReason ending) {
    if (!farewellGiven) {
      return null;
    }
    Refusal none = refused;
    return none == null ? Frames.closing(Objects.requireNonNull(ending)) : Frames.closing(none);
  }

  @Override
  public jakarta.websocket.CloseReason stalled() {
    return Frames.closing(CloseReason.STALLED);
  }

  @Override
  public jakarta.websocket.CloseReason binary() {
    return Frames.binary();
  }

  @Override
  public long check(long now, boolean busy) {
    if (requests.isOverdue()) {
      connection.cutOff(CloseReason.GONE, Frames.unfinished());
    }
    long heartbeat = settings.heartbeat().toNanos();
    long silence = now - lastGiven;
    if (silence < heartbeat) {
      return heartbeat - silence;
    }
    heartbeatDue = !busy;
    return heartbeat;
  }

  @Override
  public void ended() {
    requests.clear();
  }

  @Override
  public void closed() {
    open.remove(connection);
  }
}
