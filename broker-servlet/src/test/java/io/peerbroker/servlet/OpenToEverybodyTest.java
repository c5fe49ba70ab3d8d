package io.peerbroker.servlet;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireResponse;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * A servlet with the one init-param {@code preset}, as its clients see it: at each bound, and
 * beyond.
 */
final class OpenToEverybodyTest {

  private JettyServer server;
  private WireClient client;
  private WireChannel channel;

  @BeforeEach
  void start() throws Exception {
    server = JettyServer.start(ServerSettings.of("preset", "openToEverybody"));
    client = new WireClient(server.base());
    channel = client.openChannel();
  }

  @AfterEach
  void stop() {
    client.close();
    server.close();
  }

  private static String text(int bytes) {
    return "\"" + "x".repeat(bytes - 2) + "\"";
  }

  private static void assertRefused(WireResponse response, int status, String code) {
    assertThat(response.status()).isEqualTo(status);
    assertThat(response.member("code")).isEqualTo(code);
  }

  @Test
  void aBodyHas40KibibytesAndAMessage32() {
    String path = "/send/" + channel.cid();
    String body = channel.sendBody("1");
    String longest = body + " ".repeat(40_960 - body.length());
    assertThat(client.postJson(path, longest).status()).isEqualTo(200);
    assertRefused(client.postJson(path, longest + " "), 413, "too_large");
    assertThat(channel.send(channel.cid(), text(32_768)).status()).isEqualTo(200);
    assertRefused(channel.send(channel.cid(), text(32_769)), 413, "too_large");
  }

  @Test
  void aBodyNestsSixteenLevels() {
    String deepest = "[".repeat(15) + "]".repeat(15);
    assertThat(channel.send(channel.cid(), deepest).status()).isEqualTo(200);
    assertRefused(channel.send(channel.cid(), "[" + deepest + "]"), 400, "malformed_json");
  }

  @Test
  void aSessionIsSmallAndAChannelHasFour() {
    String tags = IntStream.range(0, 8).mapToObj(i -> "\"" + i + "\"").collect(joining(","));
    assertRefused(channel.postSession("\"tags\":[" + tags + ",\"8\"]"), 400, "invalid_request");
    assertRefused(channel.postSession("\"metadata\":" + text(1_025)), 413, "too_large");
    String most = "\"tags\":[" + tags + "],\"metadata\":" + text(1_024);
    for (int i = 0; i < 4; i++) {
      assertThat(channel.postSession(most).status()).isEqualTo(201);
    }
    assertRefused(channel.postSession(""), 429, "too_many_sessions");
  }

  @Test
  void aSessionTakesTheKey() {
    WireResponse without = client.postJson("/session", "{\"cid\":\"" + channel.cid() + "\"}");
    assertRefused(without, 400, "invalid_request");
    assertThat(without.member("detail")).contains("'key'");
  }

  @Test
  @DisplayName("A channel may send 100 messages at once and change 10 sessions.")
  void aChannelSends100AndChanges10AtOnce() {
    int sent = 0;
    while (sent < 1_000 && channel.send(channel.cid(), "1").status() == 200) {
      sent++;
    }
    // The rate adds 20 a second while it sends.
    assertThat(sent).isBetween(100, 500);
    String sid = channel.createSession("");
    int changed = 1;
    while (changed < 1_000
        && channel.update(sid, "\"tags\":[\"" + changed + "\"]").status() == 200) {
      changed++;
    }
    assertThat(changed).isBetween(10, 50);
  }

  @Test
  void aClientMayComeBackForHalfAMinute() {
    assertThat(client.openStream("/channel?resume=60").await("channel").data())
        .contains("\"resume\":30");
  }
}
