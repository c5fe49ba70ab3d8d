package io.peerbroker.peerjs;

import static io.peerbroker.tck.WireSocket.get;
import static io.peerbroker.tck.WireSocket.json;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Event;
import io.peerbroker.core.Json;
import io.peerbroker.core.Message;
import io.peerbroker.tck.ChannelKit;
import io.peerbroker.tck.ChannelsUnderTest;
import io.peerbroker.tck.Party;
import io.peerbroker.tck.WireSocket;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The channel of a PeerJS client is like any other, over a real socket. It has no lists, and a
 * frame says which client it is for, but not whether it was sent to the channel or a session; so
 * this is not the kit for whole transports.
 */
final class PeerJsChannelKitTest extends ChannelKit<PeerJsChannelKitTest.Clients> {

  @Override
  protected Clients start(Broker broker) throws Exception {
    PeerJsServlet servlet = new PeerJsServlet(broker, PeerJsSettings.defaults());
    return new Clients(servlet, JettyServer.start(servlet), new CopyOnWriteArrayList<>());
  }

  @Override
  protected Json asMessage(Json content) {
    return Json.parse("{\"type\":\"OFFER\",\"payload\":" + content + "}");
  }

  record Clients(PeerJsServlet servlet, JettyServer server, List<WireSocket> sockets)
      implements ChannelsUnderTest {

    @Override
    public Party open() {
      String name = "client" + sockets.size();
      WireSocket socket =
          WireSocket.openAt(server.base(), "/peerjs?key=peerjs&token=1&id=" + name, "");
      sockets.add(socket);
      assertThat(socket.nextText()).contains("OPEN");
      return new Client(
          socket, name, Objects.requireNonNull(servlet.findChannel(name), "channel").id());
    }

    @Override
    public long bytesOnTheWay() {
      return 256 << 10;
    }

    @Override
    public void close() {
      sockets.forEach(WireSocket::close);
      server.close();
    }
  }

  /** Reads only while it is asked to, so that it stalls by itself. */
  private static final class Client implements Party {

    private final WireSocket socket;
    private final String name;
    private final String channel;

    Client(WireSocket socket, String name, String channel) {
      this.socket = socket;
      this.name = name;
      this.channel = channel;
      // Behind the channel's first event, which counts against the queue's bound until then.
      socket.send(json("type", "OFFER", "dst", name));
      assertThat(get(socket.next(), "src").asString()).isEqualTo(name);
      // And behind that: the server's own word comes when that frame has been taken.
      socket.send(json("type", "OFFER", "dst", "x".repeat(PeerJsServlet.MAX_ID + 1)));
      assertThat(get(socket.next(), "type").asString()).isEqualTo("EXPIRE");
    }

    @Override
    public String id() {
      return channel;
    }

    @Override
    public Event next() {
      Map<String, Json> frame = socket.next();
      assertThat(get(frame, "type").asString()).isEqualTo("OFFER");
      assertThat(get(frame, "dst").asString()).isEqualTo(name);
      return new Event.Received(
          new Message(get(frame, "src").asString(), channel, get(frame, "payload").compact()));
    }

    @Override
    public String awaitEnd() {
      while (socket.nextText() != null) {
        // What was sent before.
      }
      return socket.closeReason();
    }

    @Override
    public void stall() {}

    @Override
    public void resume() {}

    @Override
    public void leave() {
      socket.reset();
    }
  }
}
