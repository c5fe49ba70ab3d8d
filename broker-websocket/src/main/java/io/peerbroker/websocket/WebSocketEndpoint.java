package io.peerbroker.websocket;

import jakarta.websocket.CloseReason;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.Session;
import java.nio.ByteBuffer;

/**
 * Passes on what the container says of one WebSocket; public for Jetty alone, which refuses others.
 */
public final class WebSocketEndpoint extends Endpoint {

  private final WebSocketTransport transport;

  WebSocketEndpoint(WebSocketTransport transport) {
    this.transport = transport;
  }

  @Override
  public void onOpen(Session session, EndpointConfig config) {
    if (transport.connected(session)) {
      // In parts: for whole ones the containers keep buffers, for binary ones without a bound.
      session.addMessageHandler(String.class, (part, last) -> transport.received(part, last));
      session.addMessageHandler(ByteBuffer.class, (part, last) -> transport.receivedBinary());
    }
  }

  @Override
  public void onClose(Session session, CloseReason reason) {
    transport.disconnected();
  }

  /** Before the container closes it, or for a message that is too large. */
  @Override
  public void onError(Session session, Throwable failure) {
    transport.failed(failure);
  }
}
