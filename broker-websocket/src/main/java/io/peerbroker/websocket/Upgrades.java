package io.peerbroker.websocket;

import io.peerbroker.core.Refusal;
import io.peerbroker.core.RefusedException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.websocket.DeploymentException;
import jakarta.websocket.Endpoint;
import jakarta.websocket.Extension;
import jakarta.websocket.server.ServerContainer;
import jakarta.websocket.server.ServerEndpointConfig;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Makes a WebSocket of a request to a servlet, in each container: for this module, and for {@code
 * broker-peerjs}. Not for others: it may change with each version.
 */
public final class Upgrades {

  /** Whether the container's WebSockets are 2.1 or later. */
  private static final boolean HAS_UPGRADE =
      Stream.of(ServerContainer.class.getMethods()).anyMatch(Upgrades::isUpgrade);

  /** The attribute of the servlet context with the container's WebSockets, if it has any. */
  private static final String CONTAINER = "jakarta.websocket.server.ServerContainer";

  private Upgrades() {}

  /**
   * Returns the WebSockets of the request's container.
   *
   * @throws RefusedException {@code internal} if it has none
   */
  static ServerContainer requireContainer(HttpServletRequest request) {
    if (request.getServletContext().getAttribute(CONTAINER) instanceof ServerContainer container) {
      return container;
    }
    throw RefusedException.of(
        Refusal.Code.INTERNAL,
        "This container serves no WebSockets: it lacks its module for jakarta.websocket.");
  }

  /**
   * Answers a handshake, without compression, and whatever its origin is: that must have been
   * checked. Must be called on the thread that serves the request. A container answers a handshake
   * that it declines by itself: then this returns. Whenever there will be no WebSocket, the
   * connection is aborted.
   *
   * @param protocols the names of the protocols that are served (RFC 6455, section 1.9)
   * @throws IOException if the connection has gone
   * @throws RefusedException {@code internal} if the container serves no WebSockets
   */
  public static void upgrade(
      HttpServletRequest request,
      HttpServletResponse response,
      List<String> protocols,
      SocketConnection connection)
      throws IOException {
    boolean upgraded = false;
    try {
      upgrade(request, response, protocols, new SocketEndpoint(connection));
      upgraded = connection.isConnected() || response.getStatus() == 101;
    } finally {
      if (!upgraded) {
        connection.abort();
      }
    }
  }

  private static void upgrade(
      HttpServletRequest request,
      HttpServletResponse response,
      List<String> protocols,
      Endpoint endpoint)
      throws IOException {
    ServerContainer container = requireContainer(request);
    ServerEndpointConfig config =
        ServerEndpointConfig.Builder.create(endpoint.getClass(), request.getRequestURI())
            .subprotocols(protocols)
            .configurator(new OneSocket(endpoint))
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
            .filter(Upgrades::isUpgrade)
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

  /** Gives one connection its endpoint. */
  private static final class OneSocket extends ServerEndpointConfig.Configurator {

    private final Endpoint endpoint;

    OneSocket(Endpoint endpoint) {
      this.endpoint = endpoint;
    }

    @Override
    public <T> T getEndpointInstance(Class<T> type) {
      return type.cast(endpoint);
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
