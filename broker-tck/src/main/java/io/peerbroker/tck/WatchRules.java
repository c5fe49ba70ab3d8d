package io.peerbroker.tck;

import static io.peerbroker.tck.ResumeRules.RESUMABLE;
import static io.peerbroker.tck.WireChannel.data;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.peerbroker.tck.EventStreamParser.Event;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules of section W: lists on the channel's own stream. */
public abstract class WatchRules extends ServerRules {

  /** For subclasses. */
  protected WatchRules() {}

  /** Fails unless this is the next event of a stream's lists; returns its data. */
  private static JsonObject assertNext(SseStream stream, String event, String watch) {
    Event next = stream.next();
    assertThat(next.name()).as("%s", next).isEqualTo(event);
    JsonObject data = data(next);
    assertThat(data.get("watch").getAsString()).as("%s", next).isEqualTo(watch);
    return data;
  }

  private static void assertReady(SseStream stream, String watch, int count) {
    JsonObject data = assertNext(stream, "ready", watch);
    assertThat(data.get("count").getAsInt()).isEqualTo(count);
    assertThat(data.keySet()).containsExactlyInAnyOrder("watch", "count");
  }

  private static void assertEnded(SseStream stream, String watch, String reason) {
    JsonObject data = assertNext(stream, "unwatch", watch);
    assertThat(data.get("reason").getAsString()).isEqualTo(reason);
    assertThat(data.keySet()).containsExactlyInAnyOrder("watch", "reason");
  }

  @Test
  @Tag("W1")
  @DisplayName("A channel's stream carries a list, each event of it with the list's name.")
  void aChannelCarriesAList() {
    WireChannel host = client().openChannel();
    String sid =
        host.createSession("\"list\":true,\"tags\":[\"a\",\"ü\"],\"metadata\":{\"n\":1.0}");
    JsonElement session = wholeList("").get(sid);
    WireChannel channel = client().openChannel();
    SseStream stream = channel.stream();
    assertDone(channel.watch("mine", "a,!b"));
    JsonObject added = assertNext(stream, "add", "mine");
    assertThat(added.get("sid").getAsString()).isEqualTo(sid);
    assertThat(added.get("session")).isEqualTo(session);
    assertThat(added.keySet()).containsExactlyInAnyOrder("watch", "sid", "session");
    assertReady(stream, "mine", 1);
    assertDone(host.update(sid, "\"metadata\":null"));
    assertThat(assertNext(stream, "add", "mine").getAsJsonObject("session").get("metadata"))
        .matches(JsonElement::isJsonNull);
    assertDone(host.update(sid, "\"tags\":[\"b\",\"a\"]"));
    JsonObject removed = assertNext(stream, "remove", "mine");
    assertThat(removed.get("sid").getAsString()).isEqualTo(sid);
    assertThat(removed.keySet()).containsExactlyInAnyOrder("watch", "sid");
  }

  @Test
  @Tag("W1")
  @DisplayName("Any text of 1 to 64 characters is a name; the filter may be absent.")
  void namesAreFree() {
    WireChannel channel = client().openChannel();
    String emoji = "\\ud83d\\ude00";
    Map<String, String> names = new LinkedHashMap<>();
    names.put("\"x\"", "x");
    names.put("\"a\\nb\\\"}{\\\\\\u0000\"", "a\nb\"}{\\\u0000");
    names.put("\"ü€\"", "ü€");
    names.put("\"" + emoji.repeat(64) + "\"", "😀".repeat(64));
    for (var name : names.entrySet()) {
      assertDone(channel.postWatch("\"watch\":" + name.getKey()));
      assertReady(channel.stream(), name.getValue(), 0);
    }
    for (String wrong :
        List.of(
            "\"watch\":\"\"",
            "\"watch\":\"" + "x".repeat(65) + "\"",
            "\"watch\":1",
            "\"watch\":null",
            "\"filter\":\"a\"")) {
      assertRefused(channel.postWatch(wrong), 400, "invalid_request", "watch");
    }
    assertRefused(
        channel.postWatch("\"watch\":\"y\",\"filter\":1"), 400, "invalid_request", "filter");
    assertRefused(
        channel.postWatch("\"watch\":\"y\",\"filter\":null"), 400, "invalid_request", "filter");
    for (String filter : List.of("a,", "!", "!!a", "x".repeat(65))) {
      assertRefused(channel.watch("y", filter), 400, "invalid_filter");
    }
    assertSent(channel.send(channel.cid(), "1"));
    assertThat(channel.stream().next().name()).isEqualTo("message");
  }

