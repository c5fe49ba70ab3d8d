package io.peerbroker.tck;

import static com.google.gson.JsonParser.parseString;
import static io.peerbroker.tck.WireChannel.data;
import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.peerbroker.tck.EventStreamParser.Event;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The rules of section C: how a channel opens, lives and closes. */
public abstract class ChannelRules extends ServerKit {

  /** For subclasses. */
  protected ChannelRules() {}

  @Test
  @DisplayName("C1 C2 a channel is an event stream that nobody stores, buffers or compresses")
  void aChannelIsAnEventStream() {
    WireResponse head = client().openChannel("Accept-Encoding: gzip").stream().head();
    assertThat(head.status()).isEqualTo(200);
    assertThat(head.mediaType()).isEqualTo("text/event-stream");
    assertThat(head.headerList("Cache-Control"))
        .containsExactlyInAnyOrder("no-store", "no-transform");
    assertThat(head.header("X-Accel-Buffering")).isEqualTo("no");
    assertThat(head.header("Content-Length")).isNull();
    assertThat(head.header("Content-Encoding")).isNull();
  }

  @Test
  @DisplayName("C3 C4 the first event is channel with cid and key, and comes at once")
  void theFirstEventIsChannel() {
    WireClient client = client(ServerSettings.of("heartbeat", "1h"));
    Event first = client.openStream("/channel").next();
    assertThat(first.name()).isEqualTo("channel");
    assertThat(data(first).keySet()).containsExactlyInAnyOrder("cid", "key");
  }

