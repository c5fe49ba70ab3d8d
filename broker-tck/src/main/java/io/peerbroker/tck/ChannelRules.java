package io.peerbroker.tck;

import static io.peerbroker.tck.WireChannel.data;
import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.tck.EventStreamParser.Event;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules of section C for how a channel opens and what it carries. */
public abstract class ChannelRules extends ServerRules {

  /** For subclasses. */
  protected ChannelRules() {}

  @Test
  @Tag("C1")
  @Tag("C2")
  @DisplayName("A channel is an event stream that is neither stored, buffered nor compressed.")
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
  @Tag("C3")
  @Tag("C4")
  @DisplayName("The first event is channel with cid and key, and comes at once.")
  void theFirstEventIsChannel() {
    WireClient client = client(ServerSettings.of("heartbeat", "60m"));
    Event first = client.openStream("/channel").next();
    assertThat(first.name()).isEqualTo("channel");
    assertThat(data(first).keySet()).containsExactlyInAnyOrder("cid", "key", "heartbeat");
  }

  @Test
  @Tag("C4")
  @DisplayName("A comment follows the first event or retry field of each stream.")
  void aCommentFollowsTheBeginning() {
    WireClient client = client(ServerSettings.of("heartbeat", "60m"));
    WireChannel channel = client.openChannelAt("/channel?resume=60");
    channel.stream().awaitComments(1);
    SseStream list = client.watch("");
    list.await("ready");
    list.awaitComments(1);
    // Nothing was missed, so nothing is sent again.
    channel.comeBack().awaitComments(1);
  }

  @Test
  @Tag("C26")
  @DisplayName("Each stream gets a time of its own to come back after.")
  void eachStreamHasItsTimeToComeBack() {
    List<SseStream> streams = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      WireChannel channel = client().openChannelAt("/channel?resume=60");
      channel.stream().awaitComments(1);
      streams.add(channel.stream());
      streams.add(channel.comeBack());
      streams.add(client().watch(""));
    }
    Set<Long> times = new HashSet<>();
    for (SseStream stream : streams) {
      stream.awaitComments(1);
      assertThat(stream.retries()).hasSize(1).allMatch(millis -> millis >= 1_000 && millis < 3_000);
      times.addAll(stream.retries());
    }
    assertThat(times).hasSizeGreaterThan(20);
  }

  @Test
  @Tag("C26")
  @DisplayName("The time to come back after can be set.")
  void theTimeToComeBackCanBeSet() {
    WireChannel channel = client(ServerSettings.of("retry", "200ms")).openChannel();
    channel.stream().awaitComments(1);
    assertThat(channel.stream().retries())
        .hasSize(1)
        .allMatch(millis -> millis >= 100 && millis < 300);
  }

  @Test
  @Tag("C5")
  @Tag("C6")
  @DisplayName("A cid is a GUID and a key a long random string, and none comes twice.")
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
  @Tag("C7")
  @DisplayName("Messages to the channel and to its sessions arrive on the one stream.")
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
  @Tag("C8")
  @DisplayName("Messages come once and in order: of one connection, and of one after another.")
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
  @Tag("C9")
  @DisplayName(
      "An event's data is one JSON object; without a grant it has no id, nor any other field.")
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
  @Tag("C10")
  @DisplayName("A silent stream carries a comment each heartbeat.")
  void aSilentStreamHasAHeartbeat() {
    WireChannel channel = client(ServerSettings.of("heartbeat", "200ms")).openChannel();
    channel.stream().awaitComments(3);
    assertThat(channel.stream().events()).hasSize(1);
  }

  @Test
  @Tag("C19")
  @DisplayName("Resume and lease are non-negative integers, given once.")
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
  @Tag("C20")
  @Tag("C21")
  @Tag("C22")
  @DisplayName("Absent grants, unknown event ids and unknown parameters change nothing.")
  void otherParametersChangeNothing() {
    Set<String> cids = new HashSet<>();
    cids.add(client().openChannel().cid());
    for (String query :
        List.of(
            "resume=0&lease=0",
            "resume=000",
            "lastEventId=" + client().openChannel().cid(),
            "lastEventId=",
            "_=1700000000&resumes=x&_=2&&a")) {
      WireChannel channel = client().openChannelAt("/channel?" + query, "Last-Event-ID: 1");
      assertThat(data(channel.stream().events().get(0)).keySet())
          .containsExactlyInAnyOrder("cid", "key", "heartbeat");
      assertThat(cids.add(channel.cid())).as(query).isTrue();
    }
  }

  @Test
  @Tag("C22")
  @DisplayName("A malformed query changes nothing.")
  void aMalformedQueryChangesNothing() {
    client().openChannelAt("/channel?a=%zz&%");
  }

  @Test
  @Tag("C23")
  @DisplayName("An Accept that rules out event streams is refused.")
  void anAcceptThatRulesOutStreamsIsRefused() {
    for (String accept :
        List.of("application/json", "text/html, image/*", "text/event-stream;q=0")) {
      assertRefused(client().get("/channel", "Accept: " + accept), 406, "not_acceptable");
    }
  }
}