  @Test
  @Tag("W1")
  @Tag("W4")
  @DisplayName("Both requests need the channel's key.")
  void theKeyIsNeeded() {
    WireChannel channel = client().openChannel();
    for (String last : List.of("/watch", "/unwatch")) {
      String path = "/channel/" + channel.cid() + last;
      String rest = "\"watch\":\"x\"}";
      assertRefused(client().postJson(path, "{" + rest), 400, "invalid_request", "key");
      assertRefused(client().postJson(path, "{\"key\":\"no\"," + rest), 403, "wrong_key");
      assertRefused(
          client().postJson("/channel/nobody" + last, "{\"key\":\"no\"," + rest),
          404,
          "unknown_channel");
      assertRefused(client().get(path), 405, "method_not_allowed");
      assertRefused(
          client().post(path, "{}".getBytes(UTF_8), "Content-Type: text/plain"),
          415,
          "unsupported_media_type");
    }
  }

  @Test
  @Tag("W2")
  @DisplayName("A client that comes back gets its lists anew, and the messages that it missed.")
  void listsComeBack() {
    WireChannel host = client().openChannel();
    String first = host.listSession("\"a\"");
    WireChannel channel = client().openChannelAt(RESUMABLE);
    String begun = channel.stream().lastEventId();
    assertDone(channel.watch("x", "a"));
    assertNext(channel.stream(), "add", "x");
    assertReady(channel.stream(), "x", 1);
    assertThat(channel.stream().lastEventId()).isEqualTo(begun);
    assertSent(host.send(channel.cid(), "1"));
    assertThat(channel.stream().next().lastEventId()).isNotEqualTo(begun);
    String seen = channel.stream().lastEventId();
    host.listSession("\"a\",\"new\"");
    assertNext(channel.stream(), "add", "x");
    assertThat(channel.stream().lastEventId()).isEqualTo(seen);
    channel.stream().reset();
    assertDone(host.closeSession(first));
    assertThat(host.send(channel.cid(), "2").status()).isEqualTo(200);
    assertDone(channel.watch("x", "a"));
    SseStream back = channel.comeBack(seen);
    List<String> events = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Event event = back.next();
      events.add(event.name());
      if (event.name().equals("message")) {
        assertThat(data(event).get("message").getAsInt()).isEqualTo(2);
        assertThat(event.lastEventId()).isNotEmpty();
      } else {
        assertThat(data(event).get("watch").getAsString()).isEqualTo("x");
      }
    }
    assertThat(events).containsExactlyInAnyOrder("message", "add", "ready");
    assertThat(events).containsSubsequence("add", "ready");
    String later = host.listSession("\"a\"");
    assertThat(assertNext(back, "add", "x").get("sid").getAsString()).isEqualTo(later);
  }

  @Test
  @Tag("W3")
  @DisplayName("A repeated request changes nothing; with another filter it is refused.")
  void aRequestMayBeRepeated() {
    WireChannel channel = client().openChannel();
    assertDone(channel.watch("x", "a,b"));
    assertReady(channel.stream(), "x", 0);
    assertDone(channel.watch("x", "b, a"));
    assertRefused(channel.watch("x", "a"), 400, "invalid_request", "x");
    assertRefused(channel.postWatch("\"watch\":\"x\""), 400, "invalid_request", "x");
    channel.listSession("\"a\"");
    channel.listSession("\"a\",\"b\"");
    assertNext(channel.stream(), "add", "x");
  }

  @Test
  @Tag("W4")
  @Tag("W5")
  @DisplayName("A client ends a list, whose last event frees the name.")
  void aClientEndsAList() {
    WireChannel channel = client().openChannel();
    assertDone(channel.unwatch("x"));
    assertDone(channel.watch("x", ""));
    assertReady(channel.stream(), "x", 0);
    assertDone(channel.unwatch("x"));
    assertDone(channel.unwatch("x"));
    assertEnded(channel.stream(), "x", "closed");
    channel.listSession("\"a\"");
    assertDone(channel.watch("x", "a"));
    assertNext(channel.stream(), "add", "x");
    assertReady(channel.stream(), "x", 1);
  }

  @Test
  @Tag("W4")
  @Tag("N1")
  @DisplayName("A late copy of a numbered request ends no list that was asked for after it.")
  void numberedRequestsHappenOnce() {
    WireChannel channel = client().openChannel();
    String x = "\"watch\":\"x\",\"seq\":";
    assertDone(channel.postWatch(x + "1"));
    assertReady(channel.stream(), "x", 0);
    assertDone(channel.postUnwatch(x + "2"));
    assertEnded(channel.stream(), "x", "closed");
    assertDone(channel.postWatch(x + "3"));
    assertReady(channel.stream(), "x", 0);
    assertRefused(channel.postUnwatch(x + "2"), 400, "invalid_request", "seq");
    assertRefused(channel.postWatch(x + "\"4\""), 400, "invalid_request", "seq");
    channel.listSession("");
    assertNext(channel.stream(), "add", "x");
  }

  @Test
  @Tag("W5")
  @DisplayName("When the channel ends, its lists end with it, without a word.")
  void listsEndWithTheirChannel() {
    client(ServerSettings.of("maxWatches", 1));
    WireChannel channel = client().openChannel();
    assertDone(channel.watch("x", ""));
    assertReady(channel.stream(), "x", 0);
    assertDone(channel.close());
    assertThat(channel.stream().next().name()).isEqualTo("close");
    channel.stream().awaitEnd();
    assertThat(channel.stream().events())
        .extracting(Event::name)
        .containsExactly("channel", "ready", "close");
    WireChannel next = client().openChannel();
    assertDone(next.watch("x", ""));
  }

  @Test
  @Tag("W5")
  @DisplayName("A list that does not keep up ends, and its channel lives on.")
  void aListThatDoesNotKeepUpEnds() {
    client(ServerSettings.of("sessionRate", "0").and("maxQueuedEvents", 10).and("maxWatches", 1));
    WireChannel host = client().openChannel();
    List<String> sids = sixtySessions(host);
    WireChannel stalled = openStalled();
    assertDone(stalled.watch("x", ""));
    stalled.stream().await("ready");
    changeUntilOverflow(host, sids);
    WireChannel other = client().openChannel();
    await().atMost(WireConnection.BOUND).until(() -> other.watch("x", "a").status() == 200);
    Event ended = stalled.stream().await("unwatch");
    assertThat(data(ended).get("watch").getAsString()).isEqualTo("x");
    assertThat(data(ended).get("reason").getAsString()).isEqualTo("overflow");
    assertSent(host.send(stalled.cid(), "1"));
    assertThat(stalled.stream().next().name()).isEqualTo("message");
    assertDone(other.unwatch("x"));
    assertDone(stalled.watch("x", "a"));
    assertReady(stalled.stream(), "x", 0);
  }

  @Test
  @Tag("W6")
  @Tag("X10")
  @Tag("X21")
  @DisplayName("Each list counts as a list stream, and a channel has few of them.")
  void listsAreBounded() {
    client(ServerSettings.of("maxWatchesPerChannel", 2).and("maxWatches", 3));
    WireChannel channel = client().openChannel();
    assertDone(channel.watch("x", "a"));
    assertDone(channel.watch("y", "a"));
    assertRefused(channel.watch("z", "a"), 429, "too_many_watches");
    assertDone(channel.watch("y", "a"));
    WireChannel other = client().openChannel();
    assertDone(other.watch("x", "a"));
    assertRefused(other.watch("y", "a"), 503, "at_capacity");
    assertRefused(client().get("/list", "Accept: text/event-stream"), 503, "at_capacity");
    assertDone(channel.unwatch("x"));
    assertDone(channel.watch("z", "a"));
    assertDone(channel.close());
    assertDone(other.watch("y", "a"));
  }

  @Test
  @Tag("X21")
  @DisplayName("A channel has at most 16 lists.")
  void sixteenListsAreTheMost() {
    WireChannel channel = client().openChannel();
    for (int i = 0; i < 16; i++) {
      assertDone(channel.watch("list " + i, "a"));
    }
    assertRefused(channel.watch("one more", "a"), 429, "too_many_watches");
    assertDone(channel.unwatch("list 7"));
    assertDone(channel.watch("one more", "a"));
  }

  @Test
  @Tag("W7")
  @DisplayName(
      "The policy decides what a list shows, and decides again when its client comes back.")
  void thePolicyIsAsked() {
    client(ServerSettings.DEFAULTS.withPolicy());
    String ada = KitPolicy.HEADER + ": ada";
    WireChannel channel = client().openChannelAt(RESUMABLE, ada);
    String path = "/channel/" + channel.cid() + "/watch";
    String body = "{\"key\":\"" + channel.key() + "\",\"watch\":\"x\",\"filter\":\"a\"}";
    assertRefused(client().postJson(path, body, KitPolicy.HEADER + ": stranger"), 403, "denied");
    assertRefused(client().postJson(path, body, KitPolicy.HEADER + ": broken"), 500, "internal");
    assertDone(client().postJson(path, body, ada));
    assertReady(channel.stream(), "x", 0);
    String self = "{\"cid\":\"" + channel.cid() + "\",\"key\":\"" + channel.key() + "\"";
    String session = self + ",\"list\":true,\"tags\":[\"a\"]}";
    String ofBob = client().postJson("/session", session, KitPolicy.HEADER + ": bob").member("sid");
    String ofAda = client().postJson("/session", session, ada).member("sid");
    assertThat(assertNext(channel.stream(), "add", "x").get("sid").getAsString()).isEqualTo(ofAda);
    // As an EventSource does, whose cookie is another one by now.
    String last = "Last-Event-ID: " + channel.stream().lastEventId();
    channel.stream().reset();
    SseStream back = client().openStream("/channel", last, KitPolicy.HEADER + ": bob");
    assertThat(assertNext(back, "add", "x").get("sid").getAsString()).isEqualTo(ofBob);
    assertReady(back, "x", 1);
  }

  @Test
  @Tag("W8")
  @DisplayName("A message does not wait for a long list, nor a list for many messages.")
  void messagesAndListsTakeTurns() {
    client(ServerSettings.of("sessionRate", "0").and("messageRate", "0"));
    manyLargeSessions();
    WireChannel stalled = openStalled();
    assertDone(stalled.watch("x", "a"));
    WireChannel sender = client().openChannel();
    for (int i = 0; i < 20; i++) {
      assertSent(sender.send(stalled.cid(), Integer.toString(i)));
    }
    List<String> events = new ArrayList<>();
    while (!events.contains("ready")) {
      events.add(stalled.stream().next().name());
    }
    assertThat(events.stream().filter("add"::equals)).hasSize(600);
    int first = events.indexOf("message");
    assertThat(first).as("where messages begin").isLessThan(580);
    // How much of the list is written before the stream stalls is the network's affair, so there
    // may be more events of the list than one between messages, but never none.
    int last = events.lastIndexOf("message");
    for (int i = first; i < last; i++) {
      assertThat(events.subList(i, i + 2)).as("at " + i).contains("add");
    }
    assertThat(events.stream().filter("message"::equals)).hasSize(20);
  }
}
