package io.peerbroker.tck;

import static com.google.gson.JsonParser.parseString;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules of section S: sessions and their changes. */
public abstract class SessionRules extends ServerRules {

  private static final String NOBODY = "00000000-0000-4000-8000-000000000000";

  /** For subclasses. */
  protected SessionRules() {}

  @Test
  @Tag("S1")
  @DisplayName("A channel's session is created and named by a GUID.")
  void aSessionIsCreated() {
    WireChannel host = client().openChannel();
    WireResponse response =
        host.postSession("\"tags\":[\"a\"],\"list\":true,\"metadata\":{\"name\":\"Ada\"}");
    assertThat(response.status()).isEqualTo(201);
    assertThat(response.mediaType()).isEqualTo("application/json");
    assertThat(response.jsonObject().keySet()).containsExactly("sid");
    assertThat(response.member("sid"))
        .matches("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
        .isNotEqualTo(host.createSession(""));
  }

  @Test
  @Tag("S2")
  @DisplayName("Tags default to none, list to false, metadata to null.")
  void membersHaveDefaults() {
    WireChannel host = client().openChannel();
    String sid = host.createSession("");
    assertThat(listed("")).isEmpty();
    assertDone(host.update(sid, "\"list\":true"));
    assertThat(shown(sid)).isEqualTo(parseString("{\"tags\":[],\"metadata\":null}"));
  }

  @Test
  @Tag("S3")
  @DisplayName("A session needs a host, which must be a channel.")
  void theHostMustExist() {
    String sid = client().openChannel().createSession("");
    for (String cid : List.of(NOBODY, sid, "", "x")) {
      WireResponse response = client().postJson("/session", "{\"cid\":\"" + cid + "\"}");
      assertRefused(response, 404, "unknown_channel");
    }
  }

  @Test
  @Tag("S4")
  @Tag("S5")
  @DisplayName("The key may be absent, but not wrong.")
  void theKeyMayBeAbsent() {
    WireChannel host = client().openChannel();
    assertThat(postSession(host, null).status()).isEqualTo(201);
    assertRefused(postSession(host, "wrong"), 403, "wrong_key");
    assertRefused(postSession(host, client().openChannel().key()), 403, "wrong_key");
    assertThat(postSession(host, null).status()).isEqualTo(201);
  }

  @Test
  @Tag("S6")
  @DisplayName("A channel that has shown its key once needs it from then on.")
  void aKeyOnceShownIsNeeded() {
    WireChannel host = client().openChannel();
    assertThat(postSession(host, host.key()).status()).isEqualTo(201);
    assertRefused(postSession(host, null), 400, "invalid_request", "key");
    assertThat(postSession(host, host.key()).status()).isEqualTo(201);
  }

  @Test
  @Tag("S6")
  @DisplayName("With requireSessionKey every channel needs its key.")
  void theKeyCanBeRequired() {
    WireChannel host = client(ServerSettings.of("requireSessionKey", true)).openChannel();
    assertRefused(postSession(host, null), 400, "invalid_request", "key");
    assertThat(postSession(host, host.key()).status()).isEqualTo(201);
  }

  @Test
  @Tag("S7")
  @DisplayName("Only listed sessions are found; the others can still be sent to.")
  void onlyListedSessionsAreFound() {
    WireChannel host = client().openChannel();
    String unlisted = host.createSession("\"list\":false");
    String listed = host.createSession("\"list\":true");
    assertThat(listed("")).containsExactly(listed);
    assertSent(host.send(unlisted, "1"));
  }

  @Test
  @Tag("S8")
  @Tag("S9")
  @DisplayName("An update changes the members of values and leaves the rest.")
  void anUpdateChangesWhatItNames() {
    WireChannel host = client().openChannel();
    String sid = host.createSession("\"list\":true,\"tags\":[\"a\"],\"metadata\":1");
    assertDone(host.update(sid, "\"tags\":[\"b\"]"));
    assertThat(shown(sid)).isEqualTo(parseString("{\"tags\":[\"b\"],\"metadata\":1}"));
    assertDone(host.update(sid, "\"metadata\":null"));
    assertThat(shown(sid)).isEqualTo(parseString("{\"tags\":[\"b\"],\"metadata\":null}"));
    assertDone(host.update(sid, ""));
    assertThat(shown(sid)).isEqualTo(parseString("{\"tags\":[\"b\"],\"metadata\":null}"));
    assertDone(host.update(sid, "\"list\":false"));
    assertThat(listed("")).isEmpty();
    assertDone(host.update(sid, "\"list\":true,\"tags\":[],\"metadata\":[2]"));
    assertThat(shown(sid)).isEqualTo(parseString("{\"tags\":[],\"metadata\":[2]}"));
  }

  @Test
  @Tag("S10")
  @DisplayName("Nothing else can be updated, not even the host.")
  void nothingElseCanBeUpdated() {
    WireChannel host = client().openChannel();
    String sid = host.createSession("\"list\":true");
    for (String name : List.of("host", "cid", "sid", "key", "Tags", "")) {
      String values = "\"tags\":[\"a\"],\"" + name + "\":\"" + host.cid() + "\"";
      assertRefused(host.update(sid, values), 400, "invalid_request", name);
    }
    assertThat(tags(sid)).isEmpty();
  }

  @Test
  @Tag("S11")
  @Tag("S13")
  @DisplayName("A session is updated and closed with its host's cid and key only.")
  void aSessionIsItsHosts() {
    WireChannel host = client().openChannel();
    WireChannel stranger = client().openChannel();
    String sid = host.listSession("");
    assertRefused(stranger.update(sid, "\"tags\":[\"a\"]"), 403, "wrong_key");
    assertRefused(stranger.closeSession(sid), 403, "wrong_key");
    for (String action : List.of("/update", "/close")) {
      String path = "/session/" + sid + action;
      String tail = ",\"values\":{}}";
      String cid = "{\"cid\":\"" + host.cid() + "\"";
      String key = "\"key\":\"" + host.key() + "\"";
      String strange = ",\"key\":\"" + stranger.key() + "\"";
      assertRefused(client().postJson(path, cid + tail), 400, "invalid_request", "key");
      assertRefused(client().postJson(path, "{" + key + tail), 400, "invalid_request", "cid");
      assertRefused(client().postJson(path, cid + strange + tail), 403, "wrong_key");
      for (String other : List.of(NOBODY, sid)) {
        String unknown = "{\"cid\":\"" + other + "\"," + key + tail;
        assertRefused(client().postJson(path, unknown), 404, "unknown_channel");
      }
      assertDone(client().postJson(path, cid + "," + key + tail));
    }
  }

  @Test
  @Tag("S12")
  @Tag("S13")
  @DisplayName("A closed session is gone, and only that one.")
  void aSessionIsClosedAlone() {
    WireChannel host = client().openChannel();
    String closed = host.listSession("");
    String other = host.listSession("");
    assertDone(host.closeSession(closed));
    assertThat(listed("")).containsExactly(other);
    assertRefused(host.send(closed, "1"), 404, "unknown_target");
    assertSent(host.send(other, "1"));
    for (String sid : List.of(closed, NOBODY, host.cid())) {
      assertRefused(host.closeSession(sid), 404, "unknown_session");
      assertRefused(host.update(sid, ""), 404, "unknown_session");
    }
  }

  @Test
  @Tag("S14")
  @DisplayName("Only metadata may be null.")
  void onlyMetadataMayBeNull() {
    WireChannel host = client().openChannel();
    String sid = host.createSession("\"metadata\":null");
    for (String name : List.of("tags", "list")) {
      assertRefused(host.postSession("\"" + name + "\":null"), 400, "invalid_request", name);
      assertRefused(host.update(sid, "\"" + name + "\":null"), 400, "invalid_request", name);
    }
    String cid = "{\"cid\":\"" + host.cid() + "\"";
    assertRefused(
        client().postJson("/session", cid + ",\"key\":null}"), 400, "invalid_request", "key");
    assertRefused(client().postJson("/session", "{\"cid\":null}"), 400, "invalid_request", "cid");
    String values = cid + ",\"key\":\"" + host.key() + "\",\"values\":null}";
    assertRefused(
        client().postJson("/session/" + sid + "/update", values), 400, "invalid_request", "values");
  }

  @Test
  @Tag("S15")
  @DisplayName("Metadata is shown unchanged.")
  void metadataIsShownAsItCame() {
    WireChannel host = client().openChannel();
    for (String metadata : MessageRules.FAITHFUL) {
      String sid = host.createSession("\"list\":true,\"metadata\":" + metadata);
      assertThat(client().get("/list").body()).contains("\"metadata\":" + metadata);
      SseStream list = client().watch("");
      assertThat(list.await("add").data()).contains("\"metadata\":" + metadata);
      list.close();
      assertDone(host.closeSession(sid));
    }
  }

  @Test
  @Tag("S16")
  @Tag("S18")
  @Tag("S19")
  @DisplayName("Tags are trimmed, keep their order, lose duplicates, and compare exactly.")
  void tagsAreTrimmedAndFolded() {
    WireChannel host = client().openChannel();
    String sid =
        host.listSession(
            "\" b\\u0085\",\"A\",\"\\t\\r\\na\\u00a0\\u2028\\u3000\",\"b\",\"\\u00e9\",\"e\\u0301\",\"a b\"");
    JsonArray tags = tags(sid);
    assertThat(tags).isEqualTo(parseString("[\"b\",\"A\",\"a\",\"\\u00e9\",\"e\\u0301\",\"a b\"]"));
  }

  @Test
  @Tag("S17")
  @DisplayName("A tag that is empty, too long, or has forbidden characters is refused and named.")
  void badTagsAreRefused() {
    WireChannel host = client().openChannel();
    String sid = host.createSession("");
    String longest = "\uD83D\uDE00".repeat(64);
    assertThat(host.postSession("\"tags\":[\" " + longest + " \"]").status()).isEqualTo(201);
    for (String tag :
        List.of(
            "",
            " ",
            "\\u00a0",
            "a,b",
            ",",
            "!",
            "!a",
            " !a",
            "a\\u0000b",
            "a\\u007fb",
            "a\\nb",
            "\\ud800",
            "a\\udc00b",
            longest + "x")) {
      String tags = "\"tags\":[\"fine\",\"" + tag + "\"]";
      assertRefused(host.postSession(tags), 400, "invalid_tag");
      assertRefused(host.update(sid, tags), 400, "invalid_tag");
    }
    assertRefused(
        host.postSession("\"tags\":[\"fine\",\"no,good\"]"), 400, "invalid_tag", "no,good");
  }

  private WireResponse postSession(WireChannel host, @Nullable String key) {
    String body = "{\"cid\":\"" + host.cid() + "\"";
    return client().postJson("/session", body + (key == null ? "}" : ",\"key\":\"" + key + "\"}"));
  }

  private JsonArray tags(String sid) {
    return requireNonNull(shown(sid)).getAsJsonObject().getAsJsonArray("tags");
  }

  private @Nullable JsonElement shown(String sid) {
    return wholeList("").get(sid);
  }
}
