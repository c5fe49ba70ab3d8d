package io.peerbroker.tck;

import static io.peerbroker.tck.WireSocket.json;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.peerbroker.core.Json;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The rules of section K for what a WebSocket is refused or cut off for: its origin, a broken
 * handshake, messages that are too large, and answers that nobody reads.
 */
public abstract class SocketBoundRules extends SocketServerRules {

  private static final String FROM_ELSEWHERE = "Origin: https://elsewhere.example\r\n";

  /** For subclasses. */
  protected SocketBoundRules() {}

  private String own() {
    return "Origin: http://" + server().base().getAuthority() + "\r\n";
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
      assertRefused(sendUntilRefused(sender, guest("").cid()), 429, "target_busy");
    }
    Guest reads = guest("");
    Duration broker = timeOf(server()::shutDownBroker);
    assertThat(reads.socket().nextText()).isEqualTo(farewell("shutting_down"));
    assertThat(broker).as("the broker").isLessThan(Duration.ofSeconds(5));
    assertApplicationStopsSoon();
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
    // Not much fits between the two; megabytes where a server leaves its buffers to the system.
    client(ServerSettings.DEFAULTS.withThreads(16));
    Guest ada = guest("");
    String ping = json("ref", 1, "post", "/channel/" + ada.cid() + "/ping", "x", "y".repeat(1_000));
    WireChannel watcher = client().openChannel();
    CompletableFuture<Void> sending =
        inThread(
            () -> {
              while (true) {
                ada.socket().send(ping);
              }
            });
    await()
        .atMost(WireConnection.BOUND.multipliedBy(3))
        .until(() -> watcher.send(ada.cid(), "1").status() == 404);
    ada.socket().close();
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
    away.socket().reset();
    await().until(() -> watcher.send(away.cid(), "1").member("delivery").equals("queued"));
    // Each answer lists 64 deliveries.
    String request =
        json("ref", 1, "post", "/send/" + away.cid(), "messages", Collections.nCopies(64, 1));
    for (int i = 0; i < 200; i++) {
      ada.socket().send(request);
    }
    await().atMost(WireConnection.BOUND).until(() -> watcher.send(ada.cid(), "1").status() == 404);
  }

  @Test
  @Tag("K11")
  @DisplayName("A message that is too large, or binary, ends the connection with its code.")
  void unfit() {
    client(ServerSettings.of("maxBodyBytes", "2000"));
    Guest large = guest("");
    large.socket().send(json("post", "/session", "x", "y".repeat(9_000)));
    assertEnd(large.socket(), 1009);
    Guest binary = guest("");
    binary.socket().sendBinary(new byte[3]);
    assertEnd(binary.socket(), 1003);
    Guest endless = guest("");
    endless.socket().beginBinary(1 << 30);
    assertEnd(endless.socket(), 1003);
  }

  @Test
  @Tag("K11")
  @DisplayName("A message in many parts is one, and must be whole in time.")
  void parts() {
    client(ServerSettings.of("bodyTimeout", "300ms").and("heartbeat", "100ms"));
    Guest ada = guest("");
    ada.socket().sendInParts(json("ref", 1, "post", "/channel/" + ada.cid() + "/ping"), 5);
    Map<String, Json> answer = ada.socket().nextEvent();
    assertThat(answer).containsKey("answer");
    ada.socket().sendPart("{\"ref\"");
    while (ada.socket().nextText() != null) {
      // A heartbeat.
    }
    assertThat(ada.socket().closeCode()).isEqualTo(1008);
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
      ada.socket().send(largest);
      assertThat(ada.socket().nextText()).contains("stream");
      ada.socket().send(largest + " ");
      assertEnd(ada.socket(), 1009);
    }
    Guest bob = guest("");
    String largest = textOf(20_000, bob, "y");
    bob.socket().sendInParts(largest, 7_000);
    assertThat(bob.socket().nextText()).contains("stream");
    bob.socket().sendInParts(largest + " ", 7_000);
    assertEnd(bob.socket(), 1009);
  }

  /** Returns a ping of so many bytes. */
  private static String textOf(int bytes, Guest guest, String filler) {
    String ping = json("ref", 1, "post", "/channel/" + guest.cid() + "/ping", "x", "");
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
    awaitGivenUp(bob, List.of(ada.cid()));
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
