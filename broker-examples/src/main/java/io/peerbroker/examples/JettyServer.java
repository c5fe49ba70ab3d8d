package io.peerbroker.examples;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import org.eclipse.jetty.io.ArrayByteBufferPool;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/** The web server that the runnable programs share: a Jetty that suits many idle streams. */
final class JettyServer {

  /** No thread belongs to a stream: these are for requests that are being read or answered. */
  private static final int MAX_THREADS = 64;

  private static final int BACKLOG = 1_024;

  /** By how many bytes the sizes of pooled buffers differ. */
  private static final int BUFFER_STEP = 1 << 10;

  private static final int MAX_BUFFER = 64 << 10;

  private final Server server;
  private final ServerConnector connector;

  /** Of {@link #start} and {@link #stop}, which may be called at the same moment. */
  private final ReentrantLock lifeCycle = new ReentrantLock();

  private boolean stopped;

  /**
   * What clients may take of a server by doing nothing.
   *
   * @param idle for how long a connection may be silent, between two requests as well. Longer than
   *     a load balancer in front keeps one it does not use, otherwise it sends a request into a
   *     connection that is just being closed
   * @param head within how long the head of a request must be all there, from its first byte, and
   *     for the first request of a connection from its beginning
   * @param connections how many may be open at one time; those that come then wait
   */
  record Bounds(Duration idle, Duration head, int connections) {

    /** An AWS Application Load Balancer keeps a connection for 60 s. */
    static final Bounds DEFAULTS =
        new Bounds(Duration.ofSeconds(75), Duration.ofSeconds(20), 50_000);
  }

  /** A server with the default bounds that is not started yet. */
  JettyServer(String host, int port, Duration heartbeat, Handler handler) {
    this(host, port, heartbeat, Bounds.DEFAULTS, handler);
  }

  /**
   * A server that is not started yet.
   *
   * @param host a name or an address, one of IPv6 with brackets or without
   * @param heartbeat how long a stream may be silent: a connection is idle after longer only
   */
  JettyServer(String host, int port, Duration heartbeat, Bounds bounds, Handler handler) {
    var threads = new QueuedThreadPool(MAX_THREADS);
    threads.setName("jetty");
    // Each idle stream keeps a buffer of 4 KiB. Those must have a bucket of their own: to find a
    // buffer, the pool looks through those of its size that are in use.
    server = new Server(threads, null, new ArrayByteBufferPool(0, BUFFER_STEP, MAX_BUFFER));

    var http = new HttpConfiguration();
    http.setSendServerVersion(false);
    http.setSendXPoweredBy(false);
    connector = new ServerConnector(server, new HttpConnectionFactory(http));
    connector.setHost(
        host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host);
    connector.setPort(port);
    connector.setAcceptQueueSize(BACKLOG);
    connector.setIdleTimeout(
        Math.max(bounds.idle().toMillis(), heartbeat.multipliedBy(3).toMillis()));
    server.addConnector(connector);
    server.addBean(new NetworkConnectionLimit(bounds.connections(), connector));
    var deadline = new HeadDeadline(bounds.head(), connector.getScheduler(), handler);
    connector.addBean(deadline.connections());
    server.setHandler(deadline);
  }

  /**
   * Starts to listen.
   *
   * @return the address of {@code /}
   * @throws IOException if it can't; the message says why, and what would help
   */
  String start() throws Exception {
    lifeCycle.lock();
    try {
      if (stopped) {
        throw new IOException("the server has been stopped");
      }
      String host = connector.getHost();
      try {
        InetAddress.getByName(host);
        connector.open();
      } catch (UnknownHostException e) {
        throw new IOException("there is no address for the host " + host, e);
      } catch (IOException e) {
        throw new IOException(whyNot(e), e);
      }
      server.start();
      // RFC 6874: the % before a zone is written as %25.
      return "http://" + shown(host).replace("%", "%25") + ":" + connector.getLocalPort() + "/";
    } finally {
      lifeCycle.unlock();
    }
  }

  /** A host as it stands before a port. */
  private static String shown(String host) {
    return host.indexOf(':') < 0 ? host : "[" + host + "]";
  }

  private String whyNot(IOException e) {
    Throwable cause = e.getCause() == null ? e : e.getCause();
    String why = String.valueOf(cause.getMessage());
    String where = shown(connector.getHost()) + ":" + connector.getPort();
    return cause instanceof BindException && why.contains("in use")
        ? "the port is taken: " + where + "; another --port may be free, and 0 picks one that is"
        : "can't listen on " + where + ": " + why;
  }

  /** Stops it, once a start that is going on is through; one that comes later fails. */
  void stop() throws Exception {
    lifeCycle.lock();
    try {
      stopped = true;
      server.stop();
    } finally {
      lifeCycle.unlock();
    }
  }

  /** Waits until the server has stopped. */
  void join() throws InterruptedException {
    server.join();
  }
}
