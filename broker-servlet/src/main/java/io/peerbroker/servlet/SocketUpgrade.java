package io.peerbroker.servlet;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Caller;
import io.peerbroker.core.ChannelOptions;
import io.peerbroker.core.RefusedException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Objects;

/**
 * Serves WebSockets at {@code /socket} below the broker: for the module {@code broker-websocket},
 * which has the one implementation. Not for others: it may change with each version.
 *
 * <p>Safe for use by many threads.
 */
public interface SocketUpgrade extends AutoCloseable {

  /** Makes the upgrades of a broker. Found by {@link java.util.ServiceLoader}. */
  interface Provider {

    /** Returns what serves the WebSockets of this broker. */
    SocketUpgrade of(Broker broker, HttpSettings settings);
  }

  /**
   * A request for a WebSocket, which comes from an admitted origin. Good until {@link #upgrade} has
   * returned.
   *
   * @param opening the caller as the policy sees it when the channel is opened
   * @param acting the caller of the requests that come over the WebSocket
   * @param options what the channel is asked for
   */
  record Handshake(
      HttpServletRequest request,
      HttpServletResponse response,
      Caller opening,
      Caller acting,
      ChannelOptions options) {

    /** Checks that all parts are there. */
    public Handshake {
      Objects.requireNonNull(request, "request");
      Objects.requireNonNull(response, "response");
      Objects.requireNonNull(opening, "opening");
      Objects.requireNonNull(acting, "acting");
      Objects.requireNonNull(options, "options");
    }
  }

  /**
   * Opens a channel, or goes on with one, on a WebSocket. Called on the thread that serves the
   * request.
   *
   * @throws RefusedException if the channel is refused
   * @throws IOException if the connection has gone
   */
  void upgrade(Handshake handshake) throws IOException;

  /** Cuts all WebSockets that are still open. */
  @Override
  void close();
}
