package io.peerbroker.tck;

import static io.peerbroker.tck.WireChannel.data;
import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules of section X: the limits. */
public abstract class LimitRules extends ServerRules {

  private static final String STREAM = "Accept: text/event-stream";

  /** For subclasses. */
  protected LimitRules() {}

  @Test
  @Tag("X1")
  @DisplayName(
      "A body of 64 KiB is accepted; one of a byte more is not, with a length or in chunks.")
  void bodiesAreBounded() {
    WireChannel channel = client().openChannel();
    String path = "/send/" + channel.cid();
    String body = channel.sendBody("1");
    String longest = body + " ".repeat(65_536 - body.length());
    assertSent(client().postJson(path, longest));
    assertRefused(client().postJson(path, longest + " "), 413, "too_large");
    String json = "Content-Type: application/json";
    try (WireConnection connection = client().connect()) {
      // With a byte of the body: Jetty calls no servlet before the first byte has come.
      connection.write(client().head("POST", path, json, "Content-Length: 65537") + "{");
      assertRefused(connection.readResponse(), 413, "too_large");
    }
    try (WireConnection connection = client().connect()) {
      connection.write(client().head("POST", path, json, "Transfer-Encoding: chunked"));
      connection.write("10001\r\n" + longest + " \r\n");
      assertRefused(connection.readResponse(), 413, "too_large");
    }
  }

  @Test
  @Tag("X2")
  @Tag("X3")
  @DisplayName("A message has at most 48 KiB, metadata at most 16 KiB, in bytes as they came.")
  void messagesAndMetadataAreBounded() {
    WireChannel channel = client().openChannel();
    String sid = channel.createSession("");
    assertSent(channel.send(channel.cid(), "\"" + "\u00e9".repeat(24_575) + "\""));
    assertRefused(
        channel.send(channel.cid(), "\"" + "\u00e9".repeat(24_575) + "x\""), 413, "too_large");
    String most = "\"metadata\":\"" + "\u00e9".repeat(8_191);
    assertThat(channel.postSession(most + "\"").status()).isEqualTo(201);
    assertDone(channel.update(sid, most + "\""));
    assertRefused(channel.postSession(most + "x\""), 413, "too_large");
    assertRefused(channel.update(sid, most + "x\""), 413, "too_large");
  }

  @Test
  @Tag("X4")
  @DisplayName("A session has at most 32 tags, not counting duplicates.")
  void tagsAreBounded() {
    WireChannel host = client().openChannel();
    String tags = IntStream.range(0, 32).mapToObj(i -> "\"t" + i + "\"").collect(joining(","));
    String sid = host.createSession("\"tags\":[" + tags + ",\"t0\",\" t1 \"]");
    String more = "\"tags\":[" + tags + ",\"t32\"]";
    assertRefused(host.postSession(more), 400, "invalid_request", "tags");
    assertRefused(host.update(sid, more), 400, "invalid_request", "tags");
  }

  @Test
  @Tag("X5")
  @DisplayName("A channel hosts at most 64 sessions at one time.")
  void sessionsAreBounded() {
    WireChannel host = client().openChannel();
    List<String> sids = IntStream.range(0, 64).mapToObj(i -> host.createSession("")).toList();
    assertRefused(host.postSession(""), 429, "too_many_sessions");
    assertDone(host.closeSession(sids.get(7)));
    host.createSession("");
    assertRefused(host.postSession(""), 429, "too_many_sessions");
    client().openChannel().createSession("");
  }

  @Test
  @Tag("X6")
  @DisplayName("A body is at most 64 levels deep.")
  void depthIsBounded() {
    WireChannel channel = client().openChannel();
    String deepest = "[{\"a\":".repeat(31) + "[1]" + "}]".repeat(31);
    assertSent(channel.send(channel.cid(), deepest));
    assertThat(channel.awaitMessage().get("message").toString()).isEqualTo(deepest);
    assertRefused(channel.send(channel.cid(), "[" + deepest + "]"), 400, "malformed_json");
    String bottomless = "[".repeat(40_000) + "]".repeat(20_000);
    assertRefused(channel.send(channel.cid(), bottomless), 400, "malformed_json");
  }

