package io.peerbroker.peerjs;

import java.net.URI;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.ee10.websocket.jakarta.server.config.JakartaWebSocketServletContainerInitializer;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/** A Jetty 12 with the servlet at {@code /any/path/*}, whose connections keep little. */
record JettyServer(Server server) implements AutoCloseable {

  static JettyServer start(PeerJsServlet servlet) throws Exception {
    ServletContextHandler context = new ServletContextHandler();
    context.addServlet(new ServletHolder(servlet), "/any/path/*");
    JakartaWebSocketServletContainerInitializer.configure(context, null);
    Server server = new Server();
    ServerConnector connector = new ServerConnector(server, 1, 1);
    connector.setHost("127.0.0.1");
    connector.setAcceptedSendBufferSize(4_096);
    // Some containers accept as much.
    connector
        .getConnectionFactory(HttpConnectionFactory.class)
        .getHttpConfiguration()
        .setRequestHeaderSize(32 << 10);
    server.addConnector(connector);
    server.setHandler(context);
    server.start();
    return new JettyServer(server);
  }

  URI base() {
    int port = ((ServerConnector) server.getConnectors()[0]).getLocalPort();
    return URI.create("http://127.0.0.1:" + port + "/any/path");
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
