package io.peerbroker.servlet;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.CloseReason;
import io.peerbroker.core.Event;
import io.peerbroker.core.IceConfiguration;
import io.peerbroker.core.IceServer;
import io.peerbroker.core.Json;
import io.peerbroker.core.ListedSession;
import io.peerbroker.core.Message;
import io.peerbroker.json.JsonEvents;
import io.peerbroker.json.JsonWriter;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The content of a stream, letter by letter. */
final class SseEncoderTest {

  @Test
  void aChannelBeginsWithItsNameAndItsKey() {
    assertThat(
            written(
                new Event.Opened(
                    "c-1", "k_1", Duration.ZERO, Duration.ZERO, IceConfiguration.none())))
        .isEqualTo("event: channel\ndata: {\"cid\":\"c-1\",\"key\":\"k_1\"}\n\n");
  }

  @Test
  void aChannelBeginsWithWhatItWasGranted() {
    Event opened =
        new Event.Opened(
            "c-1", "k_1", Duration.ofSeconds(60), Duration.ofSeconds(90), IceConfiguration.none());
    assertThat(text(SseEncoder.event(opened, "c-1.s.1", Duration.ZERO)))
        .isEqualTo(
            """
            id: c-1.s.1
            event: channel
            data: {"cid":"c-1","key":"k_1","resume":60,"lease":90}

            """);
  }

  @Test
  void aMessageThatWasNotDelivered() {
    assertThat(written(new Event.Undelivered("1z", "s-1", CloseReason.EXPIRED)))
        .isEqualTo(
            "event: undelivered\ndata: {\"id\":\"1z\",\"target\":\"s-1\",\"reason\":\"expired\"}\n\n");
  }

  @Test
  void anEventOfANamedListIsTheListStreamsWithTheName() {
    byte[] removed = SseEncoder.event(new Event.Removed("s-1"), null, Duration.ZERO);
    assertThat(text(SseEncoder.ofWatch("x", removed)))
        .isEqualTo("event: remove\ndata: {\"watch\":\"x\",\"sid\":\"s-1\"}\n\n");
    assertThat(text(removed)).isEqualTo("event: remove\ndata: {\"sid\":\"s-1\"}\n\n");
    byte[] ready = SseEncoder.event(new Event.Ready(3), null, Duration.ZERO);
    assertThat(text(SseEncoder.ofWatch("ü\n\"{", ready)))
        .isEqualTo("event: ready\ndata: {\"watch\":\"ü\\n\\\"{\",\"count\":3}\n\n");
  }

  @Test
  void theEndOfANamedList() {
    assertThat(written(new Event.Unwatched("x", CloseReason.SCOPE_CHANGED)))
        .isEqualTo("event: unwatch\ndata: {\"watch\":\"x\",\"reason\":\"scope_changed\"}\n\n");
  }

  @Test
  void aMessage() {
    assertThat(written(message("c-1", "s-1", "{\"offer\":\"v=0\"}")))
        .isEqualTo(
            "event: message\ndata: {\"origin\":\"c-1\",\"target\":\"s-1\",\"message\":{\"offer\":\"v=0\"}}\n\n");
  }

  @Test
  void aMessageStaysOnItsLine() {
    assertThat(written(message("c", "s", "\r\n{\"a\"\n:\r[1,\r\n\"\\r\\n\"]}\n")))
        .isEqualTo(
            "event: message\ndata: {\"origin\":\"c\",\"target\":\"s\",\"message\":{\"a\" : [1,  \"\\r\\n\"]}}\n\n");
  }

  @Test
  void namesCannotLeaveTheirLineEither() {
    String hostile = "x\"\\\r\nevent: channel\ndata: {}\n\n\u0000\u2028\u0085\uD800";
    String text = written(message(hostile, hostile, "1"));
    assertThat(text.lines()).hasSize(3);
    assertThat(text).doesNotContain("\r", "\u0000", "\u2028", "\uFFFD", "?");
    String data = text.lines().toList().get(1).substring("data: ".length());
    Json origin = Json.parse(data).members().get("origin");
    assertThat(origin).isNotNull();
    assertThat(origin.asString()).isEqualTo(hostile);
  }

  @Test
  void aSessionInAList() {
    ListedSession session =
        new ListedSession("s-1", List.of("chat", "é\"x"), Json.parse("{\n\"name\":1.0}"));
    assertThat(written(new Event.Added(session)))
        .isEqualTo(
            "event: add\ndata: {\"sid\":\"s-1\",\"session\":"
                + "{\"tags\":[\"chat\",\"é\\\"x\"],\"metadata\":{ \"name\":1.0}}}\n\n");
    JsonWriter entry = new JsonWriter(1);
    JsonEvents.write(session, entry);
    assertThat(new String(entry.toBytes(), UTF_8))
        .isEqualTo(
            "{\"sid\":\"s-1\",\"session\":{\"tags\":[\"chat\",\"é\\\"x\"],\"metadata\":{ \"name\":1.0}}}");
  }

