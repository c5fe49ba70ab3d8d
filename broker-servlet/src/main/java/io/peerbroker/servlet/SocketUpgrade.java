package io.peerbroker.servlet;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Caller;
import io.peerbroker.core.ChannelOptions;
import io.peerbroker.core.RefusedException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Collections;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Serves WebSockets at {@code /socket} below the broker: for the module {@code broker-websocket},
 * which has the one implementation, and for {@code broker-peerjs}. Not for others: it may change
 * with each version.
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
   * Returns whether a request is a whole handshake (RFC 6455, section 4.1). A container that
   * declines one answers it by itself, when its channel is open already.
   */
  static boolean isHandshake(HttpServletRequest request) {
    Objects.requireNonNull(request, "request");
    String key = request.getHeader("Sec-WebSocket-Key");
    return "GET".equals(request.getMethod())
        && "websocket".equalsIgnoreCase(request.getHeader("Upgrade"))
        // Proxies add lines of their own.
        && Collections.list(request.getHeaders("Connection")).stream()
            .flatMap(line -> Stream.of(line.split(",")))
            .anyMatch(option -> option.strip().equalsIgnoreCase("upgrade"))
        && "13".equals(request.getHeader("Sec-WebSocket-Version"))
        && key != null
        // Of 16 bytes in Base64.
        && key.strip().length() == 24;
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
