package io.peerbroker.tck;

import static io.peerbroker.tck.WireSocket.get;
import static io.peerbroker.tck.WireSocket.json;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.peerbroker.core.Json;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The rules of section K: the protocol over a WebSocket, on a server that has the module for it.
 */
public abstract class SocketRules extends ServerRules {

  private static final String FROM_ELSEWHERE = "Origin: https://elsewhere.example\r\n";

  private final List<WireSocket> sockets = new ArrayList<>();

  /** For subclasses. */
  protected SocketRules() {}

  @AfterEach
  final void closeSockets() {
    sockets.forEach(WireSocket::close);
  }

  /** A client whose channel is open. */
  private record Guest(WireSocket socket, String cid, String key, Json id) {

    /** Sends a request, and returns the next message. */
    String ask(Object... request) {
      socket.send(json(request));
      return Objects.requireNonNull(socket.nextText(), "the answer");
    }

    String ping() {
      return ask("ref", 99, "post", "/channel/" + cid + "/ping");
    }
  }

  private WireSocket connect(String query, String headers) {
    var unused = client();
    WireSocket socket = WireSocket.open(server().base(), query, headers);
    sockets.add(socket);
    return socket;
  }

  private Guest guest(String query) {
    WireSocket socket = connect(query, "");
    assertThat(socket.answer().status()).isEqualTo(101);
    Map<String, Json> event = socket.nextEvent();
    assertThat(get(event, "event").asString()).isEqualTo("channel");
    Map<String, Json> data = get(event, "data").members();
    return new Guest(
        socket,
        get(data, "cid").asString(),
        get(data, "key").asString(),
        event.getOrDefault("id", Json.NULL));
  }

  private String own() {
    return "Origin: http://" + server().base().getAuthority() + "\r\n";
  }

  /**
   * Runs something on a thread of its own: the common pool has one where there are two processors.
   */
  private static CompletableFuture<Void> inThread(Runnable task) {
    return CompletableFuture.runAsync(
        task,
        command -> {
          Thread thread = new Thread(command, "SocketRules");
          thread.setDaemon(true);
          thread.start();
        });
  }

  private static void assertEnd(WireSocket socket, int code) {
    assertThat(socket.nextText()).isNull();
    assertThat(socket.closeCode()).isEqualTo(code);
  }