  @Test
  void aSessionWithNothing() {
    assertThat(written(new Event.Added(new ListedSession("s", List.of(), Json.NULL))))
        .isEqualTo(
            "event: add\ndata: {\"sid\":\"s\",\"session\":{\"tags\":[],\"metadata\":null}}\n\n");
  }

  @Test
  void whatElseAListTells() {
    assertThat(written(new Event.Removed("s-1")))
        .isEqualTo("event: remove\ndata: {\"sid\":\"s-1\"}\n\n");
    assertThat(written(new Event.Ready(1_000_000)))
        .isEqualTo("event: ready\ndata: {\"count\":1000000}\n\n");
  }

  @Test
  void farewells() {
    Duration about = Duration.ofSeconds(2);
    assertThat(text(SseEncoder.farewell(CloseReason.CLOSED, about)))
        .isEqualTo("event: close\ndata: {\"reason\":\"closed\"}\n\n");
    assertThat(text(SseEncoder.farewell(CloseReason.OVERFLOW, about)))
        .isEqualTo("event: close\ndata: {\"reason\":\"overflow\"}\n\n");
    for (CloseReason ofMany : List.of(CloseReason.SHUTTING_DOWN, CloseReason.SCOPE_CHANGED)) {
      String reason = "event: close\ndata: \\{\"reason\":\"" + ofMany.code() + "\"\\}\n\n";
      assertThat(text(SseEncoder.farewell(ofMany, about)))
          .matches("retry: [12][0-9]{3}\n" + reason);
    }
  }

  @Test
  void aStreamBeginsWithATimeOfItsOwnToComeBack() {
    List<Integer> millis =
        IntStream.range(0, 1_000)
            .mapToObj(i -> text(SseEncoder.beginning(Duration.ofMillis(400))))
            .peek(text -> assertThat(text).matches("retry: [0-9]+\n\n"))
            .map(text -> Integer.parseInt(text.substring(7).strip()))
            .toList();
    assertThat(millis).allMatch(each -> each >= 200 && each < 600);
    // About one of four in each quarter.
    for (int from = 200; from < 600; from += 100) {
      int begin = from;
      assertThat(millis)
          .filteredOn(each -> each >= begin && each < begin + 100)
          .hasSizeGreaterThan(100);
    }
  }

  @Test
  void aHeartbeatIsACommentOrAnEvent() {
    assertThat(text(SseEncoder.comment())).isEqualTo(":\n\n");
    assertThat(text(SseEncoder.visibleHeartbeat())).isEqualTo("event: heartbeat\ndata: {}\n\n");
  }

  @Test
  void theFirstEventSaysHowOftenHeartbeatsCome() {
    Event opened =
        new Event.Opened(
            "c-1", "k_1", Duration.ofSeconds(60), Duration.ZERO, IceConfiguration.none());
    assertThat(text(SseEncoder.event(opened, null, Duration.ofSeconds(15))))
        .endsWith("\"resume\":60,\"heartbeat\":15}\n\n");
    assertThat(text(SseEncoder.event(new Event.Ready(3), null, Duration.ofMillis(1_250))))
        .isEqualTo("event: ready\ndata: {\"count\":3,\"heartbeat\":1.25}\n\n");
    assertThat(text(SseEncoder.event(new Event.Ready(3), null, Duration.ofMinutes(10))))
        .isEqualTo("event: ready\ndata: {\"count\":3,\"heartbeat\":600}\n\n");
  }

  @Test
  void iceServers() {
    IceConfiguration ice =
        new IceConfiguration(
            List.of(
                IceServer.of("stun:a.example", "stun:b.example"),
                IceServer.turn("1:x", "w/+=", "turn:a.example?transport=udp")),
            Duration.ofDays(1));
    Event opened = new Event.Opened("c-1", "k_1", Duration.ZERO, Duration.ZERO, ice);
    assertThat(text(SseEncoder.event(opened, null, Duration.ofSeconds(15))))
        .endsWith(
            ",\"heartbeat\":15,\"iceServers\":[{\"urls\":[\"stun:a.example\",\"stun:b.example\"]},"
                + "{\"urls\":[\"turn:a.example?transport=udp\"],\"username\":\"1:x\","
                + "\"credential\":\"w/+=\"}],\"iceTtl\":86400}\n\n");
  }

  private static Event message(String origin, String target, String json) {
    return new Event.Received(new Message(origin, target, Json.parse(json)));
  }

  private static String written(Event event) {
    return text(SseEncoder.event(event, null, Duration.ZERO));
  }

  private static String text(byte[] bytes) {
    return new String(bytes, UTF_8);
  }
}