  @Test
  @Tag("X7")
  @DisplayName("A full queue refuses the sender, and the channel stays.")
  void aFullQueueRefusesTheSender() {
    client(ServerSettings.of("messageRate", "0"));
    WireChannel sender = client().openChannel();
    WireChannel stalled = openStalled();
    WireResponse refused = sendUntilRefused(sender, stalled.cid());
    assertRefused(refused, 429, "target_busy");
    assertThat(refused.header("Retry-After")).matches("[1-9][0-9]*");
    assertSent(sender.send(sender.cid(), "1"));
    assertThat(stalled.awaitMessage().get("origin").getAsString()).isEqualTo(sender.cid());
    String last = "\"" + "y".repeat(40_000) + "\"";
    await()
        .atMost(WireConnection.BOUND)
        .until(
            () -> {
              stalled.awaitMessage();
              return sender.send(stalled.cid(), last).status() == 200;
            });
    stalled.stream().await(event -> event.data().contains(last));
  }

  @Test
  @Tag("X7")
  @DisplayName("A queue is bounded in events too.")
  void aQueueIsBoundedInEvents() {
    client(ServerSettings.of("messageRate", "0").and("maxQueuedEvents", 3));
    WireChannel sender = client().openChannel();
    WireChannel stalled = openStalled();
    // More than once: the system's buffers grow while they are filled.
    await()
        .atMost(WireConnection.BOUND)
        .untilAsserted(
            () -> {
              assertRefused(sendUntilRefused(sender, stalled.cid()), 429, "target_busy");
              assertRefused(sender.send(stalled.cid(), "1"), 429, "target_busy");
            });
  }

  @Test
  @Tag("X8")
  @DisplayName("All queues together are bounded.")
  void allQueuesTogetherAreBounded() {
    client(ServerSettings.of("messageRate", "0").and("maxTotalQueuedBytes", 1_000_000));
    WireChannel sender = client().openChannel();
    WireChannel stalled = openStalled();
    WireResponse refused = sendUntilRefused(sender, stalled.cid());
    assertRefused(refused, 503, "at_capacity");
    assertThat(refused.header("Retry-After")).matches("[1-9][0-9]*");
  }

  @Test
  @Tag("X17")
  @DisplayName("A queue keeps its share, however much the others hold.")
  void queuesHaveShares() {
    client(
        ServerSettings.of("messageRate", "0")
            .and("maxTotalQueuedBytes", 1_000_000)
            .and("maxChannels", 100));
    WireChannel sender = client().openChannel();
    WireChannel reader = client().openChannel();
    WireChannel first = openStalled();
    sendUntilRefused(sender, first.cid());
    String small = "\"" + "x".repeat(500) + "\"";
    await()
        .atMost(WireConnection.BOUND)
        .pollInterval(Duration.ofMillis(1))
        .until(() -> sender.send(first.cid(), small).status() == 503);
    for (int i = 0; i < 8; i++) {
      sendUntilRefused(sender, openStalled().cid());
    }
    String large = "\"" + "x".repeat(4_000) + "\"";
    for (int i = 0; i < 10; i++) {
      assertSent(sender.send(reader.cid(), large));
      reader.awaitMessage();
    }
  }

  @Test
  @Tag("X18")
  @Tag("M15")
  @DisplayName("The largest queue of an absent reader gives way, and its sender is notified.")
  void theLargestQueueGivesWay() {
    // A sixteenth is 100 kB.
    client(ServerSettings.of("maxTotalQueuedBytes", 1_600_000));
    WireChannel sender = client().openChannel();
    WireChannel largest = openAway(sender);
    assertQueued(sender.send(largest.cid(), large()));
    assertQueued(sender.send(largest.cid(), large()));
    assertRefused(sender.send(largest.cid(), large()), 503, "at_capacity");
    WireChannel another = openAway(client().openChannel());
    assertQueued(client().openChannel().send(another.cid(), large()));
    for (int i = 0; i < 3; i++) {
      JsonObject told = data(sender.stream().await("undelivered"));
      assertThat(told.get("target").getAsString()).isEqualTo(largest.cid());
      assertThat(told.get("reason").getAsString()).isEqualTo("overflow");
    }
    // It is still there, and has lost nothing without notice.
    assertQueued(sender.send(largest.cid(), "1"));
    SseStream back = largest.comeBack();
    back.await(event -> event.data().endsWith("\"message\":1}"));
    assertThat(back.events()).allMatch(event -> event.data().length() < 40_000);
  }

