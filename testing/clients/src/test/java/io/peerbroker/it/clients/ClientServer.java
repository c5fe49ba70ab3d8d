package io.peerbroker.it.clients;

import io.peerbroker.servlet.BrokerServlet;
import jakarta.servlet.DispatcherType;
import java.net.URI;
import java.util.EnumSet;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.jetty.ee10.servlet.FilterHolder;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/**
 * A Jetty 12 with the broker's servlet, for pages from anywhere.
 *
 * @param asked how many channels have been requested: clients ask again on a connection they have
 */
record ClientServer(Server server, AtomicInteger asked) implements AutoCloseable {

  static ClientServer start(Map<String, String> parameters) throws Exception {
    ServletHolder servlet = new ServletHolder(new BrokerServlet());
    servlet.setInitParameters(parameters);
    servlet.setInitParameter("allowedOrigins", "*");
    servlet.setAsyncSupported(true);
    AtomicInteger asked = new AtomicInteger();
    FilterHolder counter =
        new FilterHolder(
            (request, response, chain) -> {
              asked.incrementAndGet();
              chain.doFilter(request, response);
            });
    counter.setAsyncSupported(true);
    ServletContextHandler context = new ServletContextHandler();
    context.addFilter(counter, "/broker/channel", EnumSet.of(DispatcherType.REQUEST));
    context.addServlet(servlet, "/broker/*");
    Server server = new Server();
    ServerConnector connector = new ServerConnector(server);
    connector.setHost("127.0.0.1");
    server.addConnector(connector);
    server.setHandler(context);
    server.start();
    return new ClientServer(server, asked);
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
