package io.peerbroker.examples;

import io.peerbroker.core.Broker;
import io.peerbroker.core.TagFilter;
import io.peerbroker.servlet.BrokerServlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/** A web application that is already there: how does the broker get into it? */
public final class EmbedInWebApp {

  private EmbedInWebApp() {}

  /**
   * Runs a shop whose customers can talk to each other, until the process is terminated.
   *
   * @param args the port; 8080 if there is none
   */
  public static void main(String[] args) throws Exception {
    Broker broker = Broker.create();
    Server server = server(args.length > 0 ? Integer.parseInt(args[0]) : 8080, broker);

    // The broker first: it notifies its streams over the connections that the server closes. Before
    // the start, since a process may have to end while it starts.
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  broker.close();
                  try {
                    server.stop();
                  } catch (Exception e) {
                    System.err.println("did not stop cleanly: " + e);
                  }
                }));
    server.start();
    System.out.println("listening on " + server.getURI());
  }

  /** The web application at {@code /shop}, with the broker at {@code /shop/broker}; not started. */
  static Server server(int port, Broker broker) {
    var shop = new ServletContextHandler("/shop");

    // The existing part, which may use the same broker as the browsers.
    shop.addServlet(new ServletHolder(new FrontDoor(broker)), "/");

    // The one addition. Streams need asynchronous requests, here and in every filter before it.
    // In a web.xml, or without a broker of your own, the servlet makes one and puts it into the
    // servlet context, as the attribute BrokerServlet.BROKER_ATTRIBUTE.
    var servlet = new ServletHolder(new BrokerServlet(broker));
    servlet.setAsyncSupported(true);
    shop.addServlet(servlet, "/broker/*");

    var server = new Server();
    var connector = new ServerConnector(server);
    connector.setHost("127.0.0.1");
    connector.setPort(port);
    server.addConnector(connector);
    server.setHandler(shop);
    return server;
  }

  /** A page of the application: it knows the sessions without a request over HTTP. */
  private static final class FrontDoor extends HttpServlet {
    private static final long serialVersionUID = 1L;

    private final transient Broker broker;

    FrontDoor(Broker broker) {
      this.broker = broker;
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      int there = broker.list(TagFilter.parse("customer")).sessions().size();
      response.setContentType("text/plain;charset=UTF-8");
      response.getWriter().println("Welcome. Customers who want to talk: " + there);
    }
  }
}
