package io.peerbroker.websocket;

import io.peerbroker.core.Broker;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.servlet.HttpSettings;
import java.net.URI;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.ee10.websocket.jakarta.server.config.JakartaWebSocketServletContainerInitializer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/** A Jetty 12 with the broker at {@code /broker/*}, whose connections keep little. */
record JettyServer(Server server) implements AutoCloseable {

  static final int SOCKET_BUFFER = 4_096;

  static JettyServer start(Broker broker, HttpSettings settings) throws Exception {
    ServletHolder servlet = new ServletHolder(new BrokerServlet(broker, settings));
    servlet.setAsyncSupported(true);
    ServletContextHandler context = new ServletContextHandler();
    context.addServlet(servlet, "/broker/*");
    JakartaWebSocketServletContainerInitializer.configure(context, null);
    Server server = new Server();
    ServerConnector connector = new ServerConnector(server, 1, 1);
    connector.setHost("127.0.0.1");
    connector.setAcceptedSendBufferSize(SOCKET_BUFFER);
    server.addConnector(connector);
    server.setHandler(context);
    server.start();
    return new JettyServer(server);
  }

  URI base() {
    int port = ((ServerConnector) server.getConnectors()[0]).getLocalPort();
    return URI.create("http://127.0.0.1:" + port + "/broker");
  }

  @Override
  public void close() {
    try {
      server.stop();
    } catch (Exception e) {
      throw new AssertionError("The server did not stop", e);
    }
  }
}
