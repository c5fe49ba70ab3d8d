package io.peerbroker.tck;

import static com.google.gson.JsonParser.parseString;
import static io.peerbroker.tck.WireChannel.data;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules of section H for what a request carries, and how it comes. */
public abstract class HttpRules extends ServerRules {

  private static final Pattern IMPORT = Pattern.compile("(?m)^(?:im|ex)port [^;]*'(\\.[^']+)';");

  /** For subclasses. */
  protected HttpRules() {}

  @Test
  @Tag("H6")
  @DisplayName("A body is application/json in UTF-8.")
  void bodiesAreJsonInUtf8() {
    WireChannel channel = client().openChannel();
    String path = "/send/" + channel.cid();
    byte[] body = channel.sendBody("1").getBytes(UTF_8);
    for (String type :
        List.of(
            "application/json",
            "application/json; charset=utf-8",
            "Application/JSON;Charset=\"UTF-8\"",
            "application/json ;charset=Utf-8")) {
      assertSent(client().post(path, body, "Content-Type: " + type));
    }
    for (String headers :
        List.of(
            "",
            "Content-Type: text/plain",
            "Content-Type: text/plain;charset=utf-8",
            "Content-Type: application/x-www-form-urlencoded",
            "Content-Type: application/json5",
            "Content-Type: application/problem+json",
            "Content-Type: application",
            "Content-Type: application/json;charset=iso-8859-1",
            "Content-Type: application/json;charset=utf-16",
            "Content-Type: application/json;charset=",
            "Content-Type: application/json\r\nContent-Encoding: gzip",
            "Content-Type: application/json\r\nContent-Encoding: identity")) {
      assertRefused(client().post(path, body, headers), 415, "unsupported_media_type");
    }
  }

  @Test
  @Tag("H16")
  @DisplayName("A ping and a farewell may be text/plain, which needs no preflight.")
  void pingsAndFarewellsMayBeText() {
    WireChannel channel = client().openChannel();
    String path = "/channel/" + channel.cid();
    byte[] body = ("{\"key\":\"" + channel.key() + "\"}").getBytes(UTF_8);
    for (String type : List.of("text/plain", "Text/Plain; charset=UTF-8")) {
      WireResponse pong = client().post(path + "/ping", body, "Content-Type: " + type);
      assertThat(pong.json()).as(type).isEqualTo(parseString("{\"stream\":true}"));
    }
    for (String headers :
        List.of(
            "",
            "Content-Type: text/plain;charset=iso-8859-1",
            "Content-Type: text/html",
            "Content-Type: text/plain\r\nContent-Encoding: gzip")) {
      for (String request : List.of("/ping", "/close")) {
        WireResponse refused = client().post(path + request, body, headers);
        assertRefused(refused, 415, "unsupported_media_type");
      }
    }
    assertRefused(
        client().post(path + "/close", "{}".getBytes(UTF_8), "Content-Type: text/plain"),
        400,
        "invalid_request",
        "key");
    assertDone(client().post(path + "/close", body, "Content-Type: text/plain;charset=UTF-8"));
    assertThat(data(channel.stream().await("close")).get("reason").getAsString())
        .isEqualTo("closed");
  }

  @Test
  @Tag("H7")
  @Tag("H13")
  @DisplayName("A POST's Accept is ignored, and only streams may be stored.")
  void acceptIsIgnoredOnPosts() {
    WireChannel channel = client().openChannel();
    String body = channel.sendBody("1");
    WireResponse sent = client().postJson("/send/" + channel.cid(), body, "Accept: image/png");
    assertSent(sent);
    WireResponse refused = client().postJson("/send/" + channel.cid(), "{", "Accept: image/png");
    assertRefused(refused, 400, "malformed_json");
    for (WireResponse response :
        List.of(
            sent,
            refused,
            channel.postSession(""),
            client().get("/list"),
            client().get("/x"),
            client().get("/list?filter=!"),
            client().request("HEAD", "/list"),
            channel.close())) {
      assertThat(response.headerList("Cache-Control"))
          .as("%s", response)
          .containsExactly("no-store");
    }
  }

  @Test
  @Tag("H17")
  @DisplayName(
      "The client is served with all that it imports, for a browser to keep and to ask about.")
  void theClientIsServed() {
    Queue<String> ahead = new ArrayDeque<>(List.of("/client.js"));
    Set<String> seen = new HashSet<>(ahead);
    while (!ahead.isEmpty()) {
      String path = ahead.remove();
      WireResponse file = client().get(path, "Accept: image/png");
      assertThat(file.status()).as(path).isEqualTo(200);
      assertThat(file.headerList("Content-Type")).containsExactly("text/javascript;charset=utf-8");
      assertThat(file.headerList("Cache-Control")).containsExactly("no-cache");
      assertThat(file.headerList("X-Content-Type-Options")).containsExactly("nosniff");
      assertThat(file.header("ETag")).matches("\"[A-Za-z0-9_-]{20}\"");
      assertThat(file.header("Content-Length"))
          .isEqualTo(Integer.toString(file.body().getBytes(UTF_8).length));
      assertThat(client().get(path).header("ETag")).isEqualTo(file.header("ETag"));
      IMPORT
          .matcher(file.body())
          .results()
          .map(found -> URI.create(path).resolve(found.group(1)).toString())
          .filter(seen::add)
          .forEach(ahead::add);
    }
    assertThat(seen).contains("/client/broker.js", "/client/peer.js", "/client/room.js");
  }

