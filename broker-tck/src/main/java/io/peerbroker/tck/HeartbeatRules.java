package io.peerbroker.tck;

import static com.google.gson.JsonParser.parseString;
import static io.peerbroker.tck.WireChannel.data;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.peerbroker.tck.EventStreamParser.Event;
import io.peerbroker.tck.FaultProxy.Way;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The rules that detect a stream which is dead for its client though the client lives and its
 * requests get through: heartbeats that a page can see, and what a ping sends and receives.
 */
public abstract class HeartbeatRules extends ServerRules {

  private static final ServerSettings SHORT = ServerSettings.of("heartbeat", "200ms");

  /** For subclasses. */
  protected HeartbeatRules() {}

  @Test
  @Tag("C24")
  @DisplayName("Heartbeats can be events without an id.")
  void heartbeatsCanBeEvents() {
    client(SHORT);
    WireChannel plain = client().openChannelAt("/channel?heartbeat=event");
    assertHeartbeats(plain.stream(), "");
    assertThat(plain.stream().comments()).as("but what follows the beginning").hasSize(1);

    WireChannel granted = client().openChannelAt("/channel?resume=60&heartbeat=event");
    String id = granted.stream().events().get(0).lastEventId();
    assertHeartbeats(granted.stream(), id);
    assertSent(granted.send(granted.cid(), "1"));
    Event message = granted.stream().await("message");
    assertHeartbeats(granted.stream(), message.lastEventId());

    // It is the stream's, not the channel's.
    String after = "Last-Event-ID: " + message.lastEventId();
    assertHeartbeats(client().openStream("/channel?heartbeat=event", after), "");
    SseStream comments = granted.comeBack();
    comments.awaitComments(4);
    assertThat(comments.events()).isEmpty();
  }

  @Test
  @Tag("C24")
  @Tag("L22")
  @DisplayName("A list stream's heartbeats can be events, too.")
  void aListsHeartbeatsCanBeEvents() {
    client(SHORT);
    SseStream list = client().watch("?heartbeat=event");
    list.await("ready");
    assertHeartbeats(list, "");
    SseStream other = client().watch("?filter=a");
    other.await("ready");
    other.awaitComments(3);
    assertThat(other.events()).hasSize(1);
  }

  @Test
  @Tag("C28")
  @DisplayName("The first event of a channel, and ready, say how often heartbeats come.")
  void theHeartbeatIsStated() {
    client(ServerSettings.of("heartbeat", "1250ms"));
    for (String query : List.of("", "?heartbeat=event", "?resume=60&lease=90")) {
      JsonObject opened = data(client().openChannelAt("/channel" + query).stream().events().get(0));
      assertThat(opened.get("heartbeat").getAsDouble()).as(query).isEqualTo(1.25);
    }
    for (String query : List.of("", "?heartbeat=event")) {
      assertThat(data(client().watch(query).await("ready")))
          .as(query)
          .isEqualTo(parseString("{\"count\":0,\"heartbeat\":1.25}"));
    }
  }

  /** Fails unless three events of the stream are heartbeats, which leave the client's id alone. */
  private static void assertHeartbeats(SseStream stream, String lastEventId) {
    for (int i = 0; i < 3; i++) {
      Event event = stream.next();
      assertThat(event.name()).isEqualTo("heartbeat");
      assertThat(event.data()).isEqualTo("{}");
      assertThat(event.lastEventId()).isEqualTo(lastEventId);
    }
  }

  @Test
  @Tag("C25")
  @DisplayName("Another value of heartbeat is refused, and so is one that is given twice.")
  void otherHeartbeatsAreRefused() {
    for (String path : List.of("/channel", "/list")) {
      for (String query :
          List.of(
              "heartbeat=", "heartbeat=Event", "heartbeat=1", "heartbeat=event&heartbeat=event")) {
        assertRefused(
            client().get(path + "?" + query, "Accept: text/event-stream"),
            400,
            "invalid_request",
            "heartbeat");
      }
    }
  }

