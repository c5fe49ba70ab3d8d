package io.peerbroker.tck;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules of section E: which requests are refused, in which order, and in which words. */
public abstract class ErrorRules extends ServerRules {

  private static final String NOBODY = "00000000-0000-4000-8000-000000000000";

  /** For subclasses. */
  protected ErrorRules() {}

  @Test
  @Tag("E1")
  @Tag("E2")
  @DisplayName("A refusal is a problem, with the status that belongs to its code.")
  void refusalsAreProblems() {
    WireChannel channel = client().openChannel();
    String send = "/send/" + channel.cid();
    assertRefused(client().postJson(send, "{"), 400, "malformed_json");
    assertRefused(client().postJson(send, "{}"), 400, "invalid_request");
    assertRefused(client().get("/list?filter=!"), 400, "invalid_filter");
    assertRefused(channel.postSession("\"tags\":[\"\"]"), 400, "invalid_tag");
    assertRefused(client().postJson(send, body(channel.cid(), "x")), 403, "wrong_key");
    assertRefused(client().get("/channel", "Sec-Fetch-Mode: no-cors"), 403, "denied");
    assertRefused(client().get("/"), 404, "unknown_path");
    assertRefused(client().postJson(send, body(NOBODY, "x")), 404, "unknown_channel");
    assertRefused(channel.closeSession(NOBODY), 404, "unknown_session");
    assertRefused(channel.send(NOBODY, "1"), 404, "unknown_target");
    assertRefused(client().get("/session"), 405, "method_not_allowed");
    assertRefused(client().get("/list", "Accept: image/png"), 406, "not_acceptable");
    assertRefused(channel.send(channel.cid(), "\"" + "x".repeat(49_152) + "\""), 413, "too_large");
    assertRefused(client().post(send, new byte[0]), 415, "unsupported_media_type");
  }

  @Test
  @Tag("E3")
  @DisplayName("A refused request has not happened.")
  void whatWasRefusedHasNotHappened() {
    WireChannel host = client().openChannel();
    String sid = host.createSession("\"list\":true,\"metadata\":1");
    assertRefused(host.update(sid, "\"metadata\":2,\"tags\":[\"!\"]"), 400, "invalid_tag");
    assertRefused(host.update(sid, "\"list\":false,\"foo\":1"), 400, "invalid_request");
    assertRefused(host.postSession("\"list\":true,\"tags\":[\"\"]"), 400, "invalid_tag");
    String wrong = "{\"cid\":\"" + host.cid() + "\",\"key\":\"x\",\"list\":true}";
    assertRefused(client().postJson("/session", wrong), 403, "wrong_key");
    String send = "/send/" + host.cid();
    assertRefused(client().postJson(send, body(host.cid(), "x")), 403, "wrong_key");
    assertThat(listed("")).containsExactly(sid);
    assertThat(client().get("/list").body()).contains("\"metadata\":1");
    assertSent(host.send(host.cid(), "2"));
    assertThat(host.awaitMessage().get("message").getAsInt()).isEqualTo(2);
  }

  @Test
  @Tag("E4")
  @DisplayName("Of several faults of a POST the first in the order is reported.")
  void theFirstFaultOfAPostIsTold() {
    client(ServerSettings.of("messageRate", "1/1"));
    WireChannel channel = client().openChannel();
    assertSent(channel.send(channel.cid(), "1"));
    String send = "/send/" + NOBODY;
    byte[] large = "{".repeat(70_000).getBytes(UTF_8);
    String text = "Content-Type: text/plain";
    assertRefused(client().request("PUT", "/nothing", text), 404, "unknown_path");
    assertRefused(client().request("PUT", send, text), 405, "method_not_allowed");
    assertRefused(client().post(send, large, text), 415, "unsupported_media_type");
    assertRefused(client().postJson(send, large), 413, "too_large");
    assertRefused(client().postJson(send, "{\"origin\":1"), 400, "malformed_json");
    assertRefused(client().postJson(send, "{\"origin\":\"x\",\"key\":1}"), 400, "invalid_request");
    String longMessage = body(NOBODY, "x").replace("1}", "\"" + "x".repeat(50_000) + "\"}");
    assertRefused(client().postJson(send, longMessage), 413, "too_large");
    assertRefused(client().postJson(send, body(NOBODY, "x")), 404, "unknown_channel");
    assertRefused(client().postJson(send, body(channel.cid(), "x")), 403, "wrong_key");
    assertRefused(channel.send(NOBODY, "1"), 404, "unknown_target");
    assertRefused(channel.send(channel.cid(), "1"), 429, "rate_limited");
  }

