package io.peerbroker.tck;

import static com.google.gson.JsonParser.parseString;
import static io.peerbroker.tck.WireChannel.data;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import io.peerbroker.tck.EventStreamParser.Event;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules of section R for how a client comes back, and what happens to messages meanwhile. */
public abstract class ResumeRules extends ServerRules {

  static final String RESUMABLE = "/channel?resume=60";
  static final ServerSettings QUICK =
      ServerSettings.of("heartbeat", "200ms").and("messageRate", "0");

  /**
   * Bytes that the system buffers for a stalled reader are kept here too, however many there are.
   */
  private static final ServerSettings LARGE =
      QUICK.and("maxReplayBytes", 200_000_000).and("maxReplayEvents", 10_000);

  private static final String NO_ID = "Last-Event-ID:";

  /** For subclasses. */
  protected ResumeRules() {}

  @Test
  @Tag("R1")
  @DisplayName("A grace is granted up to the maximum of 60 s, and reported.")
  void aGraceIsGranted() {
    assertThat(granted("resume=1")).isEqualTo(1);
    assertThat(granted("resume=007")).isEqualTo(7);
    assertThat(granted("resume=60")).isEqualTo(60);
    assertThat(granted("resume=61")).isEqualTo(60);
    assertThat(granted("resume=99999999999999999999")).isEqualTo(60);
  }

  @Test
  @Tag("R1")
  @DisplayName("The maximum can be set.")
  void theMaximumCanBeSet() {
    client(ServerSettings.of("maxResume", "90s"));
    assertThat(granted("resume=80")).isEqualTo(80);
    assertThat(granted("resume=100")).isEqualTo(90);
  }

  @Test
  @Tag("R1")
  @Tag("C20")
  @DisplayName("A maximum of 0 turns the feature off.")
  void resumeCanBeTurnedOff() {
    WireChannel channel = client(QUICK.and("maxResume", "0s")).openChannelAt(RESUMABLE);
    Event opened = channel.stream().events().get(0);
    assertThat(data(opened).keySet()).containsExactlyInAnyOrder("cid", "key", "heartbeat");
    assertThat(opened.lastEventId()).isEmpty();
    channel.stream().reset();
    WireChannel sender = client().openChannel();
    await()
        .atMost(WireConnection.BOUND)
        .until(() -> sender.send(channel.cid(), "1").status() == 404);
  }

  @Test
  @Tag("R2")
  @DisplayName("With a grant every event but close has an id of its own, which is not the key.")
  void everyEventHasAnId() {
    WireChannel channel = client().openChannelAt(RESUMABLE);
    Set<String> ids = new HashSet<>();
    assertThat(ids.add(channel.stream().lastEventId())).isTrue();
    for (int i = 0; i < 5; i++) {
      assertSent(channel.send(channel.cid(), "" + i));
      Event event = channel.stream().next();
      assertThat(event.lastEventId()).isNotEmpty().doesNotContain(channel.key());
      assertThat(ids.add(event.lastEventId())).as("an id of its own").isTrue();
    }
    assertThat(ids.add(client().openChannelAt(RESUMABLE).stream().lastEventId())).isTrue();
    String before = channel.stream().lastEventId();
    channel.close();
    assertThat(channel.stream().await("close").lastEventId()).isEqualTo(before);
    assertThat(channel.stream().ignored()).isEmpty();
  }

  @Test
  @Tag("R3")
  @Tag("M15")
  @DisplayName("When the stream breaks, the channel and its sessions live on, and messages wait.")
  void theChannelLivesOn() {
    WireChannel sender = client(QUICK).openChannel();
    WireChannel channel = client().openChannelAt(RESUMABLE);
    String sid = channel.listSession("");
    channel.stream().reset();
    awaitQueued(sender, channel);
    WireResponse queued = sender.send(sid, "1");
    assertThat(queued.status()).isEqualTo(200);
    assertThat(queued.jsonObject().keySet()).containsExactlyInAnyOrder("delivery", "id");
    assertThat(queued.member("delivery")).isEqualTo("queued");
    assertThat(queued.member("id")).isNotEmpty().isNotEqualTo(sender.send(sid, "2").member("id"));
    assertThat(listed("")).containsExactly(sid);
    assertDone(channel.update(sid, "\"tags\":[\"a\"]"));
    assertThat(listed("?filter=a")).containsExactly(sid);
    SseStream back = channel.comeBack();
    awaitMessage(back, "\"" + sid + "\"", 1);
    awaitMessage(back, "\"" + sid + "\"", 2);
    assertSent(sender.send(sid, "3"));
  }