  @Test
  @Tag("X18")
  @DisplayName("The queue of an absent reader has half the bytes.")
  void aQueueOfTheAbsentHasHalfTheBytes() {
    client(ServerSettings.of("maxQueuedBytes", 200_000));
    WireChannel sender = client().openChannel();
    WireChannel away = openAway(sender);
    assertQueued(sender.send(away.cid(), large()));
    assertQueued(sender.send(away.cid(), large()));
    assertRefused(sender.send(away.cid(), large()), 429, "target_busy");
  }

  @Test
  @Tag("X19")
  @DisplayName("A channel's bytes for absent readers are bounded, and others keep theirs.")
  void aSenderHasSoMuchWaiting() {
    client(ServerSettings.of("maxQueuedBytes", 100_000));
    WireChannel sender = client().openChannel();
    WireChannel other = client().openChannel();
    WireChannel[] away = {openAway(other), openAway(other), openAway(other)};
    assertQueued(sender.send(away[0].cid(), large()));
    assertQueued(sender.send(away[1].cid(), large()));
    WireResponse refused = sender.send(away[2].cid(), large());
    assertRefused(refused, 429, "rate_limited");
    assertThat(refused.header("Retry-After")).matches("[1-9][0-9]*");
    assertSent(sender.send(other.cid(), large()));
    assertQueued(other.send(away[2].cid(), large()));
    assertDone(away[0].close());
    assertQueued(sender.send(away[1].cid(), "1"));
    assertThat(data(sender.stream().await("undelivered")).get("reason").getAsString())
        .isEqualTo("closed");
  }

  private static String large() {
    return "\"" + "x".repeat(40_000) + "\"";
  }

  /**
   * A channel whose stream has broken, as the broker has noticed, and whose client may come back.
   */
  private WireChannel openAway(WireChannel sender) {
    WireChannel channel = client().openChannelAt("/channel?resume=60");
    channel.stream().reset();
    await()
        .atMost(WireConnection.BOUND)
        .until(() -> sender.send(channel.cid(), "0").member("delivery").equals("queued"));
    return channel;
  }

  private static void assertQueued(WireResponse response) {
    assertThat(response.status()).as("status of %s", response).isEqualTo(200);
    assertThat(response.member("delivery")).isEqualTo("queued");
  }

  @Test
  @Tag("X16")
  @DisplayName("All sessions together are bounded, for new ones and for updates.")
  void allSessionsTogetherAreBounded() {
    client(ServerSettings.of("maxTotalSessionBytes", 2_000));
    WireChannel host = client().openChannel();
    String sid = host.createSession("");
    String metadata = "\"metadata\":\"" + "x".repeat(600);
    assertDone(host.update(sid, metadata + "\""));
    String another = client().openChannel().createSession("");
    WireResponse refused = host.postSession(metadata + "\"");
    assertRefused(refused, 503, "at_capacity");
    assertThat(refused.header("Retry-After")).matches("[1-9][0-9]*");
    assertRefused(host.update(sid, metadata + "x".repeat(600) + "\""), 503, "at_capacity");
    assertDone(host.closeSession(sid));
    assertThat(host.postSession(metadata + "\"").status()).isEqualTo(201);
    assertSent(host.send(another, "1"));
  }

