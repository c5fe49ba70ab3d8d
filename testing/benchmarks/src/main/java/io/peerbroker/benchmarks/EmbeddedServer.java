package io.peerbroker.benchmarks;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Limits;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.servlet.HttpSettings;
import jakarta.servlet.Servlet;
import jakarta.servlet.http.HttpServlet;
import java.nio.file.Files;
import java.time.Duration;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * A servlet in a container, in a process of its own that ends with its standard input. Its
 * arguments are the container, {@code broker} or {@code bare}, the port and the number of streams.
 *
 * <p>It is compiled against Jetty 12.1. What it names directly is the same in Jetty 11; where they
 * differ, and for Tomcat, it looks the classes up. Undertow has names of its own.
 */
final class EmbeddedServer {

  private static final String HOST = "127.0.0.1";

  /** As many threads as the runnable broker has. */
  private static final int THREADS = 64;

  private static final int BACKLOG = 1_024;

  /** Silent streams must stay, and no heartbeat disturbs the measurement. */
  private static final Duration SILENCE = Duration.ofHours(1);

  private EmbeddedServer() {}

  public static void main(String[] args) throws Exception {
    int port = Integer.parseInt(args[2]);
    int streams = Integer.parseInt(args[3]);
    HttpServlet servlet = args[1].equals("bare") ? new BareRelayServlet() : broker(streams);
    switch (args[0]) {
      case "jetty11" -> Jetty.start("org.eclipse.jetty.servlet.", servlet, port);
      case "jetty12" -> Jetty.start("org.eclipse.jetty.ee10.servlet.", servlet, port);
      case "tomcat10" -> startTomcat(servlet, port, streams);
      case "undertow" -> UndertowServer.start(servlet, HOST, port);
      default -> throw new IllegalArgumentException("There is no container " + args[0]);
    }
    while (System.in.read() >= 0) {
      // Nothing is said to it.
    }
    // With what the JVM does at its end, such as writing a flight recording.
    System.exit(0);
  }

  /**
   * The broker as it is by default, with room for the streams, and a rate that is never reached.
   */
  private static BrokerServlet broker(int streams) {
    Broker broker =
        Broker.builder()
            .maxChannels(2 * streams)
            .messageRate(new Limits.Rate(1_000_000, 1_000_000))
            .build();
    return new BrokerServlet(broker, HttpSettings.defaults().withHeartbeat(SILENCE));
  }

  private static void startTomcat(Servlet servlet, int port, int streams) throws Exception {
    Object connector = newInstance("org.apache.catalina.connector.Connector");
    connector.getClass().getMethod("setPort", int.class).invoke(connector, port);
    set(connector, "address", HOST);
    set(connector, "acceptCount", "" + BACKLOG);
    set(connector, "maxConnections", "" + (2 * streams + BACKLOG));
    set(connector, "maxKeepAliveRequests", "-1");
    set(connector, "keepAliveTimeout", "" + SILENCE.toMillis());
    Object tomcat = newInstance("org.apache.catalina.startup.Tomcat");
    Class<?> tomcats = tomcat.getClass();
    tomcats
        .getMethod("setBaseDir", String.class)
        .invoke(tomcat, Files.createTempDirectory("tomcat").toString());
    tomcats.getMethod("setConnector", connector.getClass()).invoke(tomcat, connector);
    Object context =
        tomcats.getMethod("addContext", String.class, String.class).invoke(tomcat, "", null);
    Class<?> contexts = Class.forName("org.apache.catalina.Context");
    Class<?> wrappers = Class.forName("org.apache.catalina.Wrapper");
    Object wrapper =
        tomcats
            .getMethod("addServlet", contexts, String.class, Servlet.class)
            .invoke(null, context, "relay", servlet);
    wrappers.getMethod("setAsyncSupported", boolean.class).invoke(wrapper, true);
    wrappers.getMethod("addMapping", String.class).invoke(wrapper, "/*");
    tomcats.getMethod("start").invoke(tomcat);
  }

  private static void set(Object connector, String name, String value)
      throws ReflectiveOperationException {
    connector
        .getClass()
        .getMethod("setProperty", String.class, String.class)
        .invoke(connector, name, value);
  }

  private static Object newInstance(String name) throws ReflectiveOperationException {
    return Class.forName(name).getConstructor().newInstance();
  }

  /** A class of its own, which is loaded only where there is a Jetty. */
  private static final class Jetty {

    private Jetty() {}

    static void start(String servlets, Servlet servlet, int port) throws Exception {
      Server server = new Server(new QueuedThreadPool(THREADS));
      ServerConnector connector = new ServerConnector(server);
      connector.setHost(HOST);
      connector.setPort(port);
      connector.setAcceptQueueSize(BACKLOG);
      connector.setIdleTimeout(SILENCE.toMillis());
      server.addConnector(connector);
      Object context = newInstance(servlets + "ServletContextHandler");
      Class<?> holders = Class.forName(servlets + "ServletHolder");
      Object holder = holders.getConstructor(Servlet.class).newInstance(servlet);
      holders.getMethod("setAsyncSupported", boolean.class).invoke(holder, true);
      context
          .getClass()
          .getMethod("addServlet", holders, String.class)
          .invoke(context, holder, "/*");
      server.setHandler((Handler) context);
      server.start();
    }
  }
}