  @Test
  @Tag("E4")
  @DisplayName("Of several faults with a session the first in the order is reported.")
  void theFirstFaultWithASessionIsTold() {
    client(ServerSettings.of("sessionRate", "1/2").and("maxSessionsPerChannel", 1));
    WireChannel host = client().openChannel();
    String sid = host.createSession("");
    String path = "/session/" + NOBODY + "/update";
    String head = "{\"cid\":\"%s\",\"key\":\"x\",\"values\":{\"tags\":[\"%s\"]}}";
    assertRefused(client().postJson(path, head.formatted(NOBODY, "!")), 400, "invalid_tag");
    assertRefused(client().postJson(path, head.formatted(NOBODY, "a")), 404, "unknown_channel");
    String large = "{\"cid\":\"x\",\"metadata\":\"" + "x".repeat(16_384) + "\"}";
    assertRefused(client().postJson("/session", large), 413, "too_large");
    String tag = "{\"cid\":\"x\",\"tags\":[\"!\"]}";
    assertRefused(client().postJson("/session", tag), 400, "invalid_tag");
    assertRefused(client().postJson(path, head.formatted(host.cid(), "a")), 403, "wrong_key");
    assertRefused(host.update(NOBODY, ""), 404, "unknown_session");
    assertRefused(host.postSession(""), 429, "too_many_sessions");
    assertDone(host.update(sid, ""));
    assertRefused(host.postSession(""), 429, "rate_limited");
    assertRefused(host.update(NOBODY, ""), 404, "unknown_session");
  }

  @Test
  @Tag("E4")
  @DisplayName("Of several faults of a GET the first in the order is reported.")
  void theFirstFaultOfAGetIsTold() {
    client(ServerSettings.of("maxChannels", 1));
    client().openChannel();
    String mode = "Sec-Fetch-Mode: navigate";
    String image = "Accept: image/*";
    assertRefused(client().get("/channel/?resume=x", image, mode), 404, "unknown_path");
    assertRefused(client().request("PUT", "/channel?resume=x", image), 405, "method_not_allowed");
    assertRefused(client().get("/channel?resume=x", image, mode), 406, "not_acceptable");
    assertRefused(client().get("/channel?resume=x", mode), 400, "invalid_request");
    assertRefused(client().get("/channel", mode), 403, "denied");
    assertRefused(client().get("/channel"), 503, "at_capacity");
  }

  @Test
  @Tag("E5")
  @Tag("E11")
  @DisplayName("A member of the wrong type is refused and named.")
  void wrongTypesAreNamed() {
    WireChannel channel = client().openChannel();
    String sid = channel.createSession("");
    String good = "{\"cid\":\"%s\",\"key\":\"%s\"".formatted(channel.cid(), channel.key());
    for (String value : List.of("null", "1", "true", "[]", "{}", "[\"a\"]")) {
      String origin = "{\"origin\":%s,\"key\":\"x\",\"message\":1}".formatted(value);
      assertRefused(client().postJson("/send/x", origin), 400, "invalid_request", "origin");
      String key = "{\"origin\":\"x\",\"key\":%s,\"message\":1}".formatted(value);
      assertRefused(client().postJson("/send/x", key), 400, "invalid_request", "key");
      String cid = "{\"cid\":%s}".formatted(value);
      assertRefused(client().postJson("/session", cid), 400, "invalid_request", "cid");
      String close = "/channel/" + channel.cid() + "/close";
      assertRefused(
          client().postJson(close, "{\"key\":" + value + "}"), 400, "invalid_request", "key");
    }
    for (String tags : List.of("null", "1", "\"a\"", "{}", "[1]", "[null]", "[\"a\",[]]")) {
      assertRefused(channel.postSession("\"tags\":" + tags), 400, "invalid_request", "tags");
      assertRefused(channel.update(sid, "\"tags\":" + tags), 400, "invalid_request", "tags");
    }
    for (String list : List.of("null", "1", "0", "\"true\"", "[]", "{}")) {
      assertRefused(channel.postSession("\"list\":" + list), 400, "invalid_request", "list");
      assertRefused(channel.update(sid, "\"list\":" + list), 400, "invalid_request", "list");
    }
    for (String values : List.of("", ",\"values\":1", ",\"values\":[]", ",\"values\":\"\"")) {
      WireResponse response = client().postJson("/session/" + sid + "/update", good + values + "}");
      assertRefused(response, 400, "invalid_request", "values");
    }
  }

