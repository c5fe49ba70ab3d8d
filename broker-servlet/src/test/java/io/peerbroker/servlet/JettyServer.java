package io.peerbroker.servlet;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Caller;
import io.peerbroker.tck.KitPolicy;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireServer;
import java.net.URI;
import java.util.HashMap;
import java.util.Map;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;
import org.eclipse.jetty.util.VirtualThreads;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;

/**
 * A Jetty 11 with the broker's servlet at {@code /broker/*}, set up as a web.xml would, by
 * init-parameters.
 */
record JettyServer(Server server, ServletContextHandler context) implements WireServer {

  static JettyServer start(ServerSettings settings) throws Exception {
    Broker broker = settings.broker();
    BrokerServlet servlet = broker == null ? new BrokerServlet() : new BrokerServlet(broker);
    return start(new ServletHolder(servlet), settings);
  }

  static JettyServer start(ServletHolder servlet, ServerSettings settings) throws Exception {
    ServletContextHandler context = new ServletContextHandler();
    Map<String, String> parameters = new HashMap<>(settings.parameters());
    if (parameters.remove(ServerSettings.POLICY) != null) {
      Broker broker = KitPolicy.broker(JettyServer::word);
      context.setAttribute(BrokerServlet.BROKER_ATTRIBUTE, broker);
    }
    servlet.setInitParameters(parameters);
    servlet.setAsyncSupported(true);
    context.addServlet(servlet, "/broker/*");
    Server server = new Server(threads());
    ServerConnector connector = new ServerConnector(server);
    connector.setHost("127.0.0.1");
    server.addConnector(connector);
    server.setHandler(context);
    server.start();
    return new JettyServer(server, context);
  }

  /**
   * With {@code -Dpeerbroker.virtualThreads=true}, which needs JDK 21, requests run on virtual
   * threads.
   */
  private static QueuedThreadPool threads() {
    QueuedThreadPool threads = new QueuedThreadPool();
    if (Boolean.getBoolean("peerbroker.virtualThreads")) {
      if (!VirtualThreads.areSupported()) {
        throw new IllegalStateException("peerbroker.virtualThreads takes JDK 21 or later.");
      }
      threads.setVirtualThreadsExecutor(VirtualThreads.getDefaultVirtualThreadsExecutor());
    }
    return threads;
  }

  private static @Nullable String word(Caller caller) {
    HttpCaller http = (HttpCaller) caller;
    return KitPolicy.wordOf(
        http.header(KitPolicy.HEADER),
        http.cookie(KitPolicy.COOKIE),
        http.queryParameter(KitPolicy.PARAMETER));
  }

  @Override
  public URI base() {
    int port = ((ServerConnector) server.getConnectors()[0]).getLocalPort();
    return URI.create("http://127.0.0.1:" + port + "/broker");
  }

  @Override
  public void shutDownBroker() {
    if (context.getServletContext().getAttribute(BrokerServlet.BROKER_ATTRIBUTE)
        instanceof Broker broker) {
      broker.close();
    }
  }

  @Override
  public void close() {
    try {
      shutDownBroker();
      server.stop();
    } catch (Exception e) {
      throw new AssertionError("The server did not stop", e);
    }
  }
}
