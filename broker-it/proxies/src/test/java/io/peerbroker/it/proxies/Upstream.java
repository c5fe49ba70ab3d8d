package io.peerbroker.it.proxies;

import io.peerbroker.core.Broker;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.servlet.HttpSettings;
import java.net.URI;
import java.time.Duration;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/** A broker at {@code /broker} in a Jetty of its own: what stands behind the proxy. */
final class Upstream implements AutoCloseable {

  private final Broker broker;
  private final Server server;
  private final int port;

  private Upstream(Broker broker, Server server, int port) {
    this.broker = broker;
    this.server = server;
    this.port = port;
  }

  /**
   * Starts one.
   *
   * @param port where it listens; 0: anywhere
   */
  static Upstream start(int port, Duration heartbeat) throws Exception {
    Broker broker = Broker.create();
    HttpSettings settings = HttpSettings.defaults().withHeartbeat(heartbeat);
    ServletHolder servlet = new ServletHolder(new BrokerServlet(broker, settings));
    servlet.setAsyncSupported(true);
    ServletContextHandler context = new ServletContextHandler();
    context.addServlet(servlet, "/broker/*");
    Server server = new Server();
    ServerConnector connector = new ServerConnector(server);
    connector.setHost("127.0.0.1");
    connector.setPort(port);
    server.addConnector(connector);
    server.setHandler(context);
    server.start();
    return new Upstream(broker, server, connector.getLocalPort());
  }

  int port() {
    return port;
  }

  String authority() {
    return "127.0.0.1:" + port;
  }

  URI base() {
    return URI.create("http://" + authority() + "/broker");
  }

  @Override
  public void close() {
    broker.close();
    try {
      server.stop();
    } catch (Exception e) {
      throw new AssertionError("The server did not stop", e);
    }
  }
}