  @Test
  @Tag("E6")
  @DisplayName("No refusal repeats a key.")
  void keysAreNotRepeated() {
    WireChannel channel = client().openChannel();
    String key = channel.key();
    String send = "/send/" + channel.cid();
    String wrong = "wrong_but_secret";
    for (String body :
        List.of(
            body(channel.cid(), wrong),
            body(channel.cid(), wrong).replace("1}", "1"),
            body(NOBODY, wrong),
            "{\"origin\":\"x\",\"key\":[\"" + wrong + "\"],\"message\":1}",
            "{\"origin\":\"x\",\"key\":\"" + wrong + "\",\"key\":\"" + key + "\",\"message\":1}",
            "{\"origin\":\"x\",\"key\":\"" + key + "\"}",
            "{\"origin\":\"x\",\"key\":" + key + "}")) {
      WireResponse response = client().postJson(send, body);
      assertThat(response.status()).isBetween(400, 499);
      assertThat(response.body()).doesNotContain(wrong).doesNotContain(key);
    }
    assertThat(client().postJson("/channel/" + key + "/close", "{\"key\":\"" + key + "\"}").body())
        .doesNotContain(key);
  }

  @Test
  @Tag("E7")
  @DisplayName("A body is one JSON text of RFC 8259 in UTF-8.")
  void bodiesAreJson() {
    WireChannel channel = client().openChannel();
    String path = "/send/" + channel.cid();
    String good = channel.sendBody("[1]");
    for (String body :
        List.of(
            "",
            " ",
            "{",
            good + "x",
            good + good,
            good + ",",
            "\uFEFF" + good,
            "{a:1}",
            "{'a':1}",
            good.replace("1", "01"),
            good.replace("1", "+1"),
            good.replace("1", ".5"),
            good.replace("1]", "1.]"),
            good.replace("1]", "1,]"),
            good.replace("1", "NaN"),
            good.replace("[1]", "TRUE"),
            good.replace("[1]", "\"\\x\""),
            good.replace("[1]", "\"\\u12g4\""),
            good.replace("[1]", "\"a\nb\""),
            good.replace("[1]", "\"a\tb\""),
            good.replace("[1]", "\"\u0000\""),
            good.replace("[1]", "1/**/"),
            good + "// x",
            "\u00a0" + good,
            good + "\f")) {
      assertRefused(client().postJson(path, body), 400, "malformed_json");
    }
    for (String invalid :
        List.of(
            "\u00ff",
            "\u00c3",
            "\u00c0\u00af",
            "\u00ed\u00a0\u0080",
            "\u00f5\u0080\u0080\u0080",
            "\u0080")) {
      byte[] body = channel.sendBody("\"" + invalid + "\"").getBytes(ISO_8859_1);
      assertRefused(client().postJson(path, body), 400, "malformed_json");
    }
    assertSent(channel.send(channel.cid(), "[1]"));
    assertThat(channel.awaitMessage().get("message").toString()).isEqualTo("[1]");
  }

  @Test
  @Tag("E8")
  @Tag("E9")
  @Tag("E10")
  @DisplayName("A body is an object of members that come once; unknown ones are ignored.")
  void bodiesAreObjects() {
    WireChannel channel = client().openChannel();
    String sid = channel.createSession("");
    String path = "/send/" + channel.cid();
    for (String body : List.of("[]", "null", "1", "\"x\"", "[{}]")) {
      assertRefused(client().postJson(path, body), 400, "invalid_request");
    }
    for (String twice : List.of("\"key\":1", "\"k\\u0065y\":1", "\"url\":1,\"u\\u0072l\":2")) {
      String body = "{" + twice + "," + channel.sendBody("1").substring(1);
      assertRefused(client().postJson(path, body), 400, "invalid_request");
    }
    String values = "\"tags\":[],\"t\\u0061gs\":[]";
    assertRefused(channel.update(sid, values), 400, "invalid_request", "tags");
    String unknown = "\"url\":\"x\",\"application\":null,\"\":[{}],\"values\":1,";
    assertDone(channel.update(sid, "\"metadata\":{\"a\":1,\"a\":2}"));
    assertSent(client().postJson(path, "{" + unknown + channel.sendBody("1").substring(1)));
    assertThat(channel.postSession(unknown + "\"list\":false").status()).isEqualTo(201);
  }

  @Test
  @Tag("E13")
  @DisplayName("A client that must wait learns for how long.")
  void retryAfterIsTold() {
    client(ServerSettings.of("messageRate", "1/1").and("maxChannels", 1));
    WireChannel channel = client().openChannel();
    assertSent(channel.send(channel.cid(), "1"));
    assertThat(channel.send(channel.cid(), "1").header("Retry-After")).matches("[1-9][0-9]*");
    assertThat(client().get("/channel").header("Retry-After")).matches("[1-9][0-9]*");
    server().shutDownBroker();
    WireResponse response = client().get("/channel");
    assertRefused(response, 503, "shutting_down");
    assertThat(response.header("Retry-After")).matches("[1-9][0-9]*");
  }

  private static String body(String origin, String key) {
    return "{\"origin\":\"%s\",\"key\":\"%s\",\"message\":1}".formatted(origin, key);
  }
}