  @Test
  @Tag("R4")
  @Tag("C8")
  @DisplayName("A client that comes back gets the events after the id, once and in order.")
  void eventsAfterTheIdAreGiven() {
    WireChannel sender = client(QUICK).openChannel();
    WireChannel channel = client().openChannelAt(RESUMABLE);
    sendNumbers(sender, channel.cid(), 0, 10);
    for (int i = 0; i < 10; i++) {
      assertThat(number(channel.stream().next())).isEqualTo(i);
    }
    List<Event> seen = channel.stream().events();
    channel.stream().reset();
    awaitQueued(sender, channel);
    sendNumbers(sender, channel.cid(), 10, 15);
    SseStream back = channel.stream();
    // Each time after a later event: events that an id has confirmed are not given again.
    for (int last : List.of(0, 3, 10)) {
      back = channel.comeBack(seen.get(last).lastEventId());
      for (int i = last; i < 10; i++) {
        Event event = back.next();
        assertThat(number(event)).isEqualTo(i);
        assertThat(event.lastEventId()).isEqualTo(seen.get(i + 1).lastEventId());
      }
      assertThat(number(back.await(event -> number(event) >= 10))).isEqualTo(10);
    }
    for (int i = 11; i < 15; i++) {
      assertThat(number(back.next())).isEqualTo(i);
    }
    assertSent(sender.send(channel.cid(), "15"));
    assertThat(number(back.next())).isEqualTo(15);
  }

  @Test
  @Tag("R4")
  @DisplayName("A client that breaks off again and again still gets each event once.")
  void aClientThatBreaksOffAgainGetsTheRest() {
    WireChannel sender = client(QUICK).openChannel();
    WireChannel channel = client().openChannelAt(RESUMABLE);
    SseStream stream = channel.stream();
    for (int i = 0; i < 30; i++) {
      sendNumbers(sender, channel.cid(), 2 * i, 2 * i + 2);
      String last = stream.lastEventId();
      stream.reset();
      stream = channel.comeBack(last);
      assertThat(number(stream.next())).isEqualTo(2 * i);
      assertThat(number(stream.next())).isEqualTo(2 * i + 1);
    }
  }

  @Test
  @Tag("R4")
  @Tag("C4")
  @DisplayName("A client that comes back and has missed nothing is answered at once.")
  void aClientThatMissedNothingIsAnsweredAtOnce() {
    WireChannel channel = client(ServerSettings.of("heartbeat", "60m")).openChannelAt(RESUMABLE);
    channel.stream().reset();
    SseStream back = channel.comeBack();
    assertThat(back.head().status()).isEqualTo(200);
    assertGoesOn(back, channel);
  }

  @Test
  @Tag("R5")
  @DisplayName("The id stands in the header or in lastEventId; the header wins, if not empty.")
  void theIdStandsInHeaderOrParameter() {
    WireChannel channel = client().openChannelAt(RESUMABLE);
    WireChannel other = client().openChannelAt(RESUMABLE);
    String mine = channel.stream().lastEventId();
    String others = other.stream().lastEventId();
    String header = "Last-Event-ID: " + mine;
    assertGoesOn(client().openStream("/channel?lastEventId=" + mine), channel);
    assertGoesOn(client().openStream("/channel?lastEventId=" + mine, NO_ID), channel);
    assertGoesOn(client().openStream("/channel?lastEventId=" + others, header), channel);
    assertGoesOn(client().openStream("/channel?lastEventId=x", header), channel);
    assertGoesOn(client().openStream("/channel?lastEventId=", header), channel);
    assertNew(client().openStream("/channel?lastEventId=" + mine, "Last-Event-ID: x"), channel);
    assertGoesOn(other.stream(), other);
  }

