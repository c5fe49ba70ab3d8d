package io.peerbroker.tck;

import static io.peerbroker.tck.ResumeRules.QUICK;
import static io.peerbroker.tck.ResumeRules.RESUMABLE;
import static io.peerbroker.tck.ResumeRules.assertNew;
import static io.peerbroker.tck.ResumeRules.large;
import static io.peerbroker.tck.ResumeRules.number;
import static io.peerbroker.tck.ResumeRules.sendNumbers;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.tck.EventStreamParser.Event;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules of section R for what is kept for a client that comes back, and until when. */
public abstract class ReplayRules extends ServerRules {

  /** For subclasses. */
  protected ReplayRules() {}

  @Test
  @Tag("R9")
  @DisplayName(
      "A client that has missed more than is kept gets a new channel, and the old one closes.")
  void thereIsNeverAGap() {
    WireChannel sender = client(QUICK.and("maxReplayEvents", 3)).openChannel();
    WireChannel channel = client().openChannelAt(RESUMABLE);
    sendNumbers(sender, channel.cid(), 0, 10);
    channel.stream().await(event -> number(event) == 9);
    List<Event> seen = channel.stream().events();
    SseStream back = channel.comeBack(seen.get(7).lastEventId());
    for (int i = 7; i < 10; i++) {
      assertThat(number(back.next())).isEqualTo(i);
    }
    String sid = channel.listSession("");
    assertNew(channel.comeBack(seen.get(6).lastEventId()), channel);
    assertRefused(sender.send(channel.cid(), "1"), 404, "unknown_target");
    assertRefused(sender.send(sid, "1"), 404, "unknown_target");
    assertThat(listed("")).isEmpty();
    back.awaitEnd();
  }

  @Test
  @Tag("R10")
  @DisplayName("A presented id confirms events, and confirmed events are not kept.")
  void aPresentedIdConfirms() {
    WireChannel sender = client(QUICK).openChannel();
    WireChannel channel = client().openChannelAt(RESUMABLE);
    sendNumbers(sender, channel.cid(), 0, 4);
    channel.stream().await(event -> number(event) == 3);
    List<Event> seen = channel.stream().events();
    assertThat(number(channel.comeBack(seen.get(2).lastEventId()).next())).isEqualTo(2);
    assertThat(number(channel.comeBack(seen.get(2).lastEventId()).next())).isEqualTo(2);
    assertNew(channel.comeBack(seen.get(1).lastEventId()), channel);
  }

  @Test
  @Tag("R10")
  @DisplayName("A seen in any body with the key confirms too; another channel's id there does not.")
  void seenConfirms() {
    WireChannel sender = client(QUICK).openChannel();
    WireChannel other = client().openChannelAt(RESUMABLE);
    sendNumbers(sender, other.cid(), 0, 4);
    other.stream().await(event -> number(event) == 3);
    for (int body = 0; body < 5; body++) {
      WireChannel channel = client().openChannelAt(RESUMABLE);
      sendNumbers(sender, channel.cid(), 0, 4);
      channel.stream().await(event -> number(event) == 3);
      List<Event> seen = channel.stream().events();
      String sid = channel.createSession("");
      for (String some :
          List.of(other.stream().lastEventId(), "x", "", seen.get(1).lastEventId())) {
        say(channel, body, sid, some);
      }
      assertThat(number(channel.comeBack(seen.get(1).lastEventId()).next())).isEqualTo(1);
      say(channel, body, channel.createSession(""), seen.get(3).lastEventId());
      assertNew(channel.comeBack(seen.get(2).lastEventId()), channel);
    }
  }