  @Test
  @Tag("X9")
  @Tag("X10")
  @DisplayName("Channels and list streams are bounded, each for itself.")
  void streamsAreBounded() {
    client(ServerSettings.of("maxChannels", 2).and("maxWatches", 1).and("heartbeat", "200ms"));
    WireChannel first = client().openChannel();
    client().openChannel();
    assertRefused(client().get("/channel", STREAM), 503, "at_capacity");
    SseStream list = client().watch("");
    assertRefused(client().get("/list", STREAM), 503, "at_capacity");
    assertThat(listed("")).isEmpty();
    assertDone(first.close());
    awaitAdmitted("/channel");
    list.reset();
    awaitAdmitted("/list");
  }

  @Test
  @Tag("X11")
  @DisplayName("A list stream that does not keep up is closed, and no other client is refused.")
  void aListThatDoesNotKeepUpIsClosed() {
    client(
        ServerSettings.of("sessionRate", "0")
            .and("maxQueuedEvents", 10)
            .and("maxWatches", 1)
            .and("drainTimeout", "500ms"));
    WireChannel host = client().openChannel();
    List<String> sids = sixtySessions(host);
    SseStream list = openStalledStream("/list");
    list.await("ready");
    changeUntilOverflow(host, sids);
    awaitAdmitted("/list?filter=a");
    list.awaitEnd();
    assertThat(list.events())
        .filteredOn(event -> event.name().equals("close"))
        .allMatch(event -> event.data().contains("\"overflow\""));
  }

  @Test
  @Tag("X12")
  @Tag("X13")
  @DisplayName(
      "A channel's messages are limited to a rate, which refused ones do not count against.")
  void messagesAreLimited() {
    client(ServerSettings.of("messageRate", "1/3"));
    WireChannel sender = client().openChannel();
    WireChannel another = client().openChannel();
    for (int i = 0; i < 5; i++) {
      assertRefused(sender.send("x", "1"), 404, "unknown_target");
    }
    for (int i = 0; i < 3; i++) {
      assertSent(sender.send(another.cid(), "1"));
    }
    assertRefused(sender.send(another.cid(), "1"), 429, "rate_limited");
    assertSent(another.send(sender.cid(), "1"));
    await().atMost(WireConnection.BOUND).until(() -> sender.send("x", "1").status() == 404);
    await()
        .atMost(WireConnection.BOUND)
        .until(() -> sender.send(another.cid(), "1").status() == 200);
  }

  @Test
  @Tag("X20")
  @DisplayName("If all places are taken, the longest-waiting channel gives way.")
  void theLongestWaitingGivesWay() {
    client(ServerSettings.of("maxChannels", 3));
    WireChannel sender = client().openChannel();
    WireChannel first = openAway(sender);
    WireChannel second = openAway(sender);
    WireChannel fresh = client().openChannel();
    assertRefused(sender.send(first.cid(), "1"), 404, "unknown_target");
    assertQueued(sender.send(second.cid(), "2"));
    client().openChannel();
    assertRefused(sender.send(second.cid(), "3"), 404, "unknown_target");
    assertRefused(client().get("/channel", STREAM), 503, "at_capacity");
    assertSent(sender.send(fresh.cid(), "4"));
  }

  @Test
  @Tag("X12")
  @Tag("X14")
  @DisplayName(
      "Creations and updates of sessions are limited to a rate; closes count, but are "
          + "never refused.")
  void sessionsAreLimited() {
    client(ServerSettings.of("sessionRate", "1/3"));
    WireChannel host = client().openChannel();
    assertRefused(host.postSession("\"tags\":[\"\"]"), 400, "invalid_tag");
    assertRefused(host.closeSession("x"), 404, "unknown_session");
    String sid = host.createSession("");
    assertDone(host.update(sid, "\"list\":true"));
    String other = host.createSession("");
    assertRefused(host.postSession(""), 429, "rate_limited");
    assertDone(host.closeSession(sid));
    assertDone(host.closeSession(other));
    assertRefused(host.postSession(""), 429, "rate_limited");
    client().openChannel().createSession("");
    await().atMost(WireConnection.BOUND).until(() -> host.postSession("").status() == 201);
  }
}