  @Test
  @DisplayName("C5 C6 cid is a GUID and key a long random string, and none comes twice")
  void namesAndKeysAreUnique() {
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < 20; i++) {
      WireChannel channel = client().openChannel();
      assertThat(channel.cid())
          .matches("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");
      assertThat(channel.key()).matches("[A-Za-z0-9_-]{22,}");
      seen.add(channel.cid());
      seen.add(channel.key());
    }
    assertThat(seen).hasSize(40);
  }

  @Test
  @DisplayName("C7 messages to the channel and to its sessions arrive on the one stream")
  void messagesArrive() {
    WireChannel receiver = client().openChannel();
    WireChannel sender = client().openChannel();
    String sid = receiver.createSession("");
    assertSent(sender.send(receiver.cid(), "1"));
    assertSent(sender.send(sid, "2"));
    assertThat(receiver.awaitMessage().get("message").getAsInt()).isEqualTo(1);
    assertThat(receiver.awaitMessage().get("message").getAsInt()).isEqualTo(2);
  }

  @Test
  @DisplayName("C8 messages come once and in order: of one connection, and of one after another")
  void messagesKeepTheirOrder() {
    WireChannel receiver = client().openChannel();
    WireChannel sender = client().openChannel();
    try (WireConnection connection = client().connect()) {
      connection.write(
          IntStream.range(0, 50)
              .mapToObj(i -> sender.sendBody("" + i))
              .map(body -> client().postRequest("/send/" + receiver.cid(), body))
              .collect(joining()));
      for (int i = 0; i < 50; i++) {
        assertSent(connection.readResponse());
      }
    }
    WireChannel another = client().openChannel();
    for (int i = 50; i < 100; i++) {
      assertSent((i % 2 == 0 ? sender : another).send(receiver.cid(), "" + i));
    }
    for (int i = 0; i < 100; i++) {
      assertThat(receiver.awaitMessage().get("message").getAsInt()).isEqualTo(i);
    }
    sender.send(receiver.cid(), "-1");
    assertThat(receiver.awaitMessage().get("message").getAsInt()).isEqualTo(-1);
  }

  @Test
  @DisplayName("C9 an event's data is one JSON object; there is no id and no unknown field")
  void eventsArePlain() {
    WireChannel channel = client().openChannel();
    channel.send(channel.cid(), "{\"a\":\n[1,\r\n2]}");
    channel.close();
    channel.stream().awaitEnd();
    assertThat(channel.stream().events()).hasSize(3);
    for (Event event : channel.stream().events()) {
      assertThat(data(event)).isNotNull();
      assertThat(event.lastEventId()).isEmpty();
    }
    assertThat(channel.stream().ignored()).isEmpty();
  }

  @Test
  @DisplayName("C10 a silent stream carries a comment each heartbeat")
  void aSilentStreamHasAHeartbeat() {
    WireChannel channel = client(ServerSettings.of("heartbeat", "200ms")).openChannel();
    channel.stream().awaitComments(3);
    assertThat(channel.stream().events()).hasSize(1);
  }

  @Test
  @DisplayName(
      "C11 C12 a client that resets is missed within one heartbeat, one that ends within two")
  void aClientThatGoesAwayIsMissed() {
    WireClient client = client(ServerSettings.of("heartbeat", "2s"));
    SseStream list = client.watch("");
    WireChannel resets = client.openChannel();
    WireChannel ends = client.openChannel();
    String first = resets.listSession("");
    String second = ends.listSession("");
    Duration slack = Duration.ofMillis(1_500);
    resets.stream().reset();
    Event gone = list.await(e -> e.name().equals("remove"), Duration.ofSeconds(2).plus(slack));
    assertThat(data(gone).get("sid").getAsString()).isEqualTo(first);
    ends.stream().close();
    gone = list.await(e -> e.name().equals("remove"), Duration.ofSeconds(4).plus(slack));
    assertThat(data(gone).get("sid").getAsString()).isEqualTo(second);
    assertRefused(client.openChannel().send(resets.cid(), "1"), 404, "unknown_target");
  }

  @Test
  @DisplayName("C13 a stream that the network takes nothing of is given up, and its channel closes")
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
  @DisplayName("C14 once the close is answered no session of the channel is left")
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
  @DisplayName("C14 once a remove is told no session of the channel is left")
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
  @DisplayName("C15 C17 an owner closes the channel, and its stream says so and ends")
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
  @DisplayName("C16 nobody closes a channel without its key")
  void aCloseNeedsTheKey() {
    WireChannel channel = client().openChannel();
    String path = "/channel/" + channel.cid() + "/close";
    String other = "{\"key\":\"" + client().openChannel().key() + "\"}";
    assertRefused(client().postJson(path, "{}"), 400, "invalid_request", "key");
    assertRefused(client().postJson(path, other), 403, "wrong_key");
    String unknown = "/channel/00000000-0000-4000-8000-000000000000/close";
    assertRefused(client().postJson(unknown, other), 404, "unknown_channel");
    assertSent(channel.send(channel.cid(), "1"));
    assertDone(channel.close());
    assertRefused(channel.close(), 404, "unknown_channel");
  }

  @Test
  @DisplayName("C18 at shutdown every stream is told when to come back, and why it ends")
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

  @Test
  @DisplayName("C19 resume and lease are non-negative integers, given once")
  void resumeAndLeaseAreChecked() {
    for (String name : List.of("resume", "lease")) {
      for (String value : List.of("", "-1", "+1", "1.5", "1s", "x", "1%20", "%D9%A3")) {
        assertRefused(client().get("/channel?" + name + "=" + value), 400, "invalid_request", name);
      }
    }
    for (String name : List.of("resume", "lease", "lastEventId")) {
      String twice = "/channel?" + name + "=1&" + name + "=1";
      assertRefused(client().get(twice), 400, "invalid_request", name);
    }
  }

  @Test
  @DisplayName("C20 C21 C22 nothing is granted, resumed or read from other parameters")
  void otherParametersChangeNothing() {
    Set<String> cids = new HashSet<>();
    cids.add(client().openChannel().cid());
    for (String query :
        List.of(
            "resume=30&lease=60",
            "resume=0&lease=0",
            "resume=99999999999999999999&lease=007",
            "lastEventId=" + client().openChannel().cid(),
            "lastEventId=",
            "_=1700000000&resumes=x&_=2&&a=%zz")) {
      WireChannel channel = client().openChannelAt("/channel?" + query, "Last-Event-ID: 1");
      assertThat(data(channel.stream().events().get(0)).keySet())
          .containsExactlyInAnyOrder("cid", "key");
      assertThat(cids.add(channel.cid())).as(query).isTrue();
    }
  }

  @Test
  @DisplayName("C23 an Accept that rules out event streams is refused")
  void anAcceptThatRulesOutStreamsIsRefused() {
    for (String accept :
        List.of("application/json", "text/html, image/*", "text/event-stream;q=0")) {
      assertRefused(client().get("/channel", "Accept: " + accept), 406, "not_acceptable");
    }
  }
}
