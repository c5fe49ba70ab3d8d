package io.peerbroker.websocket;

import static io.peerbroker.tck.WireSocket.get;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Event;
import io.peerbroker.core.Json;
import io.peerbroker.core.ListedSession;
import io.peerbroker.core.Message;
import io.peerbroker.core.TagFilter;
import io.peerbroker.servlet.HttpSettings;
import io.peerbroker.tck.Party;
import io.peerbroker.tck.Reader;
import io.peerbroker.tck.TransportKit;
import io.peerbroker.tck.TransportUnderTest;
import io.peerbroker.tck.WireSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/** The transport of WebSockets over a real socket is like any other. */
final class WebSocketTransportKitTest extends TransportKit {

  @Override
  protected TransportUnderTest start(Broker broker) throws Exception {
    HttpSettings settings = HttpSettings.defaults().withHeartbeat(Duration.ofMillis(100));
    return new Sockets(JettyServer.start(broker, settings), new CopyOnWriteArrayList<>());
  }

  private record Sockets(JettyServer server, List<WireSocket> clients)
      implements TransportUnderTest {

    private SocketReader connect() {
      WireSocket client = WireSocket.open(server.base(), "", "");
      clients.add(client);
      return new SocketReader(client);
    }

    @Override
    public Party open() {
      return connect();
    }

    @Override
    public Reader watch(TagFilter filter) {
      SocketReader reader = connect();
      reader.client.send(
          WireSocket.json(
              "post",
              "/channel/" + reader.id() + "/watch",
              "watch",
              "list",
              "filter",
              filter.toString()));
      return reader;
    }

    @Override
    public long bytesOnTheWay() {
      return 256 << 10;
    }

    @Override
    public void close() {
      clients.forEach(WireSocket::close);
      server.close();
    }
  }

  /** Reads only while it is asked to, so that it stalls by itself. */
  private static final class SocketReader implements Party {

    private final WireSocket client;
    private final String id;

    SocketReader(WireSocket client) {
      this.client = client;
      Map<String, Json> first = client.nextEvent();
      id = get(get(first, "data").members(), "cid").asString();
      // Answered when the first event has been taken: until then it counts against the queue's
      // bound.
      client.send(WireSocket.json("ref", 1, "post", "/channel/" + id + "/ping"));
      get(client.nextEvent(), "answer");
    }

    @Override
    public String id() {
      return id;
    }

    @Override
    public Event next() {
      Map<String, Json> event = client.nextEvent();
      return decode(get(event, "event").asString(), get(event, "data").members());
    }

    private static Event decode(String name, Map<String, Json> data) {
      return switch (name) {
        case "message" ->
            new Event.Received(
                new Message(
                    get(data, "origin").asString(),
                    get(data, "target").asString(),
                    get(data, "message").compact()));
        case "add" -> {
          Map<String, Json> session = get(data, "session").members();
          List<String> tags = get(session, "tags").elements().stream().map(Json::asString).toList();
          yield new Event.Added(
              new ListedSession(get(data, "sid").asString(), tags, get(session, "metadata")));
        }
        case "remove" -> new Event.Removed(get(data, "sid").asString());
        case "ready" -> new Event.Ready(Integer.parseInt(get(data, "count").toString()));
        default -> throw new AssertionError("Not expected: " + name + " " + data);
      };
    }

    @Override
    public String awaitEnd() {
      while (true) {
        Map<String, Json> event = client.nextEvent();
        String name = get(event, "event").asString();
        if (name.equals("close") || name.equals("unwatch")) {
          return get(get(event, "data").members(), "reason").asString();
        }
      }
    }

    @Override
    public void stall() {}

    @Override
    public void resume() {}

    @Override
    public void leave() {
      client.reset();
    }
  }
}
