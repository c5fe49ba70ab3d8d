package io.peerbroker.servlet;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Event;
import io.peerbroker.core.Json;
import io.peerbroker.core.ListedSession;
import io.peerbroker.core.Message;
import io.peerbroker.core.TagFilter;
import io.peerbroker.tck.EventStreamParser;
import io.peerbroker.tck.Party;
import io.peerbroker.tck.Reader;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.SseStream;
import io.peerbroker.tck.TransportKit;
import io.peerbroker.tck.TransportUnderTest;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireConnection;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.servlet.ServletHolder;

/** The transport of server-sent events over a real socket is like any other. */
final class SseTransportKitTest extends TransportKit {

  private static final int SOCKET_BUFFER = 4_096;

  @Override
  protected TransportUnderTest start(Broker broker) throws Exception {
    HttpSettings settings = HttpSettings.defaults().withHeartbeat(Duration.ofMillis(100));
    ServletHolder servlet = new ServletHolder(new BrokerServlet(broker, settings));
    JettyServer server = JettyServer.start(servlet, ServerSettings.DEFAULTS);
    ((ServerConnector) server.server().getConnectors()[0]).setAcceptedSendBufferSize(SOCKET_BUFFER);
    return new Sse(server, new WireClient(server.base()));
  }

  private record Sse(JettyServer server, WireClient client) implements TransportUnderTest {

    @Override
    public Party open() {
      return new SseParty(client.openChannel(connect()));
    }

    @Override
    public Reader watch(TagFilter filter) {
      String encoded = URLEncoder.encode(filter.toString(), StandardCharsets.UTF_8);
      return new SseReader(client.openStream(connect(), "/list?filter=" + encoded));
    }

    private WireConnection connect() {
      return WireConnection.open(server.base(), SOCKET_BUFFER);
    }

    @Override
    public long bytesOnTheWay() {
      return 256 << 10;
    }

    @Override
    public void close() {
      client.close();
      server.close();
    }
  }

  /** Reads only while it is asked to, so that it stalls by itself. */
  private static class SseReader implements Reader {

    private final SseStream stream;

    SseReader(SseStream stream) {
      this.stream = stream;
    }

    @Override
    public Event next() {
      return decode(stream.next());
    }

    private static Event decode(EventStreamParser.Event event) {
      Map<String, Json> data = Json.parse(event.data()).members();
      return switch (event.name()) {
        case "message" ->
            new Event.Received(
                new Message(text(data, "origin"), text(data, "target"), get(data, "message")));
        case "add" -> {
          Map<String, Json> session = get(data, "session").members();
          var tags = get(session, "tags").elements().stream().map(Json::asString).toList();
          yield new Event.Added(
              new ListedSession(text(data, "sid"), tags, get(session, "metadata")));
        }
        case "remove" -> new Event.Removed(text(data, "sid"));
        case "ready" -> new Event.Ready(Integer.parseInt(get(data, "count").toString()));
        default -> throw new AssertionError("Not expected: " + event);
      };
    }

    private static Json get(Map<String, Json> members, String name) {
      return Objects.requireNonNull(members.get(name), name);
    }

    private static String text(Map<String, Json> members, String name) {
      return get(members, name).asString();
    }

    @Override
    public String awaitEnd() {
      stream.awaitEnd();
      var last = stream.events().get(stream.events().size() - 1);
      return text(Json.parse(last.data()).members(), "reason");
    }

    @Override
    public void stall() {}

    @Override
    public void resume() {}

    @Override
    public void leave() {
      stream.reset();
    }
  }

  private static final class SseParty extends SseReader implements Party {

    private final WireChannel channel;

    SseParty(WireChannel channel) {
      super(channel.stream());
      this.channel = channel;
    }

    @Override
    public String id() {
      return channel.cid();
    }
  }
}
