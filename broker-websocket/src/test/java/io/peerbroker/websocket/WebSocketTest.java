package io.peerbroker.websocket;

import static io.peerbroker.websocket.SocketClient.get;
import static io.peerbroker.websocket.SocketClient.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.peerbroker.core.AccessPolicy;
import io.peerbroker.core.Broker;
import io.peerbroker.core.Caller;
import io.peerbroker.core.ChannelOptions;
import io.peerbroker.core.Json;
import io.peerbroker.core.Refusal;
import io.peerbroker.core.RefusedException;
import io.peerbroker.servlet.HttpSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The rules of the protocol over WebSockets, on a real server. */
@Timeout(60)
final class WebSocketTest {

  private final List<AutoCloseable> opened = new ArrayList<>();
  private Broker broker = Broker.create();
  private JettyServer server;

  @AfterEach
  void close() throws Exception {
    broker.close();
    for (int i = opened.size() - 1; i >= 0; i--) {
      opened.get(i).close();
    }
  }

  private void start(Broker served, UnaryOperator<HttpSettings> change) {
    broker = served;
    try {
      server = JettyServer.start(served, change.apply(HttpSettings.defaults()));
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    opened.add(server);
  }

  private void start() {
    start(Broker.create(), settings -> settings);
  }

  private SocketClient connect(String query, String headers) {
    SocketClient client = SocketClient.open(server.base(), query, headers);
    opened.add(client);
    return client;
  }

  private SocketClient connect() {
    return connect("", "");
  }

  /** A client whose channel is open. */
  private record Guest(SocketClient socket, String cid, String key, Json id) {}

  private Guest guest(String query) {
    SocketClient socket = connect(query, "");
    Map<String, Json> event = socket.nextEvent();
    assertThat(get(event, "event").asString()).isEqualTo("channel");
    Map<String, Json> data = get(event, "data").members();
    return new Guest(
        socket,
        get(data, "cid").asString(),
        get(data, "key").asString(),
        event.getOrDefault("id", Json.NULL));
  }

  private static String answer(Guest guest, Object... request) {
    guest.socket.send(json(request));
    return guest.socket.nextText();
  }

  @Test
  @DisplayName("The handshake agrees on the protocol and on no extension.")
  void handshake() {
    start();
    SocketClient client = connect("", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    assertThat(client.head)
        .startsWith("HTTP/1.1 101 ")
        .containsIgnoringCase("Sec-WebSocket-Protocol: peerbroker.v1")
        .doesNotContainIgnoringCase("Sec-WebSocket-Extensions");
  }

  @Test
  @DisplayName("The first event is the channel, with its heartbeat.")
  void channel() {
    start();
    Map<String, Json> event = connect().nextEvent();
    Map<String, Json> data = get(event, "data").members();
    assertThat(event.keySet()).containsExactly("event", "data");
    assertThat(data.keySet()).containsExactly("cid", "key", "heartbeat");
    assertThat(data.get("heartbeat")).hasToString("15");
    assertThat(broker.findChannel(get(data, "cid").asString())).isNotNull();
  }

  @Test
  @DisplayName(
      "A request has the answer of its POST, with its number, and needs neither key nor cid.")
  void requests() {
    start();
    Guest ada = guest("");
    Guest bob = guest("");
    assertThat(answer(ada, "ref", 7, "post", "/send/" + bob.cid, "message", 1))
        .isEqualTo("{\"ref\":7,\"answer\":{\"delivery\":\"sent\"}}");
    assertThat(bob.socket.nextText())
        .isEqualTo(
            "{\"event\":\"message\",\"data\":{\"origin\":\"%s\",\"target\":\"%s\",\"message\":1}}"
                .formatted(ada.cid, bob.cid));
    String hosted = answer(ada, "ref", 8, "post", "/session", "tags", List.of("a"), "list", true);
    assertThat(hosted).matches("\\{\"ref\":8,\"answer\":\\{\"sid\":\"[^\"]+\"}}");
    String sid = hosted.replaceAll(".*sid\":\"|\".*", "");
    assertThat(
            answer(
                ada,
                "ref",
                9,
                "post",
                "/session/" + sid + "/update",
                "values",
                Map.of("metadata", 5)))
        .isEqualTo("{\"ref\":9,\"answer\":{}}");
    assertThat(answer(bob, "ref", 1, "post", "/send/" + sid, "messages", List.of(1, 2)))
        .isEqualTo(
            "{\"ref\":1,\"answer\":{\"deliveries\":[{\"delivery\":\"sent\"},{\"delivery\":\"sent\"}]}}");
    ada.socket.next();
    ada.socket.next();
    assertThat(answer(ada, "ref", 10, "post", "/channel/" + ada.cid + "/ping"))
        .isEqualTo("{\"ref\":10,\"answer\":{\"stream\":true}}");
    assertThat(answer(ada, "ref", 11, "post", "/session/" + sid + "/close"))
        .isEqualTo("{\"ref\":11,\"answer\":{}}");
  }

  @Test
  @DisplayName("A request without a number is answered only if it is refused.")
  void withoutNumber() {
    start();
    Guest ada = guest("");
    ada.socket.send(json("post", "/send/" + ada.cid, "message", 1));
    assertThat(get(ada.socket.next(), "event").asString()).isEqualTo("message");
    assertThat(answer(ada, "post", "/send/nobody", "message", 1))
        .startsWith("{\"refusal\":{\"code\":\"unknown_target\",\"detail\":\"");
    assertThat(answer(ada, "ref", 1, "post", "/channel/" + ada.cid + "/ping"))
        .startsWith("{\"ref\":1,");
  }

  @Test
  @DisplayName("A refusal names its code and what would be right; the channel stays open.")
  void refusals() {
    start();
    Guest ada = guest("");
    Guest bob = guest("");
    ada.socket.send("{");
    assertThat(ada.socket.nextText()).startsWith("{\"refusal\":{\"code\":\"malformed_json\"");
    assertThat(answer(ada, "ref", 1, "post", "/nowhere")).contains("invalid_request", "/session");
    assertThat(answer(ada, "ref", 2, "post", "/channel/" + bob.cid + "/close"))
        .startsWith("{\"ref\":2,\"refusal\":{\"code\":\"wrong_key\"");
    assertThat(answer(ada, "ref", 3, "post", "/send/" + bob.cid, "message", "x".repeat(60_000)))
        .startsWith("{\"ref\":3,\"refusal\":{\"code\":\"too_large\"");
    assertThat(answer(ada, "ref", 4, "post", "/send/" + bob.cid, "origin", bob.cid, "message", 1))
        .startsWith("{\"ref\":4,\"refusal\":{\"code\":\"wrong_key\"");
    assertThat(answer(ada, "ref", 5, "post", "/send/" + bob.cid, "message", 1))
        .contains("\"sent\"");
  }

  @Test
  @DisplayName("A refusal says after how long to try again.")
  void retryAfter() {
    start(
        Broker.builder().messageRate(new io.peerbroker.core.Limits.Rate(1, 1)).build(),
        settings -> settings);
    Guest ada = guest("");
    ada.socket.send(json("post", "/send/" + ada.cid, "message", 1));
    ada.socket.next();
    assertThat(answer(ada, "ref", 1, "post", "/send/" + ada.cid, "message", 1))
        .contains("\"rate_limited\"")
        .endsWith(",\"retryAfter\":1}}");
  }

  @Test
  @DisplayName("Lists are on the same connection.")
  void lists() {
    start();
    Guest ada = guest("");
    assertThat(answer(ada, "ref", 1, "post", "/session", "list", true)).contains("sid");
    ada.socket.send(json("post", "/channel/" + ada.cid + "/watch", "watch", "w"));
    Map<String, Json> added = ada.socket.nextEvent();
    assertThat(get(added, "event").asString()).isEqualTo("add");
    assertThat(get(added, "data").members().keySet()).containsExactly("watch", "sid", "session");
    assertThat(ada.socket.nextText())
        .isEqualTo("{\"event\":\"ready\",\"data\":{\"watch\":\"w\",\"count\":1}}");
  }

  @Test
  @DisplayName("A client that comes back goes on where it was.")
  void resume() {
    start();
    Guest ada = guest("?resume=30");
    Guest bob = guest("");
    ada.socket.reset();
    await().until(() -> !broker.findChannel(ada.cid).isAttached());
    assertThat(answer(bob, "ref", 1, "post", "/send/" + ada.cid, "message", 1))
        .contains("\"queued\"");
    SocketClient back = connect("?lastEventId=" + ada.id.asString(), "");
    Map<String, Json> event = back.nextEvent();
    assertThat(get(event, "event").asString()).isEqualTo("message");
    back.send(json("ref", 2, "post", "/send/" + bob.cid, "message", 2));
    assertThat(back.nextText()).contains("\"sent\"");
    assertThat(bob.socket.nextText()).contains(ada.cid);
  }

  @Test
  @DisplayName("A client that comes back supersedes its own other connection.")
  void superseded() {
    start();
    Guest ada = guest("?resume=30");
    connect("?lastEventId=" + ada.id.asString(), "");
    assertThat(ada.socket.nextText())
        .isEqualTo("{\"event\":\"close\",\"data\":{\"reason\":\"superseded\"}}");
    assertThat(ada.socket.nextText()).isNull();
    assertThat(ada.socket.closeCode).isEqualTo(4409);
  }

  @Test
  @DisplayName("A channel that its owner closes ends with its connection.")
  void closed() {
    start();
    Guest ada = guest("");
    ada.socket.send(json("post", "/channel/" + ada.cid + "/close"));
    assertThat(ada.socket.nextText())
        .isEqualTo("{\"event\":\"close\",\"data\":{\"reason\":\"closed\"}}");
    assertThat(ada.socket.nextText()).isNull();
    assertThat(ada.socket.closeCode).isEqualTo(1000);
  }

  @Test
  @DisplayName("After a silence there is a heartbeat.")
  void heartbeat() {
    start(Broker.create(), settings -> settings.withHeartbeat(Duration.ofMillis(50)));
    Guest ada = guest("");
    for (int i = 0; i < 3; i++) {
      assertThat(ada.socket.nextText()).isEqualTo("{\"event\":\"heartbeat\",\"data\":{}}");
    }
  }

  @Test
  @DisplayName("A page of another origin has no WebSocket, unless it is allowed.")
  void origins() {
    start(Broker.create(), settings -> settings.withAllowedOrigins("https://a.example"));
    String own = "http://" + server.base().getAuthority();
    assertThat(connect("", "Origin: " + own + "\r\n").head).startsWith("HTTP/1.1 101");
    assertThat(connect("", "Origin: https://a.example\r\n").head).startsWith("HTTP/1.1 101");
    for (String foreign : List.of("https://b.example", "null", "http://127.0.0.1")) {
      SocketClient refused = connect("", "Origin: " + foreign + "\r\n");
      assertThat(refused.head).startsWith("HTTP/1.1 403");
      assertThat(refused.body()).contains("\"denied\"", "allowedOrigins");
    }
  }

  @Test
  @DisplayName("What the policy refuses is a status for programs, and for pages a word and a code.")
  void denied() {
    AccessPolicy nobody =
        new AccessPolicy() {
          @Override
          public void open(Caller caller, ChannelOptions options) {
            throw RefusedException.of(Refusal.Code.DENIED, "Not you.");
          }
        };
    start(Broker.builder().accessPolicy(nobody).build(), settings -> settings);
    SocketClient program = connect();
    assertThat(program.head).startsWith("HTTP/1.1 403");
    assertThat(program.body()).contains("\"detail\":\"Not you.\"");
    SocketClient page = connect("", "Origin: http://" + server.base().getAuthority() + "\r\n");
    assertThat(page.nextText())
        .isEqualTo("{\"refusal\":{\"code\":\"denied\",\"detail\":\"Not you.\"}}");
    assertThat(page.nextText()).isNull();
    assertThat(page.closeCode).isEqualTo(4403);
  }

  @Test
  @DisplayName("A client that reads no answers is cut off, and its channel closes.")
  void unread() {
    start();
    Guest ada = guest("");
    String ping = json("ref", 1, "post", "/channel/" + ada.cid + "/ping", "x", "y".repeat(1_000));
    assertThat(
            org.assertj.core.api.Assertions.catchThrowable(
                () -> {
                  for (int i = 0; i < 100_000; i++) {
                    ada.socket.send(ping);
                  }
                }))
        .isInstanceOf(java.io.UncheckedIOException.class);
    await().until(() -> broker.findChannel(ada.cid) == null);
  }

  @Test
  @DisplayName("A client that takes nothing is given up after the write timeout.")
  void stalled() {
    start(Broker.create(), settings -> settings.withWriteTimeout(Duration.ofMillis(300)));
    Guest ada = guest("");
    Guest bob = guest("");
    String text = "x".repeat(40_000);
    String last = "";
    while (!last.contains("unknown_target")) {
      last = answer(bob, "ref", 1, "post", "/send/" + ada.cid, "message", text);
    }
    assertThat(broker.findChannel(ada.cid)).isNull();
  }

  @Test
  @DisplayName("A request that is none for a WebSocket learns what is missing.")
  void plainRequest() throws Exception {
    start();
    var response =
        java.net.http.HttpClient.newHttpClient()
            .send(
                java.net.http.HttpRequest.newBuilder(java.net.URI.create(server.base() + "/socket"))
                    .build(),
                java.net.http.HttpResponse.BodyHandlers.ofString());
    assertThat(response.statusCode()).isEqualTo(426);
    assertThat(response.headers().firstValue("Upgrade")).hasValue("websocket");
    assertThat(response.body()).contains("\"upgrade_required\"", "proxy");
  }
}