  @Test
  @Tag("R10")
  @Tag("E11")
  @DisplayName("A seen is a string, and confirms nothing without the right key.")
  void seenNeedsTheKey() {
    WireChannel channel = client(QUICK).openChannelAt(RESUMABLE);
    channel.send(channel.cid(), "0");
    channel.stream().await("message");
    String path = "/channel/" + channel.cid() + "/ping";
    String start = "{\"key\":\"" + channel.key() + "\",\"seen\":";
    for (String seen : List.of("1", "null", "{}", "[\"x\"]")) {
      assertRefused(client().postJson(path, start + seen + "}"), 400, "invalid_request", "seen");
    }
    String last = channel.stream().lastEventId();
    String stolen = "{\"key\":\"x\",\"seen\":\"" + last + "\"}";
    assertRefused(client().postJson(path, stolen), 403, "wrong_key");
    String first = channel.stream().events().get(0).lastEventId();
    assertThat(number(channel.comeBack(first).next())).isEqualTo(0);
  }

  @Test
  @Tag("X15")
  @DisplayName("512 events are kept beyond the queue, and no more.")
  void replayIsBoundedInEvents() {
    WireChannel sender = client(QUICK).openChannel();
    for (int more : List.of(0, 1)) {
      WireChannel channel = client().openChannelAt(RESUMABLE);
      String first = channel.stream().lastEventId();
      sendNumbers(sender, channel.cid(), 0, 512 + more);
      channel.stream().await(event -> number(event) == 511 + more);
      SseStream back = channel.comeBack(first);
      if (more > 0) {
        assertNew(back, channel);
      } else {
        for (int i = 0; i < 512; i++) {
          assertThat(number(back.next())).isEqualTo(i);
        }
      }
    }
  }

  @Test
  @Tag("X15")
  @DisplayName("256 KiB are kept beyond the queue, and no more.")
  void replayIsBoundedInBytes() {
    WireChannel sender = client(QUICK).openChannel();
    for (int count : List.of(6, 7)) {
      WireChannel channel = client().openChannelAt(RESUMABLE);
      String first = channel.stream().lastEventId();
      for (int i = 0; i < count; i++) {
        assertSent(sender.send(channel.cid(), large(i)));
        assertThat(number(channel.stream().next())).isEqualTo(i);
      }
      SseStream back = channel.comeBack(first);
      if (count == 7) {
        assertNew(back, channel);
      } else {
        for (int i = 0; i < count; i++) {
          assertThat(number(back.next())).isEqualTo(i);
        }
      }
    }
  }

  @Test
  @Tag("X15")
  @DisplayName("All channels together keep a bounded amount, and new messages have their own room.")
  void allTogetherKeepSoMuch() {
    WireChannel sender = client(QUICK.and("maxTotalQueuedBytes", 1_600_000)).openChannel();
    for (int count : List.of(4, 5)) {
      // An eighth, 200 kB, has room for four of 40 kB.
      WireChannel channel = client().openChannelAt(RESUMABLE);
      String first = channel.stream().lastEventId();
      for (int i = 0; i < count; i++) {
        assertSent(sender.send(channel.cid(), large(i)));
        assertThat(number(channel.stream().next())).isEqualTo(i);
      }
      SseStream back = channel.comeBack(first);
      if (count == 5) {
        assertNew(back, channel);
      } else {
        for (int i = 0; i < count; i++) {
          assertThat(number(back.next())).isEqualTo(i);
        }
        assertDone(channel.close());
      }
    }
  }

  /** Sends {@code seen} in one of the five bodies that carry the key. */
  private void say(WireChannel channel, int body, String sid, String seen) {
    String member = "\"seen\":\"" + seen + "\"";
    String owner = "{\"cid\":\"" + channel.cid() + "\",\"key\":\"" + channel.key() + "\"," + member;
    WireResponse response =
        switch (body) {
          case 0 -> channel.pingSeen(seen);
          case 1 -> channel.postSession(member);
          case 2 -> client().postJson("/session/" + sid + "/update", owner + ",\"values\":{}}");
          case 3 ->
              client().postJson("/session/" + channel.createSession("") + "/close", owner + "}");
          default ->
              client()
                  .postJson(
                      "/send/" + client().openChannel().cid(),
                      owner.replace("\"cid\"", "\"origin\"") + ",\"message\":1}");
        };
    assertThat(response.status()).as("%s", response).isIn(200, 201);
  }
}
