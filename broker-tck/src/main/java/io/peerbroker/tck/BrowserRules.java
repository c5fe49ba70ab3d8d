package io.peerbroker.tck;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules of section B: other origins, and pages that are no clients. */
public abstract class BrowserRules extends ServerRules {

  private static final String OURS = "https://app.example";
  private static final String STRANGE = "https://evil.example";
  private static final String ALLOW_ORIGIN = "Access-Control-Allow-Origin";
  private static final String ALLOW_CREDENTIALS = "Access-Control-Allow-Credentials";

  /** For subclasses. */
  protected BrowserRules() {}

  @Test
  @Tag("B1")
  @DisplayName("Without configured origins no answer has CORS headers.")
  void corsIsOff() {
    client();
    for (WireResponse response : everyKindOfAnswer("Origin: " + OURS)) {
      assertNoCors(response);
    }
  }

  @Test
  @Tag("B2")
  @Tag("B5")
  @Tag("B6")
  @Tag("B7")
  @DisplayName("A listed origin is served with credentials, refusals and streams too.")
  void listedOriginsAreServed() {
    client(ServerSettings.of("allowedOrigins", OURS + ",http://localhost:8081"));
    for (String origin : List.of(OURS, "http://localhost:8081")) {
      for (WireResponse response : everyKindOfAnswer("Origin: " + origin)) {
        assertThat(response.header(ALLOW_ORIGIN)).as("%s", response).isEqualTo(origin);
        assertThat(response.header(ALLOW_CREDENTIALS)).isEqualTo("true");
        assertThat(response.headerList("Vary")).contains("origin");
        assertThat(response.headerList("Access-Control-Expose-Headers"))
            .contains("link", "retry-after");
      }
    }
  }

  @Test
  @Tag("B3")
  @Tag("B5")
  @DisplayName("With * every origin is served, but never with credentials.")
  void everyOriginIsServed() {
    client(ServerSettings.of("allowedOrigins", "*"));
    for (String origin : List.of(OURS, STRANGE, "null")) {
      for (WireResponse response : everyKindOfAnswer("Origin: " + origin)) {
        assertThat(response.header(ALLOW_ORIGIN)).as("%s", response).isEqualTo("*");
        assertThat(response.header(ALLOW_CREDENTIALS)).isNull();
        assertThat(response.headerList("Access-Control-Expose-Headers"))
            .contains("link", "retry-after");
      }
    }
  }

  @Test
  @Tag("B4")
  @DisplayName("A preflight is answered with what a client needs.")
  void preflightsAreAnswered() {
    client(ServerSettings.of("allowedOrigins", OURS));
    for (String path : List.of("/session", "/send/x", "/channel/x/close", "/session/x/update")) {
      assertPreflight(path, "POST");
    }
    assertPreflight("/channel", "GET");
    assertPreflight("/list", "GET");
    assertPreflight("/client.js", "GET");
  }

  @Test
  @Tag("B11")
  @DisplayName("Configured headers are permitted in addition.")
  void configuredHeadersArePermitted() {
    client(ServerSettings.of("allowedOrigins", OURS).and("allowedHeaders", "Authorization, X-Y"));
    assertThat(preflight("/session", "POST", OURS).headerList("Access-Control-Allow-Headers"))
        .containsExactlyInAnyOrder(
            "cache-control",
            "content-type",
            "last-event-id",
            "x-requested-with",
            "authorization",
            "x-y");
  }

  private void assertPreflight(String path, String method) {
    WireResponse response = preflight(path, method, OURS);
    assertThat(response.status()).isEqualTo(204);
    assertThat(response.header(ALLOW_ORIGIN)).isEqualTo(OURS);
    assertThat(response.headerList("Access-Control-Allow-Methods"))
        .contains(method.toLowerCase(Locale.ROOT));
    assertThat(response.headerList("Access-Control-Allow-Headers"))
        .contains("cache-control", "content-type", "last-event-id", "x-requested-with");
    assertThat(response.header("Access-Control-Max-Age")).matches("[1-9][0-9]*");
    assertThat(response.headerList("Vary")).contains("origin");
  }

  @Test
  @Tag("B6")
  @Tag("B8")
  @DisplayName("An unlisted origin is served as if CORS were off, except for Vary.")
  void unlistedOriginsAreServedWithoutCors() {
    client(ServerSettings.of("allowedOrigins", OURS));
    for (String header :
        List.of(
            "X: y",
            "Origin: " + STRANGE,
            "Origin: null",
            "Origin: " + OURS + ".evil.example",
            "Origin: " + OURS + ":8443",
            "Origin: http://app.example",
            "Origin: *")) {
      for (WireResponse response : everyKindOfAnswer(header)) {
        assertNoCors(response);
        assertThat(response.headerList("Vary")).as("%s", response).contains("origin");
      }
    }
    WireResponse response = preflight("/session", "POST", STRANGE);
    assertThat(response.status()).isEqualTo(204);
    assertNoCors(response);
  }

  @Test
  @Tag("B9")
  @DisplayName("An image or a typed address opens no stream.")
  void onlyClientsOpenStreams() {
    String stream = "Accept: text/event-stream";
    for (String mode : List.of("no-cors", "navigate")) {
      String header = "Sec-Fetch-Mode: " + mode;
      assertRefused(client().get("/channel", header), 403, "denied");
      assertRefused(client().get("/channel", header, stream), 403, "denied");
      assertRefused(client().get("/list", header, stream), 403, "denied");
      assertThat(client().get("/list", header).status()).isEqualTo(200);
    }
    for (String mode : List.of("cors", "same-origin", "websocket")) {
      client().openChannel("Sec-Fetch-Mode: " + mode);
      client().watch("", "Sec-Fetch-Mode: " + mode);
    }
  }

  @Test
  @Tag("B10")
  @DisplayName("Cookies are neither set nor read.")
  void cookiesAreNotUsed() {
    client();
    for (WireResponse response : everyKindOfAnswer("Cookie: key=x; JSESSIONID=1")) {
      assertThat(response.header("Set-Cookie")).isNull();
    }
  }

  /** Returns answers to all methods and of all kinds, to requests with one more header. */
  private List<WireResponse> everyKindOfAnswer(String header) {
    WireChannel channel = client().openChannel(header);
    SseStream list = client().watch("", header);
    String sid = "{\"cid\":\"%s\",\"key\":\"%s\"}".formatted(channel.cid(), channel.key());
    return List.of(
        channel.stream().head(),
        list.head(),
        client().get("/list", header),
        client().get("/list?limit=0", header),
        client().get("/client.js", header),
        client().get("/client.js", header, "If-None-Match: *"),
        client().get("/x", header),
        client().get("/session", header),
        client().get("/channel", header, "Accept: image/png"),
        client().request("HEAD", "/channel", header),
        client().request("OPTIONS", "/session", header),
        client().postJson("/session", sid, header),
        client().postJson("/session", "{", header),
        client().post("/session", new byte[0], header),
        client().postJson("/send/x", channel.sendBody("1"), header));
  }

  private WireResponse preflight(String path, String method, String origin) {
    return client()
        .request(
            "OPTIONS",
            path,
            "Origin: " + origin,
            "Access-Control-Request-Method: " + method,
            "Access-Control-Request-Headers: content-type");
  }

  private static void assertNoCors(WireResponse response) {
    assertThat(response.headers())
        .as("%s", response)
        .noneMatch(h -> h.name().toLowerCase(Locale.ROOT).startsWith("access-control-"));
  }
}
