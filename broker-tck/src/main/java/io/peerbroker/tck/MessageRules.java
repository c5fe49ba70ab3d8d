package io.peerbroker.tck;

import static io.peerbroker.tck.WireChannel.data;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules of section M: senders, targets, and what arrives. */
public abstract class MessageRules extends ServerRules {

  /**
   * JSON that most libraries change when they read it and write it again; no white space between
   * its tokens.
   */
  static final List<String> FAITHFUL =
      List.of(
          "null",
          "true",
          "\"\"",
          "\"  two  spaces  \"",
          "1.0",
          "-0",
          "1e400",
          "1E+2",
          "12345678901234567890",
          "0.1000000000000000055511151231257827",
          "{\"a\":1,\"a\":2,\"\":{},\"A\":[]}",
          "{\"z\":1,\"a\":2}",
          "\"\\/\\b\\f\\n\\r\\t\\u00e9\\u2028\\u0000\\ud800\\uDC00x\\udfff\"",
          "\"\u00e9\u2028\u2029\u0085\u007f\uFEFF\uFFFE\uD83D\uDE00\"",
          "\"data: x\\n\\nevent: channel\"",
          "[".repeat(62) + "]".repeat(62));

  private static final String NOBODY = "00000000-0000-4000-8000-000000000000";

  /** For subclasses. */
  protected MessageRules() {}

  @Test
  @Tag("M1")
  @Tag("M2")
  @DisplayName("A message is accepted, and arrives with its origin and its target.")
  void aMessageArrives() {
    WireChannel sender = client().openChannel();
    WireChannel receiver = client().openChannel();
    WireResponse response = sender.send(receiver.cid(), "{\"offer\":\"v=0\"}");
    assertSent(response);
    assertThat(response.mediaType()).isEqualTo("application/json");
    JsonObject message = receiver.awaitMessage();
    assertThat(message.keySet()).containsExactlyInAnyOrder("origin", "target", "message");
    assertThat(message.get("origin").getAsString()).isEqualTo(sender.cid());
    assertThat(message.get("target").getAsString()).isEqualTo(receiver.cid());
    assertThat(message.getAsJsonObject("message").get("offer").getAsString()).isEqualTo("v=0");
  }

  @Test
  @Tag("M3")
  @Tag("M4")
  @Tag("M5")
  @DisplayName("Origin and target are a cid or a sid, and arrive as they were written.")
  void originAndTargetAreCidOrSid() {
    WireChannel sender = client().openChannel();
    WireChannel receiver = client().openChannel();
    String from = sender.createSession("");
    String to = receiver.createSession("\"list\":false");
    for (String origin : List.of(sender.cid(), from)) {
      for (String target : List.of(receiver.cid(), to)) {
        String first = "%" + Integer.toHexString(target.charAt(0)) + target.substring(1);
        for (String written : List.of(target, first)) {
          assertSent(client().postJson("/send/" + written, body(origin, sender.key(), "1")));
          JsonObject message = receiver.awaitMessage();
          assertThat(message.get("origin").getAsString()).isEqualTo(origin);
          assertThat(message.get("target").getAsString()).isEqualTo(target);
        }
      }
    }
  }

  @Test
  @Tag("M6")
  @DisplayName("The target of a message is the origin of its reply.")
  void aReplyComesFromTheTarget() {
    WireChannel initiator = client().openChannel();
    WireChannel responder = client().openChannel();
    String sid = responder.createSession("");
    initiator.send(sid, "\"offer\"");
    JsonObject offer = responder.awaitMessage();
    String reply = body(offer.get("target").getAsString(), responder.key(), "\"answer\"");
    assertSent(client().postJson("/send/" + offer.get("origin").getAsString(), reply));
    JsonObject answer = initiator.awaitMessage();
    assertThat(answer.get("origin").getAsString()).isEqualTo(sid);
    assertThat(answer.get("message").getAsString()).isEqualTo("answer");
  }

  @Test
  @Tag("M7")
  @DisplayName("A channel sends to itself and to its own sessions.")
  void aChannelSendsToItself() {
    WireChannel channel = client().openChannel();
    assertSent(channel.send(channel.cid(), "1"));
    assertSent(channel.send(channel.createSession(""), "2"));
    assertThat(channel.awaitMessage().get("message").getAsInt()).isEqualTo(1);
    assertThat(channel.awaitMessage().get("message").getAsInt()).isEqualTo(2);
  }