  @Test
  @Tag("R17")
  @DisplayName("A ping learns whether there is a stream, and the id that was written last.")
  void aPingIsTold() {
    client(SHORT);
    assertThat(client().openChannel().ping().json()).isEqualTo(parseString("{\"stream\":true}"));
    WireChannel sender = client().openChannel();
    WireChannel channel = client().openChannelAt("/channel?resume=60");
    assertSent(sender.send(channel.cid(), "1"));
    channel.awaitMessage();
    String last = channel.stream().lastEventId();
    // The broker knows that the network has taken it when there is room for more.
    await().atMost(WireConnection.BOUND).until(() -> last.equals(written(channel)));
    assertThat(channel.ping().json())
        .isEqualTo(parseString("{\"stream\":true,\"written\":\"" + last + "\"}"));
    channel.stream().reset();
    await().atMost(WireConnection.BOUND).until(() -> !hasStream(channel.ping()));
    assertThat(written(channel)).isEqualTo(last);
    SseStream back = channel.comeBack();
    assertThat(hasStream(channel.ping())).isTrue();
    assertThat(back.head().status()).isEqualTo(200);
  }

  @Test
  @Tag("R18")
  @DisplayName("A stream that is dead while pings get through is broken off without a loss.")
  void aDeadStreamIsFoundOut() {
    client(SHORT);
    WireChannel sender = client().openChannel();
    try (FaultProxy network = FaultProxy.before(server().base());
        WireClient roaming = new WireClient(network.base())) {
      WireChannel channel = roaming.openChannelAt("/channel?resume=60&lease=90");
      String seen = channel.stream().lastEventId();
      String sid = channel.listSession("");
      network.use(Way.DEAF);
      assertSent(sender.send(sid, "1"));
      // Its pings go another way: the {@code seen} in them stands still.
      long begin = System.nanoTime();
      await().atMost(WireConnection.BOUND).until(() -> !hasStream(pingSeen(channel, seen)));
      assertThat(System.nanoTime() - begin).as("two heartbeats").isGreaterThan(300_000_000);
      WireResponse queued = sender.send(sid, "2");
      assertThat(queued.member("delivery")).isEqualTo("queued");
      SseStream back = client().openStream("/channel", "Last-Event-ID: " + seen);
      for (int i = 1; i <= 2; i++) {
        assertThat(data(back.next()).get("message").getAsInt()).isEqualTo(i);
      }
      assertThat(listed("")).containsExactly(sid);
    }
  }

  @Test
  @Tag("R18")
  @DisplayName("A client that confirms nothing, or everything, keeps its stream.")
  void whoIsNotBehindIsLeftAlone() {
    client(SHORT);
    WireChannel silent = client().openChannelAt("/channel?resume=60");
    WireChannel keeping = client().openChannelAt("/channel?resume=60");
    int number = 0;
    for (WireChannel channel : List.of(silent, keeping)) {
      assertSent(channel.send(channel.cid(), "" + ++number));
      channel.awaitMessage();
    }
    String seen = keeping.stream().lastEventId();
    int comments = keeping.stream().comments().size();
    for (int i = 1; i <= 8; i++) {
      keeping.stream().awaitComments(comments + i);
      assertThat(hasStream(pingSeen(keeping, seen))).isTrue();
      assertThat(hasStream(silent.ping())).isTrue();
    }
  }

  /** Over a connection that does not take the way of the channel's own. */
  private WireResponse pingSeen(WireChannel channel, String seen) {
    String body = "{\"key\":\"" + channel.key() + "\",\"seen\":\"" + seen + "\"}";
    return client().postJson("/channel/" + channel.cid() + "/ping", body);
  }

  private static boolean hasStream(WireResponse ping) {
    assertThat(ping.status()).as("%s", ping).isEqualTo(200);
    assertThat(Set.of("stream", "written")).containsAll(ping.jsonObject().keySet());
    return ping.jsonObject().get("stream").getAsBoolean();
  }

  private static @Nullable String written(WireChannel channel) {
    JsonElement written = channel.ping().jsonObject().get("written");
    return written == null ? null : written.getAsString();
  }
}
