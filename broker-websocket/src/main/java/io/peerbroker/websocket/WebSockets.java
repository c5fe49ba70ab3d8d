package io.peerbroker.websocket;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Refusal;
import io.peerbroker.core.RefusedException;
import io.peerbroker.json.JsonRequests;
import io.peerbroker.servlet.HttpSettings;
import io.peerbroker.servlet.SocketUpgrade;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.websocket.DeploymentException;
import jakarta.websocket.Extension;
import jakarta.websocket.server.ServerContainer;
import jakarta.websocket.server.ServerEndpointConfig;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * The WebSockets of a broker. Each begins as a request to the servlet, so no endpoint is registered
 * with the container, which would serve it ahead of the servlet's filters.
 */
final class WebSockets implements SocketUpgrade {

  /** The name of this protocol (RFC 6455, section 1.9). */
  static final String PROTOCOL = "peerbroker.v1";

  /** Whether the container's WebSockets are 2.1 or later. */
  private static final boolean HAS_UPGRADE =
      Stream.of(ServerContainer.class.getMethods()).anyMatch(WebSockets::isUpgrade);

  /** The attribute of the servlet context with the container's WebSockets, if it has any. */
  private static final String CONTAINER = "jakarta.websocket.server.ServerContainer";

  private final Broker broker;
  private final HttpSettings settings;
  private final JsonRequests requests;

  /** Every WebSocket that is open. */
  private final Set<WebSocketTransport> open = ConcurrentHashMap.newKeySet();

  WebSockets(Broker broker, HttpSettings settings) {
    this.broker = broker;
    this.settings = settings;
    requests = new JsonRequests(settings.heartbeat().multipliedBy(2));
  }

  @Override
  public void upgrade(Handshake handshake) throws IOException {
    HttpServletRequest request = handshake.request();
    if (!(request.getServletContext().getAttribute(CONTAINER)
        instanceof ServerContainer container)) {
      throw RefusedException.of(
          Refusal.Code.INTERNAL,
          "This container serves no WebSockets: it lacks its module for jakarta.websocket.");
    }
    WebSocketTransport transport =
        new WebSocketTransport(
            broker.forCaller(handshake.acting()).gateway(), settings, requests, open);
    CompletableFuture<Channel> opened =
        broker
            .forCaller(handshake.opening())
            .gateway()
            .openChannel(handshake.options(), transport::attach)
            .toCompletableFuture();
    if (opened.isCompletedExceptionally() && request.getHeader("Origin") == null) {
      // Not a browser, which would show its page nothing of a refused handshake.
      transport.abort();
      throw refusal(opened);
    }
    // Before the client can send anything.
    var unused = opened.whenComplete(transport::opened);
    boolean upgraded = false;
    try {
      upgrade(container, request, handshake.response(), transport);
      // Containers answer a handshake that they decline by themselves.
      upgraded = transport.isConnected() || handshake.response().getStatus() == 101;
    } finally {
      if (!upgraded) {
        transport.abort();
      }
    }
  }

  private static RuntimeException refusal(CompletableFuture<Channel> opened) {
    try {
      opened.join();
      throw new AssertionError("It has failed");
    } catch (RuntimeException failed) {
      return failed.getCause() instanceof RuntimeException cause ? cause : failed;
    }
  }

  private static void upgrade(
      ServerContainer container,
      HttpServletRequest request,
      HttpServletResponse response,
      WebSocketTransport transport)
      throws IOException {
    ServerEndpointConfig config =
        ServerEndpointConfig.Builder.create(WebSocketEndpoint.class, request.getRequestURI())
            .subprotocols(List.of(PROTOCOL))
            .configurator(new OneSocket(transport))
            .build();
    try {
      if (HAS_UPGRADE) {
        container.upgradeHttpToWebSocket(request, response, config, Map.of());
      } else {
        upgradeOnJetty11(container, request, response, config);
      }
    } catch (DeploymentException unfit) {
      throw new IllegalStateException("The container refuses the endpoint", unfit);
    }
  }

  /** Jetty 11 has the method, though WebSocket 2.0, whose interface it implements, has it not. */
  private static void upgradeOnJetty11(
      ServerContainer container,
      HttpServletRequest request,
      HttpServletResponse response,
      ServerEndpointConfig config)
      throws IOException, DeploymentException {
    Method upgrade =
        Stream.of(container.getClass().getMethods())
            .filter(WebSockets::isUpgrade)
            .findFirst()
            .orElseThrow(
                () ->
                    RefusedException.of(
                        Refusal.Code.INTERNAL,
                        "This container's WebSockets are older than jakarta.websocket 2.1."));
    try {
      upgrade.invoke(container, request, response, config, Map.of());
    } catch (InvocationTargetException failed) {
      if (failed.getCause() instanceof IOException gone) {
        throw gone;
      }
      throw new IllegalStateException("The upgrade failed", failed.getCause());
    } catch (IllegalAccessException closed) {
      throw new IllegalStateException("The container's WebSockets are not accessible", closed);
    }
  }

  private static boolean isUpgrade(Method method) {
    return method.getName().equals("upgradeHttpToWebSocket") && method.getParameterCount() == 4;
  }

  @Override
  public void close() {
    open.forEach(WebSocketTransport::abort);
  }

  /** Gives one connection its endpoint. */
  private static final class OneSocket extends ServerEndpointConfig.Configurator {

    private final WebSocketTransport transport;

    OneSocket(WebSocketTransport transport) {
      this.transport = transport;
    }

    @Override
    public <T> T getEndpointInstance(Class<T> type) {
      return type.cast(new WebSocketEndpoint(transport));
    }

    /** The servlet has checked it. */
    @Override
    public boolean checkOrigin(String originHeaderValue) {
      return true;
    }

    /** No compression: it takes some 100 KiB of each connection, and messages are short. */
    @Override
    public List<Extension> getNegotiatedExtensions(
        List<Extension> installed, List<Extension> requested) {
      return List.of();
    }
  }
}