  private static String farewell(String reason) {
    return "{\"event\":\"close\",\"data\":{\"reason\":\"" + reason + "\"}}";
  }

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
    assertThat(ada.ask("ref", 7, "post", "/send/" + bob.cid, "message", 1))
        .isEqualTo("{\"ref\":7,\"answer\":{\"delivery\":\"sent\"}}");
    assertThat(bob.socket.nextText())
        .isEqualTo(
            "{\"event\":\"message\",\"data\":{\"origin\":\"%s\",\"target\":\"%s\",\"message\":1}}"
                .formatted(ada.cid, bob.cid));
    String hosted = ada.ask("ref", 8, "post", "/session", "tags", List.of("a"), "list", true);
    assertThat(hosted).matches("\\{\"ref\":8,\"answer\":\\{\"sid\":\"[^\"]+\"}}");
    String sid = hosted.replaceAll(".*sid\":\"|\".*", "");
    Map<String, Integer> values = Map.of("metadata", 5);
    assertThat(ada.ask("ref", 9, "post", "/session/" + sid + "/update", "values", values))
        .isEqualTo("{\"ref\":9,\"answer\":{}}");
    assertThat(bob.ask("ref", 1, "post", "/send/" + sid, "messages", List.of(1, 2)))
        .isEqualTo(
            "{\"ref\":1,\"answer\":{\"deliveries\":[{\"delivery\":\"sent\"},{\"delivery\":\"sent\"}]}}");
    ada.socket.next();
    ada.socket.next();
    assertThat(ada.ping()).isEqualTo("{\"ref\":99,\"answer\":{\"stream\":true}}");
    assertThat(ada.ask("ref", 10, "post", "/send/" + bob.cid, "origin", sid, "message", 3))
        .contains("\"sent\"");
    assertThat(bob.socket.nextText()).contains("\"origin\":\"" + sid + "\"");
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
    assertThat(bob.awaitMessage().get("origin").getAsString()).isEqualTo(ada.cid);
    assertSent(bob.send(ada.cid, "2"));
    assertThat(get(ada.socket.nextEvent(), "data").toString()).contains(bob.cid());
  }

  @Test
  @Tag("K4")
  @DisplayName("A request without a number is answered only if it is refused.")
  void withoutNumber() {
    Guest ada = guest("");
    ada.socket.send(json("post", "/send/" + ada.cid, "message", 1));
    assertThat(get(ada.socket.next(), "event").asString()).isEqualTo("message");
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
    ada.socket.send("{");
    assertThat(ada.socket.nextText()).startsWith("{\"refusal\":{\"code\":\"malformed_json\"");
    assertThat(ada.ask("ref", 1, "post", "/nowhere")).contains("invalid_request", "/session");
    assertThat(ada.ask("ref", 1)).contains("invalid_request", "post");
    assertThat(ada.ask("ref", -1, "post", "/session")).contains("invalid_request", "ref");
    assertThat(ada.ask("ref", 2, "post", "/channel/" + bob.cid + "/close"))
        .startsWith("{\"ref\":2,\"refusal\":{\"code\":\"wrong_key\"");
    assertThat(ada.ask("ref", 3, "post", "/send/" + bob.cid, "message", "x".repeat(60_000)))
        .startsWith("{\"ref\":3,\"refusal\":{\"code\":\"too_large\"");
    assertThat(ada.ask("ref", 4, "post", "/send/" + bob.cid, "origin", bob.cid, "message", 1))
        .startsWith("{\"ref\":4,\"refusal\":{\"code\":\"wrong_key\"");
    assertThat(
            ada.ask(
                "ref",
                5,
                "post",
                "/send/" + bob.cid,
                "key",
                bob.key,
                "origin",
                bob.cid,
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
    ada.socket.send(json("post", "/send/" + ada.cid, "message", 1));
    ada.socket.next();
    assertThat(ada.ask("ref", 1, "post", "/send/" + ada.cid, "message", 1))
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
                String answer = ada.ask("ref", 1, "post", "/send/" + bob.cid, "message", i);
                if (answer.contains("sent")) {
                  i++;
                } else {
                  assertThat(answer).contains("target_busy");
                }
              }
            });
    for (int i = 0; i < 3_000; i++) {
      assertThat(get(get(bob.socket.nextEvent(), "data").members(), "message")).hasToString("" + i);
    }
    sending.join();
  }

  @Test
  @Tag("K2")
  @DisplayName("Lists are on the same connection.")
  void lists() {
    Guest ada = guest("");
    assertThat(ada.ask("ref", 1, "post", "/session", "list", true)).contains("sid");
    ada.socket.send(json("post", "/channel/" + ada.cid + "/watch", "watch", "w"));
    Map<String, Json> added = ada.socket.nextEvent();
    assertThat(get(added, "event").asString()).isEqualTo("add");
    assertThat(get(added, "data").members().keySet()).containsExactly("watch", "sid", "session");
    assertThat(ada.socket.nextText())
        .isEqualTo("{\"event\":\"ready\",\"data\":{\"watch\":\"w\",\"count\":1}}");
  }

  @Test
  @Tag("K5")
  @DisplayName("An id of either transport goes on over the other.")
  void resume() {
    Guest ada = guest("?resume=30");
    WireChannel bob = client().openChannel();
    ada.socket.reset();
    await().until(() -> bob.send(ada.cid, "1").member("delivery").equals("queued"));
    SseStream stream = client().openStream("/channel?lastEventId=" + ada.id.asString());
    EventStreamParser.Event event = stream.next();
    assertThat(event.data()).contains("\"message\":1");
    stream.close();
    WireSocket back = connect("?lastEventId=" + stream.lastEventId(), "");
    assertSent(bob.send(ada.cid, "2"));
    Map<String, Json> next = back.nextEvent();
    while (get(next, "data").toString().contains("\"message\":1}")) {
      next = back.nextEvent();
    }
    assertThat(get(next, "data").toString()).contains("\"message\":2");
    back.send(json("ref", 2, "post", "/send/" + bob.cid(), "message", 3));
    assertThat(back.nextText()).contains("\"sent\"");
    assertThat(bob.awaitMessage().get("origin").getAsString()).isEqualTo(ada.cid);
  }

  @Test
  @Tag("K5")
  @Tag("K6")
  @DisplayName("A client that comes back supersedes its own other connection.")
  void superseded() {
    Guest ada = guest("?resume=30");
    connect("?lastEventId=" + ada.id.asString(), "");
    assertThat(ada.socket.nextText()).isEqualTo(farewell("superseded"));
    assertEnd(ada.socket, 4409);
  }

  @Test
  @Tag("K6")
  @DisplayName("A channel that its owner closes ends with its connection.")
  void closed() {
    Guest ada = guest("");
    ada.socket.send(json("post", "/channel/" + ada.cid + "/close"));
    assertThat(ada.socket.nextText()).isEqualTo(farewell("closed"));
    assertEnd(ada.socket, 1000);
  }

  @Test
  @Tag("K4")
  @Tag("K6")
  @DisplayName("The request that closes a channel is answered first.")
  void closedWithAnAnswer() {
    Guest ada = guest("");
    assertThat(ada.ask("ref", 1, "post", "/channel/" + ada.cid + "/close"))
        .isEqualTo("{\"ref\":1,\"answer\":{}}");
    assertThat(ada.socket.nextText()).isEqualTo(farewell("closed"));
    assertEnd(ada.socket, 1000);
  }

  @Test
  @Tag("K6")
  @DisplayName("A broker that shuts down says so on each WebSocket.")
  void shutdown() {
    Guest ada = guest("");
    CompletableFuture<Void> closing = inThread(server()::shutDownBroker);
    assertThat(ada.socket.nextText()).isEqualTo(farewell("shutting_down"));
    assertEnd(ada.socket, 1012);
    closing.join();
  }

  @Test
  @Tag("K6")
  @Tag("K12")
  @DisplayName("Clients that read nothing hold up no shutdown, of the broker or the application.")
  void shutdownWithStalled() {
    client(
        ServerSettings.of("drainTimeout", "1s")
            .and("messageRate", "0")
            .and("maxQueuedBytes", 100_000)
            .withThreads(16));
    WireChannel sender = client().openChannel();
    for (int i = 0; i < 80; i++) {
      assertRefused(sendUntilRefused(sender, guest("").cid), 429, "target_busy");
    }
    Guest reads = guest("");
    Duration broker = timeOf(server()::shutDownBroker);
    assertThat(reads.socket.nextText()).isEqualTo(farewell("shutting_down"));
    assertThat(broker).as("the broker").isLessThan(Duration.ofSeconds(5));
    if (server() instanceof ContainerServer container) {
      // Tomcat may take 50 ms for each of them.
      assertThat(timeOf(container::stopApplication))
          .as("the application")
          .isLessThan(Duration.ofSeconds(3));
    }
  }

  private static Duration timeOf(Runnable deed) {
    long begin = System.nanoTime();
    deed.run();
    return Duration.ofNanos(System.nanoTime() - begin);
  }

  @Test
  @Tag("K6")
  @DisplayName("A client that closes or breaks its connection closes its channel at once.")
  void gone() {
    WireChannel watcher = client().openChannel();
    for (boolean orderly : List.of(true, false)) {
      Guest ada = guest("");
      if (orderly) {
        ada.socket.close();
      } else {
        ada.socket.reset();
      }
      await().until(() -> watcher.send(ada.cid, "1").status() == 404);
    }
  }

  @Test
  @Tag("K6")
  @DisplayName("A client's close frame ends the connection, and the client has left.")
  void goodbye() {
    Guest ada = guest("");
    assertThat(ada.ask("ref", 1, "post", "/session", "list", true)).contains("sid");
    ada.socket.sendClose(1000);
    assertThat(ada.socket.nextText()).isNull();
    // By a look at the list: a message to it would show that its connection has gone.
    await().until(() -> client().get("/list").body().equals("[]"));
    WireChannel watcher = client().openChannel();
    Guest bob = guest("?resume=30");
    bob.socket.sendClose(1001);
    assertThat(bob.socket.nextText()).isNull();
    await().until(() -> watcher.send(bob.cid, "1").member("delivery").equals("queued"));
  }

  @Test
  @Tag("K7")
  @DisplayName("After a silence there is a heartbeat.")
  void heartbeat() {
    client(ServerSettings.of("heartbeat", "50ms"));
    Guest ada = guest("");
    for (int i = 0; i < 3; i++) {
      assertThat(ada.socket.nextText()).isEqualTo("{\"event\":\"heartbeat\",\"data\":{}}");
    }
  }

  @Test
  @Tag("K8")
  @DisplayName("A page of another origin has no WebSocket, unless it is allowed.")
  void origins() {
    client(ServerSettings.of("allowedOrigins", "https://a.example"));
    assertThat(connect("", own()).answer().status()).isEqualTo(101);
    assertThat(connect("", "Origin: https://a.example\r\n").answer().status()).isEqualTo(101);
    for (String foreign : List.of("https://b.example", "null", "http://127.0.0.1")) {
      WireSocket refused = connect("", "Origin: " + foreign + "\r\n");
      assertRefused(refused.answer(), 403, "denied", "allowedOrigins");
    }
  }

  @Test
  @Tag("K8")
  @DisplayName("With a star, pages of all origins have WebSockets, without their credentials.")
  void anyOrigin() {
    client(ServerSettings.of("allowedOrigins", "*"));
    assertThat(connect("", FROM_ELSEWHERE).answer().status()).isEqualTo(101);
    for (String credentials : List.of("Cookie: a=b\r\n", "Authorization: Bearer x\r\n")) {
      assertThat(connect("", FROM_ELSEWHERE + credentials).answer().status()).isEqualTo(403);
      assertThat(connect("", own() + credentials).answer().status()).isEqualTo(101);
    }
  }

  @Test
  @Tag("K9")
  @DisplayName("What the policy refuses is a status for programs, and for pages a word and a code.")
  void denied() {
    client(ServerSettings.DEFAULTS.withPolicy());
    String stranger = KitPolicy.HEADER + ": stranger\r\n";
    WireSocket program = connect("", stranger);
    assertRefused(program.answer(), 403, "denied", "Strangers may do nothing here.");
    WireSocket page = connect("", stranger + own());
    assertThat(page.nextText())
        .isEqualTo(
            "{\"refusal\":{\"code\":\"denied\",\"detail\":\"Strangers may do nothing here.\"}}");
    assertEnd(page, 4403);
  }

  @Test
  @Tag("K9")
  @DisplayName("A broker that is full says so, and closes with a code that means: later.")
  void full() {
    client(ServerSettings.of("maxChannels", "1"));
    guest("");
    WireSocket program = connect("", "");
    assertThat(program.answer().status()).isEqualTo(503);
    WireSocket page = connect("", own());
    assertThat(page.nextText()).contains("at_capacity");
    assertEnd(page, 1013);
  }

  @Test
  @Tag("K10")
  @DisplayName("A client that reads no answers is cut off, and its channel closes.")
  void unread() {
    // Not much fits between the two.
    client(ServerSettings.DEFAULTS.withThreads(16));
    Guest ada = guest("");
    String ping = json("ref", 1, "post", "/channel/" + ada.cid + "/ping", "x", "y".repeat(1_000));
    WireChannel watcher = client().openChannel();
    CompletableFuture<Void> sending =
        inThread(
            () -> {
              while (true) {
                ada.socket.send(ping);
              }
            });
    await().atMost(WireConnection.BOUND).until(() -> watcher.send(ada.cid, "1").status() == 404);
    ada.socket.close();
    assertThat(sending).failsWithin(WireConnection.BOUND);
  }

  @Test
  @Tag("K10")
  @DisplayName("A client that asks for large answers and reads none is cut off long before.")
  void unreadBytes() {
    client(
        ServerSettings.of("messageRate", "0")
            .and("maxQueuedEvents", 20_000)
            .and("maxQueuedBytes", 10_000_000)
            .withThreads(16));
    assumeTrue(
        server() instanceof ContainerServer,
        "The system's buffers take megabytes, where a server leaves their size to it.");
    Guest ada = guest("");
    WireChannel watcher = client().openChannel();
    Guest away = guest("?resume=30");
    away.socket.reset();
    await().until(() -> watcher.send(away.cid, "1").member("delivery").equals("queued"));
    // Each answer lists 64 deliveries.
    String request =
        json("ref", 1, "post", "/send/" + away.cid, "messages", Collections.nCopies(64, 1));
    for (int i = 0; i < 200; i++) {
      ada.socket.send(request);
    }
    await().atMost(WireConnection.BOUND).until(() -> watcher.send(ada.cid, "1").status() == 404);
  }

  @Test
  @Tag("K11")
  @DisplayName("A message that is too large, or binary, ends the connection with its code.")
  void unfit() {
    client(ServerSettings.of("maxBodyBytes", "2000"));
    Guest large = guest("");
    large.socket.send(json("post", "/session", "x", "y".repeat(9_000)));
    assertEnd(large.socket, 1009);
    Guest binary = guest("");
    binary.socket.sendBinary(new byte[3]);
    assertEnd(binary.socket, 1003);
    Guest endless = guest("");
    endless.socket.beginBinary(1 << 30);
    assertEnd(endless.socket, 1003);
  }

  @Test
  @Tag("K11")
  @DisplayName("A message in many parts is one, and must be whole in time.")
  void parts() {
    client(ServerSettings.of("bodyTimeout", "300ms").and("heartbeat", "100ms"));
    Guest ada = guest("");
    ada.socket.sendInParts(json("ref", 1, "post", "/channel/" + ada.cid + "/ping"), 5);
    Map<String, Json> answer = ada.socket.nextEvent();
    assertThat(answer).containsKey("answer");
    ada.socket.sendPart("{\"ref\"");
    while (ada.socket.nextText() != null) {
      // A heartbeat.
    }
    assertThat(ada.socket.closeCode()).isEqualTo(1008);
  }

  @Test
  @Tag("K11")
  @DisplayName("A text of the largest size is taken, in one frame or many; one byte more is not.")
  void largest() {
    client(ServerSettings.of("maxBodyBytes", "20000"));
    // Fewer characters than bytes: the bound is one of bytes.
    for (String filler : List.of("y", "\u00e9")) {
      Guest ada = guest("");
      String largest = textOf(20_000, ada, filler);
      ada.socket.send(largest);
      assertThat(ada.socket.nextText()).contains("stream");
      ada.socket.send(largest + " ");
      assertEnd(ada.socket, 1009);
    }
    Guest bob = guest("");
    String largest = textOf(20_000, bob, "y");
    bob.socket.sendInParts(largest, 7_000);
    assertThat(bob.socket.nextText()).contains("stream");
    bob.socket.sendInParts(largest + " ", 7_000);
    assertEnd(bob.socket, 1009);
  }

  /** Returns a ping of so many bytes. */
  private static String textOf(int bytes, Guest guest, String filler) {
    String ping = json("ref", 1, "post", "/channel/" + guest.cid + "/ping", "x", "");
    int left = bytes - ping.length();
    int width = filler.getBytes(UTF_8).length;
    String start = ping.substring(0, ping.length() - 2) + "y".repeat(left % width);
    return start + filler.repeat(left / width) + "\"}";
  }

  @Test
  @Tag("K4")
  @DisplayName("A message of the largest size is sent; one byte more is refused, and no more.")
  void largestMessage() {
    client(ServerSettings.of("maxMessageBytes", "5000"));
    Guest ada = guest("");
    String largest = "z".repeat(4_998);
    assertThat(ada.ask("ref", 1, "post", "/send/nobody", "message", largest))
        .contains("\"unknown_target\"");
    assertThat(ada.ask("ref", 2, "post", "/send/nobody", "message", largest + "z"))
        .contains("\"too_large\"");
    assertThat(ada.ping()).contains("stream");
  }

  @Test
  @Tag("K12")
  @DisplayName("A client that takes nothing is given up after the write timeout.")
  void stalled() {
    client(ServerSettings.of("writeTimeout", "2s").and("messageRate", "0").withThreads(16));
    Guest ada = guest("");
    WireChannel bob = client().openChannel();
    awaitGivenUp(bob, List.of(ada.cid));
  }

  @Test
  @Tag("K13")
  @DisplayName("A request that is none for a WebSocket learns what is missing.")
  void plainRequest() {
    WireResponse response = client().get("/socket");
    assertRefused(response, 426, "upgrade_required", "proxy");
    assertThat(response.header("Upgrade")).isEqualTo("websocket");
    assertRefused(client().get("/nowhere"), 404, "unknown_path", "/list and /socket here");
  }

  @Test
  @Tag("K13")
  @DisplayName("A handshake that is not whole opens no channel.")
  void brokenHandshakes() {
    client(ServerSettings.of("maxChannels", "1"));
    List<String> whole =
        List.of(
            "Upgrade: websocket",
            "Connection: keep-alive, Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==");
    for (String missing : whole) {
      String[] broken = whole.stream().filter(line -> !line.equals(missing)).toArray(String[]::new);
      WireResponse response = client().get("/socket", broken);
      // Jetty refuses some of them itself.
      if (response.status() != 400) {
        assertRefused(response, 426, "upgrade_required");
      }
    }
    for (String key : List.of("c2hvcnQ=", "dGhlIHNhbXBsZSBub25jZQ==AAAA", "")) {
      WireResponse response =
          client()
              .get(
                  "/socket", whole.get(0), whole.get(1), whole.get(2), "Sec-WebSocket-Key: " + key);
      if (response.status() != 400) {
        assertRefused(response, 426, "upgrade_required");
      }
    }
    WireResponse old =
        client()
            .get("/socket", whole.get(0), whole.get(1), "Sec-WebSocket-Version: 12", whole.get(3));
    assertRefused(old, 426, "upgrade_required");
    assertThat(old.header("Sec-WebSocket-Version")).isEqualTo("13");
    assertThat(connect("", "").answer().status()).isEqualTo(101);
  }

  @Test
  @Tag("K14")
  @DisplayName("WebSockets may be switched off.")
  void switchedOff() {
    client(ServerSettings.of("serveSockets", "false"));
    assertThat(connect("", "").answer().status()).isEqualTo(404);
    assertRefused(client().get("/socket"), 404, "unknown_path", "/send/<target> and /list here");
  }
}