  @Test
  @Tag("R6")
  @Tag("C19")
  @DisplayName("A client that comes back gets no new grant, but its parameters are checked.")
  void theGrantStands() {
    WireChannel sender = client(QUICK).openChannel();
    WireChannel channel = client().openChannelAt(RESUMABLE);
    String header = "Last-Event-ID: " + channel.stream().lastEventId();
    for (String wrong : List.of("resume=x", "resume=", "lease=-1", "resume=1&resume=1")) {
      assertRefused(client().get("/channel?" + wrong, header), 400, "invalid_request");
    }
    assertGoesOn(channel.stream(), channel);
    String last = channel.stream().lastEventId();
    for (String query : List.of("?resume=0&lease=0", "?resume=1&lease=15", "")) {
      SseStream back = client().openStream("/channel" + query, "Last-Event-ID: " + last);
      assertGoesOn(back, channel);
      last = back.lastEventId();
      back.reset();
      awaitQueued(sender, channel);
      back = channel.comeBack(last);
      // A send may have met the broken stream before it was known to be broken.
      back.await(event -> number(event) == -1);
      assertSent(sender.send(channel.cid(), "8"));
      back.await(event -> number(event) == 8);
      last = back.lastEventId();
    }
  }

  @Test
  @Tag("R7")
  @DisplayName(
      "A client that comes back supersedes its old stream, which is notified and gets "
          + "nothing more.")
  void theNewStreamSupersedes() {
    WireChannel sender = client().openChannel();
    WireChannel channel = client().openChannelAt(RESUMABLE);
    SseStream back = channel.comeBack();
    assertSent(sender.send(channel.cid(), "1"));
    assertThat(number(back.next())).isEqualTo(1);
    Event last = channel.stream().next();
    assertThat(last.name()).isEqualTo("close");
    assertThat(data(last)).isEqualTo(parseString("{\"reason\":\"superseded\"}"));
    assertThat(channel.stream().awaitEnd()).isEqualTo(SseStream.End.COMPLETE);
    assertThat(channel.stream().events()).hasSize(2);
    assertSent(sender.send(channel.cid(), "2"));
    assertThat(number(back.next())).isEqualTo(2);
  }

  @Test
  @Tag("R7")
  @Tag("C13")
  @DisplayName(
      "A stalled stream is superseded too, and the events that it did not take come again.")
  void aStalledStreamIsSuperseded() {
    WireChannel sender = client(LARGE).openChannel();
    WireChannel stalled = new WireChannel(client(), openStalledStream(RESUMABLE));
    int taken = sendLargeUntilBusy(sender, stalled.cid());
    SseStream back = stalled.comeBack();
    for (int i = 0; i < taken; i++) {
      assertThat(number(back.next())).isEqualTo(i);
    }
    assertSent(sender.send(stalled.cid(), "[-1]"));
    assertThat(back.next().data()).contains("\"message\":[-1]");
  }

  @Test
  @Tag("C13")
  @Tag("R3")
  @DisplayName("A stream that stalls for too long is given up, and its grace begins.")
  void aStalledStreamHasAGrace() {
    WireChannel sender = client(LARGE.and("writeTimeout", "500ms")).openChannel();
    WireChannel stalled = new WireChannel(client(), openStalledStream(RESUMABLE));
    String sid = stalled.listSession("");
    int taken = sendLargeUntilBusy(sender, stalled.cid());
    // Nothing shows from outside that it has been given up: its queue stays as full as before.
    await().pollDelay(Duration.ofSeconds(2)).until(() -> true);
    stalled.stream().awaitEnd();
    assertThat(listed("")).containsExactly(sid);
    int seen = stalled.stream().events().size() - 1;
    assertThat(seen).isLessThan(taken);
    SseStream back = stalled.comeBack();
    for (int i = seen; i < taken; i++) {
      assertThat(number(back.next())).isEqualTo(i);
    }
  }

  @Test
  @Tag("R8")
  @Tag("C14")
  @DisplayName("When the grace has run out, the channel is closed, and the client gets a new one.")
  void theGraceRunsOut() {
    WireChannel sender = client(QUICK).openChannel();
    WireChannel channel = client().openChannelAt("/channel?resume=2");
    String sid = channel.listSession("");
    SseStream list = client().watch("");
    list.await("ready");
    channel.stream().reset();
    awaitQueued(sender, channel);
    long begin = System.nanoTime();
    assertThat(data(list.await("remove")).get("sid").getAsString()).isEqualTo(sid);
    // The break was noticed before it was seen here, by at most a heartbeat and a request.
    assertThat(Duration.ofNanos(System.nanoTime() - begin))
        .isBetween(Duration.ofMillis(1_000), Duration.ofMillis(3_500));
    assertRefused(sender.send(channel.cid(), "1"), 404, "unknown_target");
    assertRefused(channel.ping(), 404, "unknown_channel");
    assertThat(listed("")).isEmpty();
    assertNew(channel.comeBack(), channel);
  }

