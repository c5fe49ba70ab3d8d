package io.peerbroker.peerjs;

import jakarta.websocket.CloseReason;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.Session;
import java.nio.ByteBuffer;

/**
 * Passes on what the container says of one WebSocket; public for Jetty alone, which refuses others.
 */
public final class PeerEndpoint extends Endpoint {

  private final PeerSocket socket;

  PeerEndpoint(PeerSocket socket) {
    this.socket = socket;
  }

  @Override
  public void onOpen(Session session, EndpointConfig config) {
    if (socket.connected(session)) {
      // In parts: for whole ones the containers keep buffers, for binary ones without a bound.
      session.addMessageHandler(String.class, (part, last) -> socket.received(part, last));
      session.addMessageHandler(ByteBuffer.class, (part, last) -> socket.receivedBinary());
    }
  }

  @Override
  public void onClose(Session session, CloseReason reason) {
    socket.disconnected();
  }

  /** Before the container closes it, or for a message that is too large. */
  @Override
  public void onError(Session session, Throwable failure) {
    socket.failed(failure);
  }
}
