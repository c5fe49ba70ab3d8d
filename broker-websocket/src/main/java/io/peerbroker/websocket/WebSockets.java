package io.peerbroker.websocket;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.json.JsonRequests;
import io.peerbroker.servlet.HttpSettings;
import io.peerbroker.servlet.SocketUpgrade;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The WebSockets of a broker. Each begins as a request to the servlet, so no endpoint is registered
 * with the container, which would serve it ahead of the servlet's filters.
 */
final class WebSockets implements SocketUpgrade {

  /** The name of this protocol (RFC 6455, section 1.9). */
  static final String PROTOCOL = "peerbroker.v1";

  private final Broker broker;
  private final HttpSettings settings;
  private final JsonRequests requests;

  /** Every WebSocket whose connection is yet to be closed. */
  private final Set<SocketConnection> open = ConcurrentHashMap.newKeySet();

  WebSockets(Broker broker, HttpSettings settings) {
    this.broker = broker;
    this.settings = settings;
    requests = new JsonRequests(settings.heartbeat().multipliedBy(2));
  }

  @Override
  public void upgrade(Handshake handshake) throws IOException {
    HttpServletRequest request = handshake.request();
    Upgrades.requireContainer(request);
    BrokerProtocol protocol =
        new BrokerProtocol(
            broker.forCaller(handshake.acting()).gateway(), settings, requests, open);
    CompletableFuture<Channel> opened =
        broker
            .forCaller(handshake.opening())
            .gateway()
            .openChannel(handshake.options(), protocol::attach)
            .toCompletableFuture();
    if (opened.isCompletedExceptionally() && request.getHeader("Origin") == null) {
      // Not a browser, which would show its page nothing of a refused handshake.
      protocol.connection().abort();
      throw refusal(opened);
    }
    // Before the client can send anything.
    var unused = opened.whenComplete(protocol::opened);
    Upgrades.upgrade(request, handshake.response(), List.of(PROTOCOL), protocol.connection());
  }

  private static RuntimeException refusal(CompletableFuture<Channel> opened) {
    try {
      opened.join();
      throw new AssertionError("It has failed");
    } catch (RuntimeException failed) {
      return failed.getCause() instanceof RuntimeException cause ? cause : failed;
    }
  }

  @Override
  public void close() {
    SocketConnection.closeAll(open);
  }
}
