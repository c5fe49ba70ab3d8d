package io.peerbroker.benchmarks;

import io.peerbroker.core.Broker;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.servlet.HttpSettings;
import java.time.Duration;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/** A broker in a real Jetty, on the loopback. */
final class WebServer implements AutoCloseable {

  private static final String HOST = "127.0.0.1";
  private static final int BACKLOG = 1_024;

  private final Server server = new Server();
  private final ServerConnector connector = new ServerConnector(server);
  private final Broker broker;
  private final BareServlet bare = new BareServlet();

  /**
   * Starts, with the broker at the root and the yardstick at {@code /bare}; the broker is closed
   * with it. No heartbeat disturbs the measurement.
   */
  WebServer(Broker broker) throws Exception {
    this.broker = broker;
    connector.setHost(HOST);
    connector.setAcceptQueueSize(BACKLOG);
    server.addConnector(connector);
    var context = new ServletContextHandler("/");
    HttpSettings settings = HttpSettings.defaults().withHeartbeat(Duration.ofHours(1));
    var servlet = new ServletHolder(new BrokerServlet(broker, settings));
    servlet.setAsyncSupported(true);
    context.addServlet(servlet, "/*");
    var bareHolder = new ServletHolder(bare);
    bareHolder.setAsyncSupported(true);
    context.addServlet(bareHolder, "/bare");
    server.setHandler(context);
    server.start();
  }

  BareServlet bare() {
    return bare;
  }

  int port() {
    return connector.getLocalPort();
  }

  @Override
  public void close() {
    broker.close();
    try {
      server.stop();
    } catch (Exception e) {
      throw new IllegalStateException("Jetty did not stop", e);
    }
  }
}
