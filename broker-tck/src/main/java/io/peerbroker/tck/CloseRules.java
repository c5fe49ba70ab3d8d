package io.peerbroker.tck;

import static com.google.gson.JsonParser.parseString;
import static io.peerbroker.tck.WireChannel.data;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.tck.EventStreamParser.Event;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules of section C for how a channel closes. */
public abstract class CloseRules extends ServerRules {

  /** For subclasses. */
  protected CloseRules() {}

  @Test
  @Tag("C11")
  @Tag("C12")
  @DisplayName("A client that resets is missed within one heartbeat, one that ends within two.")
  void aClientThatGoesAwayIsMissed() {
    WireClient client = client(ServerSettings.of("heartbeat", "1s"));
    SseStream list = client.watch("");
    WireChannel resets = client.openChannel();
    WireChannel ends = client.openChannel();
    String first = resets.listSession("");
    String second = ends.listSession("");
    resets.stream().reset();
    assertThat(heartbeatsUntilRemoved(first, list)).isLessThan(2);
    ends.stream().closeDrained();
    assertThat(heartbeatsUntilRemoved(second, list)).isLessThan(3);
    assertRefused(client.openChannel().send(resets.cid(), "1"), 404, "unknown_target");
  }

  /**
   * Returns how many heartbeats the list has before it reports that a session has gone. It is
   * silent otherwise, so that heartbeats measure the time, on a busy machine too. They count from
   * now on, since another session is reported first.
   */
  private int heartbeatsUntilRemoved(String sid, SseStream list) {
    String now = client().openChannel().listSession("");
    Event told = list.await(e -> e.data().contains(now) || e.name().equals("remove"));
    int before = list.comments().size();
    Event removed = told.name().equals("remove") ? told : list.await("remove");
    assertThat(data(removed).get("sid").getAsString()).isEqualTo(sid);
    return list.comments().size() - before;
  }

  @Test
  @Tag("C13")
  @DisplayName(
      "A stream whose bytes the network does not take is given up, and its channel closes.")
  void aStalledStreamIsGivenUp() {
    WireChannel sender =
        client(
                ServerSettings.of("writeTimeout", "500ms")
                    .and("heartbeat", "200ms")
                    .and("messageRate", "0"))
            .openChannel();
    WireChannel stalled = openStalled();
    sendUntilRefused(sender, stalled.cid());
    await()
        .atMost(WireConnection.BOUND)
        .untilAsserted(() -> assertRefused(sender.send(stalled.cid(), "1"), 404, "unknown_target"));
  }

  @Test
  @Tag("C14")
  @DisplayName("Once the close is answered, no session of the channel is left.")
  void closeIsOneInstant() {
    WireChannel host = client().openChannel();
    WireChannel sender = client().openChannel();
    List<String> sids = IntStream.range(0, 5).mapToObj(i -> host.listSession("")).toList();
    assertThat(listed("")).isEqualTo(sids);
    assertDone(host.close());
    assertThat(listed("")).isEmpty();
    assertRefused(sender.send(host.cid(), "1"), 404, "unknown_target");
    for (String sid : sids) {
      assertRefused(sender.send(sid, "1"), 404, "unknown_target");
    }
    assertRefused(host.postSession(""), 404, "unknown_channel");
  }

  @Test
  @Tag("C14")
  @DisplayName("Once a remove is sent, no session of the channel is left.")
  void aRemoveIsTold() {
    WireClient client = client(ServerSettings.of("heartbeat", "200ms"));
    WireChannel host = client.openChannel();
    WireChannel sender = client.openChannel();
    SseStream list = client.watch("");
    List<String> sids = IntStream.range(0, 5).mapToObj(i -> host.listSession("")).toList();
    host.stream().reset();
    list.await("remove");
    for (String sid : sids) {
      assertRefused(sender.send(sid, "1"), 404, "unknown_target");
    }
    assertThat(listed("")).isEmpty();
  }

  @Test
  @Tag("C15")
  @Tag("C17")
  @DisplayName("An owner closes the channel, and its stream ends with the reason closed.")
  void anOwnerCloses() {
    WireChannel channel = client().openChannel();
    assertDone(channel.close());
    Event last = channel.stream().next();
    assertThat(last.name()).isEqualTo("close");
    assertThat(data(last)).isEqualTo(parseString("{\"reason\":\"closed\"}"));
    assertThat(channel.stream().awaitEnd()).isEqualTo(SseStream.End.COMPLETE);
    assertThat(channel.stream().events()).hasSize(2);
  }

  @Test
  @Tag("C16")
  @DisplayName("A channel can't be closed without its key.")
  void aCloseNeedsTheKey() {
    WireChannel channel = client().openChannel();
    String path = "/channel/" + channel.cid() + "/close";
    String other = "{\"key\":\"" + client().openChannel().key() + "\"}";
    assertRefused(client().postJson(path, "{}"), 400, "invalid_request", "key");
    assertRefused(client().postJson(path, other), 403, "wrong_key");
    String unknown = "/channel/00000000-0000-4000-8000-000000000000/close";
    assertRefused(client().postJson(unknown, other), 404, "unknown_channel");
    String session = "/channel/" + channel.createSession("") + "/close";
    String key = "{\"key\":\"" + channel.key() + "\"}";
    assertRefused(client().postJson(session, key), 404, "unknown_channel");
    assertSent(channel.send(channel.cid(), "1"));
    assertDone(channel.close());
    assertRefused(channel.close(), 404, "unknown_channel");
  }

  @Test
  @Tag("C18")
  @DisplayName(
      "At shutdown every stream gets the time to come back after, and the reason of its end.")
  void shutdownIsTold() {
    SseStream channel = client().openChannel().stream();
    SseStream list = client().watch("");
    list.await("ready");
    server().shutDownBroker();
    for (SseStream stream : List.of(channel, list)) {
      int retries = stream.retries().size();
      Event last = stream.next();
      assertThat(last.name()).isEqualTo("close");
      assertThat(data(last)).isEqualTo(parseString("{\"reason\":\"shutting_down\"}"));
      stream.awaitEnd();
      assertThat(stream.retries()).hasSizeGreaterThan(retries);
    }
    assertRefused(client().get("/channel", "Accept: text/event-stream"), 503, "shutting_down");
  }
}
