package io.peerbroker.it;

import io.peerbroker.core.Broker;
import io.peerbroker.it.common.FrontFilter;
import io.peerbroker.it.common.KitServlet;
import io.peerbroker.peerjs.PeerJsServlet;
import io.peerbroker.peerjs.PeerJsSettings;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.tck.ContainerServer;
import io.peerbroker.tck.ServerSettings;
import jakarta.servlet.DispatcherType;
import java.net.URI;
import java.util.EnumSet;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.servlet.FilterHolder;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;
import org.eclipse.jetty.util.component.LifeCycle;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.eclipse.jetty.websocket.jakarta.server.config.JakartaWebSocketServletContainerInitializer;

/** A Jetty 11 with the broker's servlet at {@code /broker/*}. */
record Jetty11Server(Server server, ServletContextHandler context) implements ContainerServer {

  static Jetty11Server start(ServerSettings settings) throws Exception {
    FrontFilter filter = new FrontFilter(settings.front());
    FilterHolder front = new FilterHolder(filter);
    front.setAsyncSupported(filter.asyncSupported());
    ServletHolder servlet = new ServletHolder(KitServlet.of(settings));
    servlet.setInitParameters(settings.parameters());
    servlet.setAsyncSupported(true);
    servlet.setInitOrder(0);
    ServletContextHandler context = new ServletContextHandler();
    context.addFilter(front, "/*", EnumSet.of(DispatcherType.REQUEST));
    context.addServlet(servlet, "/broker/*");
    context.addServlet(
        new ServletHolder(new PeerJsServlet(PeerJsSettings.defaults().withTag("peerjs"))),
        "/peerjs/*");
    JakartaWebSocketServletContainerInitializer.configure(context, null);
    int threads = settings.threads() == 0 ? 200 : settings.threads();
    Server server = new Server(new QueuedThreadPool(threads, Math.min(8, threads)));
    ServerConnector connector = new ServerConnector(server, 1, 1);
    connector.setHost("127.0.0.1");
    if (!settings.clientTimeout().isZero()) {
      connector.setIdleTimeout(settings.clientTimeout().toMillis());
    }
    if (settings.threads() > 0) {
      connector.setAcceptedSendBufferSize(ServerSettings.SEND_BUFFER);
    }
    server.addConnector(connector);
    server.setHandler(context);
    // A server that stops closes its connections before its contexts.
    server.addEventListener(
        new LifeCycle.Listener() {
          @Override
          public void lifeCycleStopping(LifeCycle stopping) {
            closeBroker(context);
          }
        });
    server.start();
    return new Jetty11Server(server, context);
  }

  @Override
  public URI base() {
    int port = ((ServerConnector) server.getConnectors()[0]).getLocalPort();
    return URI.create("http://127.0.0.1:" + port + "/broker");
  }

  @Override
  public void shutDownBroker() {
    closeBroker(context);
  }

  private static void closeBroker(ServletContextHandler context) {
    if (context.getServletContext().getAttribute(BrokerServlet.BROKER_ATTRIBUTE)
        instanceof Broker broker) {
      broker.close();
    }
  }

  @Override
  public void stopApplication() {
    try {
      context.stop();
    } catch (Exception e) {
      throw new AssertionError("The application did not stop", e);
    }
  }

  @Override
  public void stopContainer() {
    try {
      server.stop();
    } catch (Exception e) {
      throw new AssertionError("The server did not stop", e);
    }
  }

  @Override
  public void close() {
    shutDownBroker();
    stopContainer();
  }
}
