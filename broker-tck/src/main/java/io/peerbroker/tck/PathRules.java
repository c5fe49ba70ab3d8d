package io.peerbroker.tck;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules of section H for paths and methods. */
public abstract class PathRules extends ServerRules {

  private static final String GETS = "GET, HEAD, OPTIONS";
  private static final String POSTS = "POST, OPTIONS";

  /** For subclasses. */
  protected PathRules() {}

  @Test
  @Tag("H1")
  @Tag("H3")
  @Tag("H5")
  @DisplayName("Each path has its methods, and names them.")
  void pathsHaveTheirMethods() {
    for (String path : List.of("/channel", "/list", "/client.js", "/client/peer.js")) {
      assertMethods(path, GETS, List.of("POST", "PUT", "DELETE", "PATCH"));
    }
    for (String path :
        List.of(
            "/channel/x/ping",
            "/channel/x/ice",
            "/channel/x/close",
            "/session",
            "/session/x/update",
            "/session/x/close",
            "/send/x")) {
      assertMethods(path, POSTS, List.of("GET", "HEAD", "PUT", "DELETE", "PATCH"));
    }
  }

  private void assertMethods(String path, String allowed, List<String> others) {
    List<String> methods = List.of(allowed.toLowerCase(Locale.ROOT).split(", "));
    WireResponse options = client().request("OPTIONS", path);
    assertThat(options.status()).as(path).isEqualTo(204);
    assertThat(options.headerList("Allow")).containsExactlyInAnyOrderElementsOf(methods);
    for (String method : others) {
      WireResponse response = client().request(method, path);
      assertThat(response.status()).as(method + " " + path).isEqualTo(405);
      assertThat(response.headerList("Allow")).containsExactlyInAnyOrderElementsOf(methods);
      if (!method.equals("HEAD")) {
        assertRefused(response, 405, "method_not_allowed");
      }
    }
  }

  @Test
  @Tag("H2")
  @DisplayName("Every other path is unknown, for every method.")
  void otherPathsAreUnknown() {
    for (String path :
        List.of(
            "/",
            "/x",
            "/channel/",
            "/Channel",
            "/channels",
            "/channel/x",
            "/channel/x/ping/",
            "/channel/x/close/",
            "/channel/x/y/close",
            "/list/",
            "/list/x",
            "/LIST",
            "/client",
            "/client/",
            "/client.js/",
            "/Client.js",
            "/client.d.ts",
            "/client/x.js",
            "/client/client.js",
            "/client/broker.d.ts",
            "/client/broker.js/",
            "/client/BrokerHttp.class",
            "/broker.js",
            "/session/",
            "/session/x",
            "/session/x/",
            "/session/x/update/",
            "/session/x/Update",
            "/send",
            "/send/",
            "/send/x/",
            "/send/x/y",
            "/favicon.ico")) {
      assertRefused(client().get(path), 404, "unknown_path");
      assertRefused(client().postJson(path, "{}"), 404, "unknown_path");
      assertRefused(client().request("OPTIONS", path), 404, "unknown_path");
    }
  }

  @Test
  @Tag("H4")
  @DisplayName("HEAD is GET without a body, and opens nothing.")
  void headOpensNothing() {
    WireClient client = client(ServerSettings.of("maxChannels", 1).and("maxWatches", 1));
    String stream = "Accept: text/event-stream";
    for (int i = 0; i < 3; i++) {
      WireResponse head = client.request("HEAD", "/channel", stream);
      assertThat(head.status()).isEqualTo(200);
      assertThat(head.mediaType()).isEqualTo("text/event-stream");
      assertThat(client.request("HEAD", "/list", stream).mediaType())
          .isEqualTo("text/event-stream");
    }
    assertThat(client.request("HEAD", "/list").mediaType()).isEqualTo("application/json");
    assertThat(client.request("HEAD", "/channel?resume=x").status()).isEqualTo(400);
    assertThat(client.request("HEAD", "/channel", "Accept: image/png").status()).isEqualTo(406);
    assertThat(client.request("HEAD", "/list?filter=!").status()).isEqualTo(400);
    assertThat(client.request("HEAD", "/x").status()).isEqualTo(404);
    client.openChannel();
    client.watch("");
  }

  @Test
  @Tag("H10")
  @DisplayName("Hostile paths lead nowhere.")
  void hostilePathsLeadNowhere() {
    for (String path :
        List.of(
            "//channel",
            "/channel//",
            "/channel;x",
            "/channel;x=y",
            "/;x/channel",
            "/%2Fchannel",
            "/channel%2F",
            "/list;jsessionid=1",
            "/list%3B",
            "/list%00",
            "/list%0A",
            "/send//x",
            "/session//update",
            "/list%2e",
            "/x/..%2Flist",
            "/client/%2e%2e/client.js",
            "/client/..%2FBrokerHttp.class",
            "/client%2Fbroker.js",
            "/client.js%00",
            "/list%",
            "/list%zz",
            "/list%C3",
            "/list\\",
            "/list%5C")) {
      WireResponse response = client().get(path);
      assertThat(response.status()).as(path).isIn(400, 404);
      response = client().postJson(path, "{}");
      assertThat(response.status()).as(path).isIn(400, 404);
    }
    for (String path : List.of("/send/x%2Fy", "/send/;x", "/send/%2F", "/session/%2F/close")) {
      assertThat(client().postJson(path, "{}").status()).as(path).isIn(400, 404);
    }
  }
}