  @Test
  @Tag("R11")
  @Tag("M15")
  @DisplayName("A close ends the channel at once, grace or not, and senders are notified.")
  void aCloseEndsTheGrace() {
    WireChannel sender = client(QUICK).openChannelAt(RESUMABLE);
    WireChannel channel = client().openChannelAt(RESUMABLE);
    String sid = channel.listSession("");
    String last = channel.stream().lastEventId();
    channel.stream().reset();
    String id = awaitQueued(sender, channel);
    assertDone(channel.close());
    assertThat(listed("")).isEmpty();
    assertRefused(sender.send(sid, "1"), 404, "unknown_target");
    JsonObject told = data(sender.stream().await("undelivered"));
    assertThat(told.get("id").getAsString()).isEqualTo(id);
    assertThat(told.get("target").getAsString()).isEqualTo(channel.cid());
    assertThat(told.get("reason").getAsString()).isEqualTo("closed");
    assertThat(told.keySet()).hasSize(3);
    assertNew(channel.comeBack(last), channel);
  }

  @Test
  @Tag("M15")
  @Tag("R8")
  @DisplayName("The sender of messages that no reader took learns of each of them, once.")
  void undeliveredIsTold() {
    WireChannel sender = client(QUICK).openChannel();
    String origin = sender.createSession("");
    WireChannel gone = client().openChannel();
    WireChannel channel = client().openChannelAt("/channel?resume=2");
    String sid = channel.createSession("");
    sendNumbers(sender, channel.cid(), 0, 3);
    channel.stream().await(event -> number(event) == 2);
    channel.stream().reset();
    String first = awaitQueued(sender, channel);
    String body = "{\"origin\":\"%s\",\"key\":\"%s\",\"message\":1}";
    WireResponse second = client().postJson("/send/" + sid, body.formatted(origin, sender.key()));
    gone.send(sid, "1");
    gone.close();
    JsonObject told = data(sender.stream().await("undelivered"));
    assertThat(told)
        .isEqualTo(
            parseString(
                "{\"id\":\"%s\",\"target\":\"%s\",\"reason\":\"expired\"}"
                    .formatted(first, channel.cid())));
    told = data(sender.stream().next());
    assertThat(told.get("id").getAsString()).isEqualTo(second.member("id"));
    assertThat(told.get("target").getAsString()).isEqualTo(sid);
    sender.send(sender.cid(), "1");
    assertThat(sender.stream().next().name()).isEqualTo("message");
  }

  @Test
  @Tag("M15")
  @DisplayName("A message that was queued and then given is not reported as undelivered.")
  void whatWasGivenIsNotToldAsUndelivered() {
    WireChannel sender = client(QUICK).openChannel();
    WireChannel channel = client().openChannelAt(RESUMABLE);
    channel.stream().reset();
    awaitQueued(sender, channel);
    SseStream back = channel.comeBack();
    back.await("message");
    assertDone(channel.close());
    back.awaitEnd();
    sender.stream().awaitComments(sender.stream().comments().size() + 3);
    assertThat(sender.stream().events()).hasSize(1);
  }

  @Test
  @Tag("R16")
  @Tag("S6")
  @DisplayName("Sessions of a channel that asked for resume or lease need its key.")
  void sessionsNeedTheKey() {
    client();
    for (String query : List.of("resume=1", "lease=1", "resume=60&lease=60")) {
      WireChannel channel = client().openChannelAt("/channel?" + query);
      String without = "{\"cid\":\"" + channel.cid() + "\"}";
      assertRefused(client().postJson("/session", without), 400, "invalid_request", "key");
      channel.createSession("");
    }
    WireChannel channel = client().openChannelAt("/channel?resume=0&lease=0");
    String without = "{\"cid\":\"" + channel.cid() + "\"}";
    assertThat(client().postJson("/session", without).status()).isEqualTo(201);
  }

  @Test
  @Tag("R16")
  @DisplayName("They need the key also if the broker grants neither.")
  void sessionsNeedTheKeyWhereNothingIsGranted() {
    client(ServerSettings.of("maxResume", "0s").and("leaseBounds", "0s"));
    WireChannel channel = client().openChannelAt("/channel?resume=1&lease=1");
    String without = "{\"cid\":\"" + channel.cid() + "\"}";
    assertRefused(client().postJson("/session", without), 400, "invalid_request", "key");
  }