  @Test
  @Tag("M8")
  @DisplayName("A message is any JSON, but must be present.")
  void aMessageMustBeThere() {
    WireChannel channel = client().openChannel();
    String without = "{\"origin\":\"" + channel.cid() + "\",\"key\":\"" + channel.key() + "\"}";
    assertRefused(
        client().postJson("/send/" + channel.cid(), without), 400, "invalid_request", "message");
    for (String message : List.of("null", "false", "0", "\"\"", "[]", "{}")) {
      assertSent(channel.send(channel.cid(), message));
      assertThat(channel.awaitMessage().get("message").toString()).isEqualTo(message);
    }
  }

  @Test
  @Tag("M9")
  @DisplayName("A message is relayed byte for byte.")
  void aMessageIsRelayedAsItCame() {
    WireChannel channel = client().openChannel();
    for (String message : FAITHFUL) {
      assertSent(channel.send(channel.cid(), message));
      assertThat(channel.stream().await("message").data()).contains("\"message\":" + message);
    }
  }

  @Test
  @Tag("M10")
  @DisplayName("Only white space between tokens may change.")
  void onlyWhiteSpaceMayChange() {
    WireChannel channel = client().openChannel();
    String message = "{\r\n\"a\" :\t[ 1 ,\r\n\r\n2\r] ,\n\n\n\"b\"\r:\"x y\\r\\n\"\n}";
    assertSent(channel.send(channel.cid(), "\n\r " + message + " \n\n"));
    String data = channel.stream().await("message").data();
    assertThat(data.replaceAll("[ \t\r\n]", ""))
        .contains("\"message\":" + message.replaceAll("[ \t\r\n]", ""));
    assertThat(data).contains("\"x y\\r\\n\"");
    assertThat(data(channel.stream().events().get(1)).keySet()).hasSize(3);
    assertThat(channel.stream().ignored()).isEmpty();
  }

  @Test
  @Tag("M11")
  @Tag("M12")
  @DisplayName("A sender must exist, and show its key.")
  void aSenderShowsItsKey() {
    WireChannel sender = client().openChannel();
    String sid = sender.createSession("");
    String path = "/send/" + client().openChannel().cid();
    for (String origin : List.of(sender.cid(), sid)) {
      assertRefused(client().postJson(path, body(origin, "wrong", "1")), 403, "wrong_key");
      String without = "{\"origin\":\"" + origin + "\",\"message\":1}";
      assertRefused(client().postJson(path, without), 400, "invalid_request", "key");
    }
    sender.closeSession(sid);
    for (String origin : List.of(sid, NOBODY, "")) {
      WireResponse response = client().postJson(path, body(origin, sender.key(), "1"));
      assertRefused(response, 404, "unknown_channel");
    }
    String without = "{\"key\":\"" + sender.key() + "\",\"message\":1}";
    assertRefused(client().postJson(path, without), 400, "invalid_request", "origin");
  }

  @Test
  @Tag("M13")
  @DisplayName("A target must exist.")
  void aTargetIsThere() {
    WireChannel sender = client().openChannel();
    WireChannel gone = client().openChannel();
    String sid = sender.createSession("");
    sender.closeSession(sid);
    gone.close();
    for (String target : List.of(NOBODY, sid, gone.cid(), "x", "%C3%A9")) {
      assertRefused(sender.send(target, "1"), 404, "unknown_target");
    }
  }

  @Test
  @Tag("M14")
  @DisplayName("Names and keys in another letter case are others.")
  void lettersCount() {
    WireChannel channel = client().openChannel();
    String upper = channel.cid().toUpperCase(Locale.ROOT);
    assertThat(upper).as("128 random bits without a letter").isNotEqualTo(channel.cid());
    assertRefused(channel.send(upper, "1"), 404, "unknown_target");
    String path = "/send/" + channel.cid();
    String otherOrigin = body(upper, channel.key(), "1");
    assertRefused(client().postJson(path, otherOrigin), 404, "unknown_channel");
    String key = channel.key();
    String swapped =
        key.equals(key.toUpperCase(Locale.ROOT))
            ? key.toLowerCase(Locale.ROOT)
            : key.toUpperCase(Locale.ROOT);
    assertRefused(client().postJson(path, body(channel.cid(), swapped, "1")), 403, "wrong_key");
  }

