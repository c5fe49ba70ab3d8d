package io.peerbroker.it.proxies;

import io.peerbroker.core.Broker;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.servlet.HttpSettings;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.ee10.websocket.jakarta.server.config.JakartaWebSocketServletContainerInitializer;
import org.eclipse.jetty.http.MetaData;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpStream;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/** A broker at {@code /broker} in a Jetty of its own: the server behind the proxy. */
final class Upstream implements AutoCloseable {

  /** The header that names a stream whose writes are counted. */
  static final String STREAM = "X-Counted-Stream";

  private final Broker broker;
  private final Server server;
  private final int port;
  private final Map<String, LongAdder> writes;

  private Upstream(Broker broker, Server server, int port, Map<String, LongAdder> writes) {
    this.broker = broker;
    this.server = server;
    this.port = port;
    this.writes = writes;
  }

  /**
   * Starts one.
   *
   * @param port where it listens; 0: anywhere
   */
  static Upstream start(int port, Duration heartbeat) throws Exception {
    Broker broker = Broker.create();
    HttpSettings settings = HttpSettings.defaults().withHeartbeat(heartbeat);
    ServletHolder servlet = new ServletHolder(new BrokerServlet(broker, settings));
    servlet.setAsyncSupported(true);
    ServletContextHandler context = new ServletContextHandler();
    context.addServlet(servlet, "/broker/*");
    JakartaWebSocketServletContainerInitializer.configure(context, null);
    Server server = new Server();
    ServerConnector connector = new ServerConnector(server);
    connector.setHost("127.0.0.1");
    connector.setPort(port);
    server.addConnector(connector);
    Map<String, LongAdder> writes = new ConcurrentHashMap<>();
    server.setHandler(new Counter(context, writes));
    server.start();
    return new Upstream(broker, server, connector.getLocalPort(), writes);
  }

  int port() {
    return port;
  }

  String authority() {
    return "127.0.0.1:" + port;
  }

  /** How often the broker has written to the stream whose request had this {@link #STREAM}. */
  int writes(String stream) {
    return writes.getOrDefault(stream, new LongAdder()).intValue();
  }

  URI base() {
    return URI.create("http://" + authority() + "/broker");
  }

  @Override
  public void close() {
    broker.close();
    try {
      server.stop();
    } catch (Exception e) {
      throw new AssertionError("The server did not stop", e);
    }
  }

  /** Counts, below the servlet, the writes to each stream that has a name. */
  private static final class Counter extends Handler.Wrapper {

    private final Map<String, LongAdder> writes;

    Counter(Handler handler, Map<String, LongAdder> writes) {
      super(handler);
      this.writes = writes;
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
      String name = request.getHeaders().get(STREAM);
      if (name != null) {
        LongAdder count = writes.computeIfAbsent(name, unused -> new LongAdder());
        request.addHttpStreamWrapper(stream -> new CountedStream(stream, count));
      }
      return super.handle(request, response, callback);
    }
  }

  private static final class CountedStream extends HttpStream.Wrapper {

    private final LongAdder count;

    CountedStream(HttpStream stream, LongAdder count) {
      super(stream);
      this.count = count;
    }

    @Override
    public void send(
        MetaData.Request request,
        MetaData.@Nullable Response response,
        boolean last,
        @Nullable ByteBuffer content,
        Callback callback) {
      if (content != null && content.hasRemaining()) {
        count.increment();
      }
      super.send(request, response, last, content, callback);
    }
  }
}
