package io.peerbroker.tck;

import static io.peerbroker.tck.WireChannel.data;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules of section N: a request whose answer was lost may be repeated, and happens once. */
public abstract class NumberRules extends ServerRules {

  /** For subclasses. */
  protected NumberRules() {}

  @Test
  @Tag("N1")
  @DisplayName("A number is an integer from 1 to 2^53-1, and needs the key.")
  void numbersArePositiveIntegers() {
    WireChannel channel = client().openChannel();
    for (String wrong :
        List.of("0", "-1", "1.0", "1e3", "1.5", "\"1\"", "null", "true", "9007199254740992")) {
      for (WireResponse refused :
          List.of(
              channel.postSession("\"seq\":" + wrong),
              channel.send(channel.cid(), "1,\"seq\":" + wrong),
              client()
                  .postJson(
                      "/session/nobody/close",
                      "{\"cid\":\"%s\",\"key\":\"%s\",\"seq\":%s}"
                          .formatted(channel.cid(), channel.key(), wrong)),
              client()
                  .postJson(
                      "/session/nobody/update",
                      "{\"cid\":\"%s\",\"key\":\"%s\",\"seq\":%s,\"values\":{}}"
                          .formatted(channel.cid(), channel.key(), wrong)))) {
        assertRefused(refused, 400, "invalid_request", "seq");
      }
    }
    assertRefused(
        client().postJson("/session", "{\"cid\":\"" + channel.cid() + "\",\"seq\":1}"),
        400,
        "invalid_request",
        "seq");
    assertSent(channel.send(channel.cid(), "1,\"seq\":9007199254740991"));
  }

  @Test
  @Tag("N2")
  @Tag("N3")
  @DisplayName("A request that is repeated with its number happens once, and has the same answer.")
  void aRepeatedRequestHappensOnce() {
    WireChannel channel = client().openChannel();
    WireChannel other = client().openChannel();
    WireResponse session = channel.postSession("\"list\":true,\"seq\":1");
    assertThat(session.status()).isEqualTo(201);
    WireResponse repeat = channel.postSession("\"list\":true,\"seq\":1");
    assertThat(repeat.status()).isEqualTo(201);
    assertThat(repeat.json()).isEqualTo(session.json());
    String sid = session.member("sid");
    assertThat(listed("")).containsExactly(sid);

    for (int i = 0; i < 3; i++) {
      assertSent(channel.send(other.cid(), "\"first\",\"seq\":2"));
    }
    assertSent(channel.send(other.cid(), "\"second\",\"seq\":5"));
    assertThat(other.awaitMessage().get("message").getAsString()).isEqualTo("first");
    assertThat(other.awaitMessage().get("message").getAsString()).isEqualTo("second");

    String members = "{\"cid\":\"%s\",\"key\":\"%s\",\"seq\":%d%s}";
    String update = ",\"values\":{\"tags\":[\"a\"]}";
    for (int i = 0; i < 2; i++) {
      assertDone(
          client()
              .postJson(
                  "/session/" + sid + "/update",
                  members.formatted(channel.cid(), channel.key(), 6, update)));
    }
    // The second one would be unknown_session.
    for (int i = 0; i < 2; i++) {
      assertDone(
          client()
              .postJson(
                  "/session/" + sid + "/close",
                  members.formatted(channel.cid(), channel.key(), 7, "")));
    }
    assertThat(listed("")).isEmpty();
  }

  @Test
  @Tag("N3")
  @DisplayName("Several messages under one number are sent once.")
  void severalMessagesAreSentOnce() {
    WireChannel channel = client().openChannel();
    String body =
        "{\"origin\":\"%s\",\"key\":\"%s\",\"seq\":1,\"messages\":[1,2]}"
            .formatted(channel.cid(), channel.key());
    WireResponse first = client().postJson("/send/" + channel.cid(), body);
    WireResponse second = client().postJson("/send/" + channel.cid(), body);
    assertThat(first.status()).isEqualTo(200);
    assertThat(second.json()).isEqualTo(first.json());
    assertSent(channel.send(channel.cid(), "3"));
    for (int expected : List.of(1, 2, 3)) {
      assertThat(channel.awaitMessage().get("message").getAsInt()).isEqualTo(expected);
    }
  }

  @Test
  @Tag("N4")
  @DisplayName("A number lower than an earlier one is refused.")
  void lowerNumbersAreRefused() {
    WireChannel channel = client().openChannel();
    assertSent(channel.send(channel.cid(), "\"a\",\"seq\":8"));
    assertRefused(channel.send(channel.cid(), "\"b\",\"seq\":7"), 400, "invalid_request", "seq");
    assertSent(channel.send(channel.cid(), "\"c\""));
    assertThat(channel.awaitMessage().get("message").getAsString()).isEqualTo("a");
    assertThat(channel.awaitMessage().get("message").getAsString()).isEqualTo("c");
  }

  @Test
  @Tag("N5")
  @DisplayName("A refusal is an answer, unless it comes before the number is looked at.")
  void aRefusalIsAnAnswer() {
    WireChannel channel = client().openChannel();
    WireChannel target = client().openChannel();
    assertRefused(channel.send("nobody", "1,\"seq\":1"), 404, "unknown_target");
    assertRefused(channel.send(target.cid(), "1,\"seq\":1"), 404, "unknown_target");
    String wrongKey =
        "{\"origin\":\"%s\",\"key\":\"wrong\",\"seq\":9,\"message\":1}".formatted(channel.cid());
    assertRefused(client().postJson("/send/" + target.cid(), wrongKey), 403, "wrong_key");
    assertSent(channel.send(target.cid(), "2,\"seq\":2"));
    assertThat(target.awaitMessage().get("message").getAsInt()).isEqualTo(2);
  }

  @Test
  @Tag("N6")
  @DisplayName("A channel that is continued keeps its numbers; those of others are their own.")
  void numbersAreTheChannels() {
    WireChannel channel = client().openChannelAt("/channel?resume=60");
    WireChannel other = client().openChannel();
    assertSent(channel.send(other.cid(), "\"once\",\"seq\":3"));
    SseStream back = channel.comeBack();
    assertSent(channel.send(other.cid(), "\"once\",\"seq\":3"));
    assertSent(other.send(channel.cid(), "\"mine\",\"seq\":1"));
    assertThat(data(back.await("message")).get("message").getAsString()).isEqualTo("mine");
    assertSent(channel.send(other.cid(), "\"end\""));
    assertThat(other.awaitMessage().get("message").getAsString()).isEqualTo("once");
    assertThat(other.awaitMessage().get("message").getAsString()).isEqualTo("end");
  }
}
