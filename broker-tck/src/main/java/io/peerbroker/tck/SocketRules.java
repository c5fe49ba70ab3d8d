package io.peerbroker.tck;

import static io.peerbroker.tck.WireSocket.get;
import static io.peerbroker.tck.WireSocket.json;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Json;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The rules of section K for what a WebSocket carries: events, requests and their answers, lists,
 * and how a channel goes on and ends.
 */
public abstract class SocketRules extends SocketServerRules {

  /** For subclasses. */
  protected SocketRules() {}

  @Test
  @Tag("K1")
  @DisplayName("The handshake agrees on the protocol, and on no extension.")
  void handshake() {
    WireSocket socket =
        connect(
            "?any=1", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n");
    assertThat(socket.answer().status()).isEqualTo(101);
    assertThat(socket.answer().header("Sec-WebSocket-Protocol")).isEqualTo("peerbroker.v1");
    assertThat(socket.answer().header("Sec-WebSocket-Extensions")).isNull();
    assertThat(get(socket.nextEvent(), "event").asString()).isEqualTo("channel");
  }

  @Test
  @Tag("K1")
  @DisplayName("The header Connection may have several lines and options, in any case.")
  void connectionLines() {
    for (String line : List.of("Connection: keep-alive\r\n", "connection: TE, x\r\n")) {
      assertThat(connect("", line).answer().status()).isEqualTo(101);
    }
    assertThat(connect("", "Connection: x, UPGRADE\r\n").answer().status()).isEqualTo(101);
  }

  @Test
  @Tag("K1")
  @Tag("K2")
  @DisplayName("The first event is the channel, with what it was granted.")
  void channel() {
    WireSocket plain = connect("", "");
    Map<String, Json> event = plain.nextEvent();
    assertThat(event.keySet()).containsExactly("event", "data");
    assertThat(get(event, "data").members().keySet()).containsExactly("cid", "key", "heartbeat");
    Map<String, Json> granted = connect("?resume=30&lease=60", "").nextEvent();
    assertThat(granted.keySet()).containsExactly("event", "id", "data");
    assertThat(get(granted, "data").members().keySet())
        .containsExactly("cid", "key", "resume", "lease", "heartbeat");
  }

  @Test
  @Tag("K1")
  @DisplayName("Parameters are checked as a stream's, before there is a WebSocket.")
  void parameters() {
    assertRefused(connect("?resume=-1", "").answer(), 400, "invalid_request", "resume");
  }

  @Test
  @Tag("K2")
  @Tag("K3")
  @Tag("K4")
  @DisplayName("A request has its POST's answer, with its number; it needs neither key nor cid.")
  void requests() {
    Guest ada = guest("");
    Guest bob = guest("");
    assertThat(ada.ask("ref", 7, "post", "/send/" + bob.cid(), "message", 1))
        .isEqualTo("{\"ref\":7,\"answer\":{\"delivery\":\"sent\"}}");
    assertThat(bob.socket().nextText())
        .isEqualTo(
            "{\"event\":\"message\",\"data\":{\"origin\":\"%s\",\"target\":\"%s\",\"message\":1}}"
                .formatted(ada.cid(), bob.cid()));
    String hosted = ada.ask("ref", 8, "post", "/session", "tags", List.of("a"), "list", true);
    assertThat(hosted).matches("\\{\"ref\":8,\"answer\":\\{\"sid\":\"[^\"]+\"}}");
    String sid = hosted.replaceAll(".*sid\":\"|\".*", "");
    Map<String, Integer> values = Map.of("metadata", 5);
    assertThat(ada.ask("ref", 9, "post", "/session/" + sid + "/update", "values", values))
        .isEqualTo("{\"ref\":9,\"answer\":{}}");
    assertThat(bob.ask("ref", 1, "post", "/send/" + sid, "messages", List.of(1, 2)))
        .isEqualTo(
            "{\"ref\":1,\"answer\":{\"deliveries\":[{\"delivery\":\"sent\"},{\"delivery\":\"sent\"}]}}");
    ada.socket().next();
    ada.socket().next();
    assertThat(ada.ping()).isEqualTo("{\"ref\":99,\"answer\":{\"stream\":true}}");
    assertThat(ada.ask("ref", 10, "post", "/send/" + bob.cid(), "origin", sid, "message", 3))
        .contains("\"sent\"");
    assertThat(bob.socket().nextText()).contains("\"origin\":\"" + sid + "\"");
    assertThat(ada.ask("ref", 11, "post", "/session/" + sid + "/close"))
        .isEqualTo("{\"ref\":11,\"answer\":{}}");
  }

  @Test
  @Tag("K3")
  @DisplayName("A WebSocket and a stream are channels of one broker.")
  void bothTransports() {
    Guest ada = guest("");
    WireChannel bob = client().openChannel();
    assertThat(ada.ask("ref", 1, "post", "/send/" + bob.cid(), "message", 1)).contains("\"sent\"");
    assertThat(bob.awaitMessage().get("origin").getAsString()).isEqualTo(ada.cid());
    assertSent(bob.send(ada.cid(), "2"));
    assertThat(get(ada.socket().nextEvent(), "data").toString()).contains(bob.cid());
  }

  @Test
  @Tag("K4")
  @DisplayName("A request without a number is answered only if it is refused.")
  void withoutNumber() {
    Guest ada = guest("");
    ada.socket().send(json("post", "/send/" + ada.cid(), "message", 1));
    assertThat(get(ada.socket().next(), "event").asString()).isEqualTo("message");
    assertThat(ada.ask("post", "/send/nobody", "message", 1))
        .startsWith("{\"refusal\":{\"code\":\"unknown_target\",\"detail\":\"");
    assertThat(ada.ping()).startsWith("{\"ref\":99,");
  }

  @Test
  @Tag("K4")
  @DisplayName("A refusal names its code and what would be right; the channel stays open.")
  void refusals() {
    Guest ada = guest("");
    Guest bob = guest("");
    ada.socket().send("{");
    assertThat(ada.socket().nextText()).startsWith("{\"refusal\":{\"code\":\"malformed_json\"");
    assertThat(ada.ask("ref", 1, "post", "/nowhere")).contains("invalid_request", "/session");
    assertThat(ada.ask("ref", 1)).contains("invalid_request", "post");
    assertThat(ada.ask("ref", -1, "post", "/session")).contains("invalid_request", "ref");
    assertThat(ada.ask("ref", 2, "post", "/channel/" + bob.cid() + "/close"))
        .startsWith("{\"ref\":2,\"refusal\":{\"code\":\"wrong_key\"");
    assertThat(ada.ask("ref", 3, "post", "/send/" + bob.cid(), "message", "x".repeat(60_000)))
        .startsWith("{\"ref\":3,\"refusal\":{\"code\":\"too_large\"");
    assertThat(ada.ask("ref", 4, "post", "/send/" + bob.cid(), "origin", bob.cid(), "message", 1))
        .startsWith("{\"ref\":4,\"refusal\":{\"code\":\"wrong_key\"");
    assertThat(
            ada.ask(
                "ref",
                5,
                "post",
                "/send/" + bob.cid(),
                "key",
                bob.key(),
                "origin",
                bob.cid(),
                "message",
                1))
        .contains("\"sent\"");
  }

  @Test
  @Tag("K4")
  @DisplayName("A refusal says after how long to try again.")
  void retryAfter() {
    client(ServerSettings.of("messageRate", "1/1"));
    Guest ada = guest("");
    ada.socket().send(json("post", "/send/" + ada.cid(), "message", 1));
    ada.socket().next();
    assertThat(ada.ask("ref", 1, "post", "/send/" + ada.cid(), "message", 1))
        .contains("\"rate_limited\"")
        .endsWith(",\"retryAfter\":1}}");
  }

  @Test
  @Tag("K2")
  @DisplayName("Many messages come once and in order.")
  void order() {
    client(ServerSettings.of("messageRate", "0"));
    Guest ada = guest("");
    Guest bob = guest("");
    CompletableFuture<Void> sending =
        inThread(
            () -> {
              for (int i = 0; i < 3_000; ) {
                String answer = ada.ask("ref", 1, "post", "/send/" + bob.cid(), "message", i);
                if (answer.contains("sent")) {
                  i++;
                } else {
                  assertThat(answer).contains("target_busy");
                }
              }
            });
    for (int i = 0; i < 3_000; i++) {
      assertThat(get(get(bob.socket().nextEvent(), "data").members(), "message"))
          .hasToString("" + i);
    }
    sending.join();
  }

  @Test
  @Tag("K2")
  @DisplayName("Lists are on the same connection.")
  void lists() {
    Guest ada = guest("");
    assertThat(ada.ask("ref", 1, "post", "/session", "list", true)).contains("sid");
    ada.socket().send(json("post", "/channel/" + ada.cid() + "/watch", "watch", "w"));
    Map<String, Json> added = ada.socket().nextEvent();
    assertThat(get(added, "event").asString()).isEqualTo("add");
    assertThat(get(added, "data").members().keySet()).containsExactly("watch", "sid", "session");
    assertThat(ada.socket().nextText())
        .isEqualTo("{\"event\":\"ready\",\"data\":{\"watch\":\"w\",\"count\":1}}");
  }

  @Test
  @Tag("K5")
  @DisplayName("An id of either transport goes on over the other.")
  void resume() {
    Guest ada = guest("?resume=30");
    WireChannel bob = client().openChannel();
    ada.socket().reset();
    await().until(() -> bob.send(ada.cid(), "1").member("delivery").equals("queued"));
    SseStream stream = client().openStream("/channel?lastEventId=" + ada.id().asString());
    EventStreamParser.Event event = stream.next();
    assertThat(event.data()).contains("\"message\":1");
    stream.close();
    WireSocket back = connect("?lastEventId=" + stream.lastEventId(), "");
    assertSent(bob.send(ada.cid(), "2"));
    Map<String, Json> next = back.nextEvent();
    while (get(next, "data").toString().contains("\"message\":1}")) {
      next = back.nextEvent();
    }
    assertThat(get(next, "data").toString()).contains("\"message\":2");
    back.send(json("ref", 2, "post", "/send/" + bob.cid(), "message", 3));
    assertThat(back.nextText()).contains("\"sent\"");
    assertThat(bob.awaitMessage().get("origin").getAsString()).isEqualTo(ada.cid());
  }

  @Test
  @Tag("K5")
  @Tag("K6")
  @DisplayName("A client that comes back supersedes its own other connection.")
  void superseded() {
    Guest ada = guest("?resume=30");
    connect("?lastEventId=" + ada.id().asString(), "");
    assertThat(ada.socket().nextText()).isEqualTo(farewell("superseded"));
    assertEnd(ada.socket(), 4409);
  }

  @Test
  @Tag("K6")
  @DisplayName("A channel that its owner closes ends with its connection.")
  void closed() {
    Guest ada = guest("");
    ada.socket().send(json("post", "/channel/" + ada.cid() + "/close"));
    assertThat(ada.socket().nextText()).isEqualTo(farewell("closed"));
    assertEnd(ada.socket(), 1000);
  }

  @Test
  @Tag("K4")
  @Tag("K6")
  @DisplayName("The request that closes a channel is answered first.")
  void closedWithAnAnswer() {
    Guest ada = guest("");
    assertThat(ada.ask("ref", 1, "post", "/channel/" + ada.cid() + "/close"))
        .isEqualTo("{\"ref\":1,\"answer\":{}}");
    assertThat(ada.socket().nextText()).isEqualTo(farewell("closed"));
    assertEnd(ada.socket(), 1000);
  }

  @Test
  @Tag("K6")
  @DisplayName("A broker that shuts down says so on each WebSocket.")
  void shutdown() {
    Guest ada = guest("");
    CompletableFuture<Void> closing = inThread(server()::shutDownBroker);
    assertThat(ada.socket().nextText()).isEqualTo(farewell("shutting_down"));
    assertEnd(ada.socket(), 1012);
    closing.join();
  }

  @Test
  @Tag("K6")
  @DisplayName("A client that closes or breaks its connection closes its channel at once.")
  void gone() {
    WireChannel watcher = client().openChannel();
    for (boolean orderly : List.of(true, false)) {
      Guest ada = guest("");
      if (orderly) {
        ada.socket().close();
      } else {
        ada.socket().reset();
      }
      await().until(() -> watcher.send(ada.cid(), "1").status() == 404);
    }
  }

  @Test
  @Tag("K6")
  @DisplayName("A client's close frame ends the connection, and the client has left.")
  void goodbye() {
    Guest ada = guest("");
    assertThat(ada.ask("ref", 1, "post", "/session", "list", true)).contains("sid");
    ada.socket().sendClose(1000);
    assertThat(ada.socket().nextText()).isNull();
    // By a look at the list: a message to it would show that its connection has gone.
    await().until(() -> client().get("/list").body().equals("[]"));
    WireChannel watcher = client().openChannel();
    Guest bob = guest("?resume=30");
    bob.socket().sendClose(1001);
    assertThat(bob.socket().nextText()).isNull();
    await().until(() -> watcher.send(bob.cid(), "1").member("delivery").equals("queued"));
  }

  @Test
  @Tag("K7")
  @DisplayName("After a silence there is a heartbeat.")
  void heartbeat() {
    client(ServerSettings.of("heartbeat", "50ms"));
    Guest ada = guest("");
    for (int i = 0; i < 3; i++) {
      assertThat(ada.socket().nextText()).isEqualTo("{\"event\":\"heartbeat\",\"data\":{}}");
    }
  }
}
