package io.peerbroker.tck;

import static io.peerbroker.tck.WireSocket.get;
import static io.peerbroker.tck.WireSocket.json;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * What the npm package {@code peerjs} 1.5.5 expects of its server, and what is bounded here: on a
 * server that has the servlet of {@code broker-peerjs} at {@code /peerjs/*}, with {@code peerjs} as
 * the tag of its sessions and all other settings at their defaults.
 */
public abstract class PeerJsRules extends ServerRules {

  private static final String OPEN = "{\"type\":\"OPEN\"}";
  private static final String UNKNOWN_TYPE = json("type", "GOSSIP", "dst", "bob");

  private final List<WireSocket> sockets = new ArrayList<>();

  /** For subclasses. */
  protected PeerJsRules() {}

  @AfterEach
  final void closeSockets() {
    sockets.forEach(WireSocket::close);
  }

  private URI base() {
    var unused = client();
    return server().base().resolve("/peerjs");
  }

  private WireResponse fetch(String path) {
    try (WireClient http = new WireClient(base())) {
      return http.get(path);
    }
  }

  private WireSocket connect(String query, String headers) {
    WireSocket socket = WireSocket.openAt(base(), "/peerjs?" + query, headers);
    sockets.add(socket);
    return socket;
  }

  private WireSocket connect(String id, String token, String headers) {
    return connect("key=peerjs&id=%s&token=%s&version=1.5.5".formatted(id, token), headers);
  }

  private WireSocket peer(String id) {
    WireSocket socket = connect(id, "token-of-" + id, "");
    assertThat(socket.nextText()).isEqualTo(OPEN);
    return socket;
  }

  private static String frame(String type, String dst, String connection) {
    return json("type", type, "payload", Map.of("connectionId", connection), "dst", dst);
  }

  private static String relayed(String type, String src, String dst, String connection) {
    return "{\"type\":\"%s\",\"src\":\"%s\",\"dst\":\"%s\",\"payload\":{\"connectionId\":\"%s\"}}"
        .formatted(type, src, dst, connection);
  }

  private static String expire(String src, String dst) {
    return "{\"type\":\"EXPIRE\",\"src\":\"%s\",\"dst\":\"%s\"}".formatted(src, dst);
  }

  private static void assertEnd(WireSocket socket, int code) {
    assertThat(socket.nextText()).isNull();
    assertThat(socket.closeCode()).isEqualTo(code);
  }

  /** Fails unless an offer is the next that reaches the client of an id, with its sender's. */
  private static void assertOffered(WireSocket from, String src, WireSocket to, String dst) {
    from.send(frame("OFFER", dst, "offer"));
    assertThat(to.nextText()).isEqualTo(relayed("OFFER", src, dst, "offer"));
  }

  /** Waits until a new client gets an id, with another token than {@link #peer} has. */
  private WireSocket awaitFree(String id) {
    return await()
        .atMost(WireConnection.BOUND)
        .until(() -> connect(id, "another", ""), socket -> OPEN.equals(socket.nextText()));
  }

  @Test
  @DisplayName("The root names the server, with a slash and without.")
  void root() {
    for (String path : List.of("", "/")) {
      WireResponse root = fetch(path);
      assertThat(root.status()).isEqualTo(200);
      assertThat(root.mediaType()).isEqualTo("application/json");
      assertThat(root.member("name")).isEqualTo("PeerJS Server");
    }
  }

  @Test
  @DisplayName("A client that brings no id gets one.")
  void newId() {
    WireResponse first = fetch("/peerjs/id?ts=1&version=1.5.5");
    assertThat(first.status()).isEqualTo(200);
    assertThat(first.mediaType()).isEqualTo("text/html");
    assertThat(first.body()).matches("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
    assertThat(fetch("/null/id").body()).isNotEqualTo(first.body());
    var unused = peer(first.body());
  }

  @Test
  @DisplayName("Ids are not listed by default, and there are no other paths.")
  void noList() {
    WireResponse list = fetch("/peerjs/peers");
    assertThat(list.status()).isEqualTo(401);
    assertThat(list.body()).isEqualTo("Unauthorized");
    assertThat(fetch("/peerjs/other").status()).isEqualTo(404);
    assertThat(fetch("/peerjs?key=peerjs&id=ada&token=1").status()).isEqualTo(426);
  }

  @Test
  @DisplayName("A handshake that is not whole takes no id, also not from the client that has it.")
  void notWhole() {
    WireSocket ada = peer("ada");
    try (WireClient http = new WireClient(base())) {
      String query = "/peerjs?key=peerjs&id=ada&token=token-of-ada";
      WireResponse refused =
          http.get(query, "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13");
      assertThat(refused.status()).isEqualTo(426);
    }
    assertOffered(ada, "ada", ada, "ada");
  }

  @Test
  @DisplayName("A client that has its id is told so, on a connection without an extension.")
  void open() {
    WireSocket ada =
        connect(
            "ada", "1", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n");
    assertThat(ada.answer().status()).isEqualTo(101);
    assertThat(ada.answer().header("Sec-WebSocket-Extensions")).isNull();
    assertThat(ada.nextText()).isEqualTo(OPEN);
  }

  @Test
  @DisplayName("Without an id, a token or a key, or with a bad id, there is an error and no id.")
  void parameters() {
    for (String query :
        List.of("", "key=peerjs&id=ada", "key=peerjs&token=1", "id=ada&token=1&key=")) {
      WireSocket refused = connect(query, "");
      assertThat(refused.nextText())
          .isEqualTo(
              "{\"type\":\"ERROR\",\"payload\":"
                  + "{\"msg\":\"No id, token, or key supplied to websocket server\"}}");
      assertEnd(refused, 1000);
    }
    for (String id : List.of("a--b", "-", "a%2Fb", "a".repeat(129))) {
      WireSocket refused = connect(id, "1", "");
      assertThat(refused.nextText()).startsWith("{\"type\":\"ERROR\"").contains("The id must be");
      assertEnd(refused, 1000);
    }
    // The last one counts.
    WireSocket ada = connect("key=peerjs&token=1&id=-&id=ada", "");
    assertThat(ada.nextText()).isEqualTo(OPEN);
  }

  @Test
  @DisplayName("An id that a client has is not another's.")
  void taken() {
    WireSocket ada = peer("ada");
    WireSocket other = connect("ada", "another", "");
    assertThat(other.nextText())
        .isEqualTo("{\"type\":\"ID-TAKEN\",\"payload\":{\"msg\":\"ID is taken\"}}");
    assertEnd(other, 1000);
    WireSocket bob = peer("bob");
    assertOffered(bob, "bob", ada, "ada");
  }

  @Test
  @DisplayName("A client that comes back with its token is told so; its old connection ends.")
  void comesBack() {
    WireSocket before = peer("ada");
    WireSocket after = peer("ada");
    assertEnd(before, 1000);
    WireSocket bob = peer("bob");
    assertOffered(bob, "bob", after, "ada");
    after.send(frame("ANSWER", "bob", "c1"));
    assertThat(bob.nextText()).isEqualTo(relayed("ANSWER", "ada", "bob", "c1"));
  }

  @Test
  @DisplayName("Frames are relayed in order, with the sender that the server knows.")
  void relay() {
    WireSocket ada = peer("ada");
    WireSocket bob = peer("bob");
    for (String type : List.of("OFFER", "ANSWER", "CANDIDATE", "LEAVE")) {
      ada.send(
          json(
              "src",
              "eve",
              "type",
              type,
              "dst",
              "bob",
              "payload",
              Map.of("connectionId", "c1"),
              "more",
              1));
      assertThat(bob.nextText()).isEqualTo(relayed(type, "ada", "bob", "c1"));
    }
    ada.send(json("type", "LEAVE", "dst", "bob"));
    assertThat(bob.nextText()).isEqualTo("{\"type\":\"LEAVE\",\"src\":\"ada\",\"dst\":\"bob\"}");
    for (int i = 0; i < 50; i++) {
      ada.send(frame("CANDIDATE", "bob", "c" + i));
    }
    for (int i = 0; i < 50; i++) {
      assertThat(bob.nextText()).isEqualTo(relayed("CANDIDATE", "ada", "bob", "c" + i));
    }
  }

  @Test
  @DisplayName("What waits too long for an id is reported, once for each id.")
  void expires() {
    WireSocket ada = peer("ada");
    ada.send(json("type", "LEAVE", "dst", "somebody"));
    ada.send(frame("OFFER", "nobody", "c1"));
    ada.send(frame("CANDIDATE", "nobody", "c1"));
    long begun = System.nanoTime();
    assertThat(ada.nextText()).isEqualTo(expire("nobody", "ada"));
    assertThat(System.nanoTime() - begun).isGreaterThan(3_000_000_000L);
    assertOffered(ada, "ada", ada, "ada");
  }

  @Test
  @DisplayName("Frames for an id that nobody has wait for the client that comes.")
  void waits() {
    WireSocket ada = peer("ada");
    ada.send(frame("OFFER", "bob", "c1"));
    ada.send(frame("CANDIDATE", "bob", "c1"));
    assertOffered(ada, "ada", ada, "ada");
    WireSocket bob = peer("bob");
    assertThat(bob.nextText()).isEqualTo(relayed("OFFER", "ada", "bob", "c1"));
    assertThat(bob.nextText()).isEqualTo(relayed("CANDIDATE", "ada", "bob", "c1"));
  }

  @Test
  @DisplayName("No more than 64 frames of one client wait; the next is reported at once.")
  void waitsWithinBounds() {
    WireSocket ada = peer("ada");
    for (int i = 0; i < 65; i++) {
      ada.send(frame("CANDIDATE", "nobody" + i, "c1"));
    }
    assertThat(ada.nextText()).isEqualTo(expire("nobody64", "ada"));
  }

  @Test
  @DisplayName("What is no frame is ignored, and hurts nobody.")
  void malformed() {
    WireSocket ada = peer("ada");
    WireSocket bob = peer("bob");
    for (String text :
        List.of(
            "",
            "not json",
            "[]",
            "null",
            "{}",
            "{\"type\":5,\"dst\":\"bob\"}",
            "{\"type\":\"OFFER\"}",
            "{\"type\":\"OFFER\",\"dst\":{}}",
            "{\"type\":\"LEAVE\",\"dst\":\"" + "b".repeat(129) + "\"}",
            "{\"type\":\"OFFER\",\"type\":\"OFFER\",\"dst\":\"bob\"}",
            "[".repeat(1_000),
            "{\"type\":\"HEARTBEAT\"}",
            "{\"type\":\"OPEN\",\"dst\":\"bob\"}",
            "{\"type\":\"ID-TAKEN\",\"dst\":\"bob\"}",
            UNKNOWN_TYPE)) {
      ada.send(text);
    }
    assertOffered(ada, "ada", bob, "bob");
  }

  @Test
  @DisplayName("A frame that is too large, or binary, ends its sender's connection with its code.")
  void tooLarge() {
    WireSocket ada = peer("ada");
    WireSocket bob = peer("bob");
    WireSocket eve = peer("eve");
    ada.send(frame("OFFER", "eve", "x".repeat(64 << 10)));
    assertEnd(ada, 1009);
    bob.sendBinary(new byte[10]);
    assertEnd(bob, 1003);
    // Larger than the broker's messages, which are smaller than a frame may be.
    eve.send(frame("OFFER", "eve", "x".repeat(50 << 10)));
    assertThat(eve.nextText()).isEqualTo(expire("eve", "eve"));
    eve.send(frame("OFFER", "eve", "x".repeat(20 << 10)));
    assertThat(eve.nextText()).isEqualTo(relayed("OFFER", "eve", "eve", "x".repeat(20 << 10)));
  }

  @Test
  @DisplayName("A client that closes or breaks its connection, or leaves, frees its id.")
  void frees() {
    peer("ada").close();
    peer("bob").reset();
    WireSocket eve = peer("eve");
    eve.send("{\"type\":\"LEAVE\"}");
    assertEnd(eve, 1000);
    for (String id : List.of("ada", "bob", "eve")) {
      var unused = awaitFree(id);
    }
  }

  @Test
  @DisplayName("A page of another origin has no WebSocket.")
  void origin() {
    WireSocket own = connect("ada", "1", "Origin: http://" + base().getAuthority() + "\r\n");
    assertThat(own.nextText()).isEqualTo(OPEN);
    WireSocket other = connect("bob", "1", "Origin: https://elsewhere.example\r\n");
    assertThat(other.answer().status()).isEqualTo(403);
  }

  @Test
  @DisplayName("Clients of the broker find a PeerJS client in the list, call it, and are called.")
  void bothKinds() {
    WireSocket ada = peer("ada");
    WireResponse list = client().get("/list?filter=peerjs");
    JsonObject entry = list.json().getAsJsonArray().get(0).getAsJsonObject();
    String sid = entry.get("sid").getAsString();
    assertThat(entry.get("session").getAsJsonObject().get("metadata").toString())
        .isEqualTo("{\"peerjs\":\"ada\"}");
    WireChannel bob = client().openChannel();
    assertSent(
        bob.send(
            sid, "{\"type\":\"OFFER\",\"src\":\"eve\",\"payload\":{\"connectionId\":\"c1\"}}"));
    assertThat(ada.nextText()).isEqualTo(relayed("OFFER", bob.cid(), "ada", "c1"));
    // Not of this form, so it is not for a page.
    assertSent(bob.send(sid, "{\"type\":\"ID-TAKEN\"}"));
    assertSent(bob.send(sid, "[1]"));
    assertSent(bob.send(sid, "{\"type\":\"LEAVE\"}"));
    assertThat(ada.nextText())
        .isEqualTo("{\"type\":\"LEAVE\",\"src\":\"%s\",\"dst\":\"ada\"}".formatted(bob.cid()));
    ada.send(frame("ANSWER", bob.cid(), "c1"));
    JsonObject answer = bob.awaitMessage();
    assertThat(answer.get("origin").getAsString()).isEqualTo(sid);
    assertThat(answer.get("message").toString())
        .isEqualTo("{\"type\":\"ANSWER\",\"payload\":{\"connectionId\":\"c1\"}}");
    WireSocket squatter = connect(bob.cid(), "1", "");
    assertThat(squatter.nextText()).contains("ID-TAKEN");
    ada.close();
    await().atMost(WireConnection.BOUND).until(() -> listed("?filter=peerjs").isEmpty());
  }

  @Test
  @DisplayName("A broker that shuts down closes the connections, with a code that means: later.")
  void shutdown() {
    WireSocket ada = peer("ada");
    server().shutDownBroker();
    assertEnd(ada, 1012);
    WireSocket late = connect("bob", "1", "");
    assertThat(get(late.next(), "type").asString()).isEqualTo("ERROR");
    assertEnd(late, 1000);
  }

  @Test
  @DisplayName("Clients that read nothing hold up no shutdown, of the broker or the application.")
  void shutdownWithStalled() {
    client(
        ServerSettings.of("drainTimeout", "1s")
            .and("messageRate", "0")
            .and("maxQueuedBytes", 100_000)
            .withThreads(16));
    for (int i = 0; i < 80; i++) {
      var unused = peer("stalled" + i);
    }
    WireChannel sender = client().openChannel();
    String large = frame("OFFER", "", "x".repeat(40_000));
    for (String sid : wholeList("?filter=peerjs").keySet()) {
      assertRefused(sendUntilRefused(sender, sid, large), 429, "target_busy");
    }
    WireSocket reads = peer("reads");
    Duration broker = timeOf(server()::shutDownBroker);
    assertEnd(reads, 1012);
    assertThat(broker).as("the broker").isLessThan(Duration.ofSeconds(5));
    assertApplicationStopsSoon();
  }
}
