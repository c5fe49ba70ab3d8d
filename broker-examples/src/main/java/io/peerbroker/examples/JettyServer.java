package io.peerbroker.examples;

import io.peerbroker.core.Broker;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/** The web server that the runnable programs share: a Jetty that suits many idle streams. */
final class JettyServer {

  /** No thread belongs to a stream: these are for requests that are being read or answered. */
  private static final int MAX_THREADS = 64;

  private static final int BACKLOG = 1_024;
  private static final Duration IDLE = Duration.ofSeconds(60);

  private final Server server;
  private final ServerConnector connector;

  /**
   * A server that is not started yet.
   *
   * @param heartbeat how long a stream may be silent: a connection is idle after longer only
   */
  JettyServer(String host, int port, Duration heartbeat, Handler handler) {
    var threads = new QueuedThreadPool(MAX_THREADS);
    threads.setName("jetty");
    server = new Server(threads);

    var http = new HttpConfiguration();
    http.setSendServerVersion(false);
    http.setSendXPoweredBy(false);
    connector = new ServerConnector(server, new HttpConnectionFactory(http));
    connector.setHost(host);
    connector.setPort(port);
    connector.setAcceptQueueSize(BACKLOG);
    connector.setIdleTimeout(Math.max(IDLE.toMillis(), heartbeat.multipliedBy(3).toMillis()));
    server.addConnector(connector);
    server.setHandler(handler);
  }

  /**
   * Starts to listen.
   *
   * @return the address of {@code /}
   * @throws IOException if it can't; the message says why, and what would help
   */
  String start() throws Exception {
    try {
      InetAddress.getByName(connector.getHost());
      connector.open();
    } catch (UnknownHostException e) {
      throw new IOException("there is no address for the host " + connector.getHost(), e);
    } catch (IOException e) {
      throw new IOException(whyNot(e), e);
    }
    server.start();
    String host = connector.getHost();
    String shown = host.indexOf(':') < 0 ? host : "[" + host + "]";
    return "http://" + shown + ":" + connector.getLocalPort() + "/";
  }

  private String whyNot(IOException e) {
    Throwable cause = e.getCause() == null ? e : e.getCause();
    String why = String.valueOf(cause.getMessage());
    String where = connector.getHost() + ":" + connector.getPort();
    return cause instanceof BindException && why.contains("in use")
        ? "the port is taken: " + where + "; another --port may be free, and 0 picks one that is"
        : "can't listen on " + where + ": " + why;
  }

  /**
   * Ends the broker and this server when the process is told to end, in this order: streams can be
   * told only while the server still has their connections. The exit code is then 0, as somebody
   * asked for it.
   */
  void endWithProcess(Broker broker) {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  int exitCode = 0;
                  try {
                    broker.close();
                    server.stop();
                  } catch (Exception e) {
                    System.err.println("did not end cleanly: " + e);
                    exitCode = 1;
                  }
                  Runtime.getRuntime().halt(exitCode);
                },
                "shutdown"));
  }

  /** Waits until the server has stopped. */
  void join() throws InterruptedException {
    server.join();
  }
}
