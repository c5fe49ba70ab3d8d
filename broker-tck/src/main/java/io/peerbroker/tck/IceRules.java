package io.peerbroker.tck;

import static com.google.gson.JsonParser.parseString;
import static io.peerbroker.tck.WireChannel.data;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The rules of section I: which STUN and TURN servers a client gets. */
public abstract class IceRules extends ServerRules {

  /** For subclasses. */
  protected IceRules() {}

  private WireResponse ask(WireChannel channel) {
    return client()
        .postJson("/channel/" + channel.cid() + "/ice", "{\"key\":\"" + channel.key() + "\"}");
  }

  @Test
  @Tag("I1")
  @Tag("I2")
  @DisplayName("Without ICE servers the first event has none, and a client that asks gets none.")
  void thereMayBeNone() {
    WireChannel channel = client().openChannel();
    JsonObject opened = data(channel.stream().events().get(0));
    assertThat(opened.keySet()).doesNotContain("iceServers", "iceTtl");
    WireResponse answer = ask(channel);
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.json()).isEqualTo(parseString("{\"iceServers\":[]}"));
  }

  @Test
  @Tag("I1")
  @Tag("I2")
  @DisplayName("Servers without credentials stay the same.")
  void serversWithoutCredentials() {
    client(ServerSettings.of("iceServers", "stun:a.example,stun:b.example:3479"));
    String servers = "[{\"urls\":[\"stun:a.example\",\"stun:b.example:3479\"]}]";
    WireChannel channel = client().openChannel();
    JsonObject opened = data(channel.stream().events().get(0));
    assertThat(opened.get("iceServers")).isEqualTo(parseString(servers));
    assertThat(opened.has("iceTtl")).isFalse();
    assertThat(ask(channel).json()).isEqualTo(parseString("{\"iceServers\":" + servers + "}"));
  }

  @Test
  @Tag("I1")
  @Tag("I2")
  @Tag("I4")
  @DisplayName("Credentials that run out say when, and are made afresh.")
  void credentialsThatRunOut(@TempDir Path directory) throws IOException {
    Path secret = Files.writeString(directory.resolve("secret"), "north");
    client(
        ServerSettings.of("iceServers", "turn:a.example")
            .and("turnSecretFile", secret.toString())
            .and("turnTtl", "10m"));
    WireChannel channel = client().openChannel();
    JsonObject opened = data(channel.stream().events().get(0));
    JsonObject asked = ask(channel).json().getAsJsonObject();
    String before = "";
    for (JsonObject given : new JsonObject[] {opened, asked}) {
      assertThat(given.get("iceTtl").getAsInt()).isEqualTo(600);
      JsonArray servers = given.getAsJsonArray("iceServers");
      assertThat(servers).hasSize(1);
      JsonObject turn = servers.get(0).getAsJsonObject();
      assertThat(turn.get("urls")).isEqualTo(parseString("[\"turn:a.example\"]"));
      String username = turn.get("username").getAsString();
      assertThat(username).matches("[0-9]{10,}:.+").isNotEqualTo(before);
      before = username;
      long left =
          Long.parseLong(username.substring(0, username.indexOf(':')))
              - System.currentTimeMillis() / 1_000;
      assertThat(left).isBetween(500L, 601L);
      assertThat(turn.get("credential").getAsString()).matches("[A-Za-z0-9+/]{27}=");
    }
  }

  @Test
  @Tag("I3")
  @Tag("E3")
  @DisplayName("The application decides for each caller; what it refuses has not happened.")
  void theApplicationDecides() {
    client(ServerSettings.DEFAULTS.withPolicy());
    String north = KitPolicy.HEADER + ": north";
    WireChannel channel = client().openChannelAt("/channel", north);
    assertThat(data(channel.stream().events().get(0)).get("iceServers"))
        .isEqualTo(parseString("[{\"urls\":[\"stun:north.example\"]}]"));
    String path = "/channel/" + channel.cid() + "/ice";
    String body = "{\"key\":\"" + channel.key() + "\"}";
    assertThat(client().postJson(path, body, KitPolicy.HEADER + ": south").json())
        .isEqualTo(
            parseString("{\"iceServers\":[{\"urls\":[\"stun:south.example\"]}],\"iceTtl\":300}"));
    for (String word : new String[] {"unrelayed", "unplugged"}) {
      String header = KitPolicy.HEADER + ": " + word;
      int status = word.equals("unrelayed") ? 403 : 500;
      String code = word.equals("unrelayed") ? "denied" : "internal";
      for (WireResponse refused :
          new WireResponse[] {
            client().postJson(path, body, header),
            client().get("/channel", header, "Accept: text/event-stream")
          }) {
        assertRefused(refused, status, code);
        assertThat(refused.toString()).doesNotContain("swordfish");
      }
    }
    assertSent(channel.send(channel.cid(), "1"));
  }

  @Test
  @Tag("I2")
  @DisplayName("Asking needs the key, and counts as hearing from the client.")
  void askingNeedsTheKey() {
    WireChannel channel = client().openChannel();
    String path = "/channel/" + channel.cid() + "/ice";
    assertRefused(client().postJson(path, "{}"), 400, "invalid_request", "key");
    assertRefused(client().postJson(path, "{\"key\":\"wrong\"}"), 403, "wrong_key");
    assertRefused(
        client().postJson("/channel/nobody/ice", "{\"key\":\"k\"}"), 404, "unknown_channel");
    assertThat(client().get(path).status()).isEqualTo(405);
  }
}