  private static String all(WireChannel sender, String messages) {
    return "{\"origin\":\""
        + sender.cid()
        + "\",\"key\":\""
        + sender.key()
        + "\",\"messages\":"
        + messages
        + "}";
  }

  @Test
  @Tag("M16")
  @DisplayName("Several messages stand in one array, and nothing else does.")
  void severalMessagesAreAnArray() {
    WireChannel channel = client().openChannel();
    String path = "/send/" + channel.cid();
    String many = "[" + "1,".repeat(63) + "1]";
    assertThat(client().postJson(path, all(channel, many)).status()).isEqualTo(200);
    for (String wrong : List.of("[]", "null", "{}", "1", "\"1\"", many.replace("]", ",1]"))) {
      assertRefused(
          client().postJson(path, all(channel, wrong)), 400, "invalid_request", "messages");
    }
    String both = all(channel, "[1],\"message\":1");
    assertRefused(client().postJson(path, both), 400, "invalid_request", "message");
    for (int i = 0; i < 64; i++) {
      assertThat(channel.awaitMessage().get("message").getAsInt()).isEqualTo(1);
    }
    assertSent(channel.send(channel.cid(), "\"last\""));
    assertThat(channel.awaitMessage().get("message").getAsString()).isEqualTo("last");
  }

  @Test
  @Tag("M17")
  @Tag("M18")
  @DisplayName("Several messages arrive in order, as they came, and each is answered.")
  void severalMessagesArriveInOrder() {
    WireChannel sender = client().openChannel();
    WireChannel receiver = client().openChannel();
    String path = "/send/" + receiver.cid();
    String messages = "[" + String.join(",\n", FAITHFUL.subList(0, FAITHFUL.size() - 1)) + "]";
    WireResponse response = client().postJson(path, all(sender, messages));
    assertThat(response.status()).isEqualTo(200);
    assertThat(response.jsonObject().getAsJsonArray("deliveries"))
        .hasSize(FAITHFUL.size() - 1)
        .allSatisfy(delivery -> assertThat(delivery).hasToString("{\"delivery\":\"sent\"}"));
    for (String message : FAITHFUL.subList(0, FAITHFUL.size() - 1)) {
      assertThat(receiver.stream().await("message").data())
          .contains("\"message\":" + message)
          .contains("\"origin\":\"" + sender.cid() + "\"");
    }
  }

  @Test
  @Tag("M17")
  @Tag("M19")
  @DisplayName("After the first of several messages that is refused, none is sent.")
  void whatIsTakenOfSeveralIsTheBeginning() {
    client(ServerSettings.of("messageRate", "1/3"));
    WireChannel sender = client().openChannel();
    WireChannel receiver = client().openChannel();
    String path = "/send/" + receiver.cid();
    WireResponse response = client().postJson(path, all(sender, "[1,2,3,4,5]"));
    assertThat(response.status()).isEqualTo(200);
    List<JsonObject> entries =
        response.jsonObject().getAsJsonArray("deliveries").asList().stream()
            .map(entry -> entry.getAsJsonObject())
            .toList();
    assertThat(entries).hasSize(5);
    for (int i = 0; i < 5; i++) {
      assertThat(entries.get(i).get("delivery").getAsString())
          .isEqualTo(i < 3 ? "sent" : "refused");
    }
    for (JsonObject refused : entries.subList(3, 5)) {
      assertThat(refused.get("code").getAsString()).isEqualTo("rate_limited");
      assertThat(refused.get("detail").getAsString()).isNotBlank();
    }
    for (int i = 1; i <= 3; i++) {
      assertThat(receiver.awaitMessage().get("message").getAsInt()).isEqualTo(i);
    }
    WireResponse none = client().postJson("/send/x", all(client().openChannel(), "[1,2]"));
    assertRefused(none, 404, "unknown_target");
    WireChannel other = client().openChannel();
    String large = "[1,\"" + "x".repeat(50_000) + "\"]";
    assertRefused(client().postJson(path, all(other, large)), 413, "too_large");
    assertSent(other.send(receiver.cid(), "\"last\""));
    assertThat(receiver.awaitMessage().get("message").getAsString()).isEqualTo("last");
  }

  private static String body(String origin, String key, String message) {
    return "{\"origin\":\"%s\",\"key\":\"%s\",\"message\":%s}".formatted(origin, key, message);
  }
}