  @Test
  @Tag("H17")
  @Tag("H4")
  @DisplayName("A file that the browser has is not sent again, and HEAD sends none.")
  void theClientIsSentOnce() {
    String path = "/client/broker.js";
    WireResponse file = client().get(path);
    String etag = String.valueOf(file.header("ETag"));
    for (String held :
        List.of(etag, "*", "W/" + etag, "\"x\", " + etag, "\"x\"\r\nIf-None-Match: " + etag)) {
      WireResponse kept = client().get(path, "If-None-Match: " + held);
      assertThat(kept.status()).as(held).isEqualTo(304);
      assertThat(kept.body()).isEmpty();
      assertThat(kept.header("ETag")).isEqualTo(etag);
      assertThat(kept.headerList("Cache-Control")).containsExactly("no-cache");
    }
    for (String other : List.of("\"x\"", "", etag.replace("\"", ""))) {
      assertThat(client().get(path, "If-None-Match: " + other).body())
          .as(other)
          .isEqualTo(file.body());
    }
    WireResponse head = client().request("HEAD", path);
    assertThat(head.status()).isEqualTo(200);
    assertThat(head.body()).isEmpty();
    assertThat(head.header("ETag")).isEqualTo(etag);
    assertThat(head.mediaType()).isEqualTo("text/javascript");
  }

  @Test
  @Tag("H18")
  @DisplayName("Where the client is switched off, its paths are unknown.")
  void theClientMayBeOff() {
    client(ServerSettings.of("serveClient", "false"));
    for (String path : List.of("/client.js", "/client/broker.js")) {
      assertRefused(client().get(path), 404, "unknown_path");
      assertThat(client().request("HEAD", path).status()).isEqualTo(404);
    }
  }

  @Test
  @Tag("H8")
  @DisplayName("A body that does not come in time is refused.")
  void aSlowBodyIsRefused() {
    WireClient client = client(ServerSettings.of("bodyTimeout", "500ms"));
    try (WireConnection connection = client.connect()) {
      String request = client.postRequest("/session", "{\"cid\":\"x\"}");
      connection.write(request.substring(0, request.length() - 3));
      assertRefused(connection.readResponse(), 408, "request_timeout");
    }
    assertRefused(client.postJson("/session", "{\"cid\":\"x\"}"), 404, "unknown_channel");
  }

  @Test
  @Tag("H9")
  @DisplayName("Accept is read as RFC 9110 says.")
  void acceptIsReadAsItShould() {
    for (String accept :
        List.of(
            "Accept:",
            "Accept: */*",
            "Accept: text/*;q=0.1",
            "Accept: image/*, TEXT/Event-Stream; q=1.000",
            "Accept: image/png\r\nAccept: text/event-stream",
            "Accept: */*;q=0, text/event-stream",
            "Accept: text/*;q=0, text/event-stream;q=0.5",
            "Accept: , ,text/event-stream,")) {
      try (WireConnection connection = client().connect()) {
        connection.write(client().head("GET", "/channel", accept));
        assertThat(connection.readHead().status()).as(accept).isEqualTo(200);
      }
    }
    for (String accept :
        List.of(
            "Accept: */*, text/event-stream;q=0",
            "Accept: text/*;q=0, */*",
            "Accept: text/event-stream;Q=0.0",
            "Accept: text/html\r\nAccept: text/event-stream;q=0.000")) {
      assertRefused(client().get("/channel", accept), 406, "not_acceptable");
    }
  }

  @Test
  @Tag("H11")
  @DisplayName("A body may come in chunks, and be waited for with 100-continue.")
  void bodiesMayComeInChunks() {
    WireChannel channel = client().openChannel();
    String body = channel.sendBody("1");
    String json = "Content-Type: application/json";
    try (WireConnection connection = client().connect()) {
      connection.write(
          client().head("POST", "/send/" + channel.cid(), json, "Transfer-Encoding: chunked"));
      for (String piece :
          List.of(body.substring(0, 1), body.substring(1, 30), body.substring(30))) {
        connection.write(Integer.toHexString(piece.length()) + "\r\n" + piece + "\r\n");
      }
      assertSent(connection.write("0\r\n\r\n").readResponse());
      String request = client().postRequest("/send/" + channel.cid(), body);
      String head = request.substring(0, request.length() - body.length() - 2);
      connection.write(head + "Expect: 100-continue\r\n\r\n");
      assertThat(connection.readResponse().status()).isEqualTo(100);
      assertSent(connection.write(body).readResponse());
    }
  }

  @Test
  @Tag("H12")
  @DisplayName("After any refusal the next request works.")
  void theNextRequestWorks() {
    WireChannel channel = client().openChannel();
    String path = "/send/" + channel.cid();
    for (byte[] body : List.of(new byte[70_000], new byte[0], "{".getBytes(UTF_8))) {
      assertThat(client().postJson(path, body).status()).isIn(400, 413);
      assertThat(client().post(path, body, "Content-Type: text/plain").status()).isEqualTo(415);
      assertSent(channel.send(channel.cid(), "1"));
    }
  }
}