  @Test
  @Tag("C21")
  @DisplayName(
      "An id that is forged, or of a closed channel or another broker, opens a new channel.")
  void otherIdsChangeNothing() {
    WireChannel channel = client().openChannelAt(RESUMABLE);
    WireChannel other = client().openChannelAt(RESUMABLE);
    WireChannel closed = client().openChannelAt(RESUMABLE);
    String ofClosed = closed.stream().lastEventId();
    closed.close();
    String id = channel.stream().lastEventId();
    String tail = id.substring(channel.cid().length());
    for (String forged :
        List.of(
            ofClosed,
            id + "0",
            id.substring(0, id.length() - 1) + "2",
            id.substring(0, id.length() - 1) + "999999999999999999",
            id.substring(0, id.length() - 1) + "-1",
            id.substring(0, id.length() - 1),
            id + ".1",
            " x" + id,
            other.cid() + tail,
            channel.cid() + other.stream().lastEventId().substring(other.cid().length()),
            closed.cid() + tail,
            channel.cid() + "." + channel.key() + ".1",
            "00000000-0000-4000-8000-000000000000" + tail,
            channel.cid(),
            channel.key(),
            "..",
            "x".repeat(4_000))) {
      assertNew(client().openStream("/channel", "Last-Event-ID: " + forged), channel);
    }
    assertGoesOn(channel.stream(), channel);
    assertGoesOn(other.stream(), other);
    assertThat(channel.stream().events()).hasSize(2);
  }

  private long granted(String query) {
    WireChannel channel = client().openChannelAt("/channel?" + query);
    Event opened = channel.stream().events().get(0);
    assertThat(data(opened).keySet())
        .containsExactlyInAnyOrder("cid", "key", "resume", "heartbeat");
    return data(opened).get("resume").getAsLong();
  }

  /** Sends until the broker has noticed that the target's stream is broken; returns the id. */
  private static String awaitQueued(WireChannel sender, WireChannel target) {
    WireResponse[] response = new WireResponse[1];
    await()
        .atMost(WireConnection.BOUND)
        .until(
            () -> {
              response[0] = sender.send(target.cid(), "-1");
              return !response[0].member("delivery").equals("sent");
            });
    assertThat(response[0].member("delivery")).isEqualTo("queued");
    return response[0].member("id");
  }

  static void sendNumbers(WireChannel sender, String target, int from, int to) {
    IntStream.range(from, to)
        .forEach(i -> assertThat(sender.send(target, "" + i).status()).isEqualTo(200));
  }

  /** A message of about 40 kB that has a number. */
  static String large(int number) {
    return "[" + number + ",\"" + "x".repeat(40_000) + "\"]";
  }

  private static int sendLargeUntilBusy(WireChannel sender, String target) {
    for (int i = 0; i < 2_000; i++) {
      WireResponse response = sender.send(target, large(i));
      if (response.status() != 200) {
        assertRefused(response, 429, "target_busy");
        return i;
      }
    }
    throw new AssertionError("80 MB were taken for a reader that doesn't read");
  }

  /** The number that a message is, or begins with; -1 for every other event. */
  static int number(Event event) {
    if (!event.name().equals("message")) {
      return -1;
    }
    var message = data(event).get("message");
    return (message.isJsonArray() ? message.getAsJsonArray().get(0) : message).getAsInt();
  }

  private static void awaitMessage(SseStream stream, String target, int number) {
    Event event = stream.await(each -> each.data().contains("\"target\":" + target));
    assertThat(number(event)).isEqualTo(number);
  }

  /** Fails unless the channel's events come down this stream, and no channel event before. */
  private static void assertGoesOn(SseStream stream, WireChannel channel) {
    assertSent(channel.send(channel.cid(), "7"));
    assertThat(number(stream.next())).isEqualTo(7);
  }

  /** Fails unless this stream is a new channel's. */
  static void assertNew(SseStream stream, WireChannel before) {
    Event opened = stream.next();
    assertThat(opened.name()).isEqualTo("channel");
    assertThat(data(opened).get("cid").getAsString()).isNotEqualTo(before.cid());
    assertThat(data(opened).get("key").getAsString()).isNotEqualTo(before.key());
  }
}
