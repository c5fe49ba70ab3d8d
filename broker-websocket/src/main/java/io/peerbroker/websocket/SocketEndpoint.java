package io.peerbroker.websocket;

import jakarta.websocket.CloseReason;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.Session;
import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * Passes on what the container says of one WebSocket; public for Jetty, which refuses others, and
 * for the tests of {@code broker-peerjs}.
 */
public final class SocketEndpoint extends Endpoint {

  private final SocketConnection connection;

  /** Serves one connection. */
  public SocketEndpoint(SocketConnection connection) {
    this.connection = Objects.requireNonNull(connection, "connection");
  }

  @Override
  public void onOpen(Session session, EndpointConfig config) {
    if (connection.connected(session)) {
      // In parts: for whole ones the containers keep buffers, for binary ones without a bound.
      session.addMessageHandler(String.class, (part, last) -> connection.received(part, last));
      session.addMessageHandler(ByteBuffer.class, (part, last) -> connection.receivedBinary());
    }
  }

  @Override
  public void onClose(Session session, CloseReason reason) {
    connection.disconnected();
  }

  /** Before the container closes it, or for a message that is too large. */
  @Override
  public void onError(Session session, Throwable failure) {
    connection.failed(failure);
  }
}
