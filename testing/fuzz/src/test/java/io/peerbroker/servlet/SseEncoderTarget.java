package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.CloseReason;
import io.peerbroker.core.Event;
import io.peerbroker.core.Json;
import io.peerbroker.core.ListedSession;
import io.peerbroker.core.Message;
import io.peerbroker.core.RefusedException;
import io.peerbroker.fuzz.Input;
import io.peerbroker.tck.EventStreamParser;
import io.peerbroker.tck.EventStreamParser.Comment;
import io.peerbroker.tck.EventStreamParser.Item;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Any names, tags, metadata and messages in an event, read by a parser that was written from the
 * WHATWG's text: it sees that one event, with exactly the content that was put in.
 */
public final class SseEncoderTarget {

  private SseEncoderTarget() {}

  /** One input: the kind of event, then its content. */
  public static void fuzzerTestOneInput(byte[] bytes) {
    Input input = new Input(bytes);
    int kind = input.below(4);
    String id = input.below(2) == 0 ? "" : "c.s-_.17";
    String first = input.text();
    String second = input.text();
    Json json = json(input.part());
    String line = line(json);
    switch (kind) {
      case 0 -> {
        Map<String, Json> data =
            read(new Event.Received(new Message(first, second, json)), id, "message");
        assertThat(data.keySet()).containsExactly("origin", "target", "message");
        assertText(data, "origin", first);
        assertText(data, "target", second);
        assertThat(data.get("message")).hasToString(line);
      }
      case 1 -> {
        List<String> tags = new ArrayList<>(List.of(second));
        while (input.hasMore()) {
          tags.add(input.text());
        }
        Map<String, Json> data =
            read(new Event.Added(new ListedSession(first, tags, json)), id, "add");
        assertThat(data.keySet()).containsExactly("sid", "session");
        assertText(data, "sid", first);
        Map<String, Json> session = data.get("session").members();
        assertThat(session.keySet()).containsExactly("tags", "metadata");
        assertThat(session.get("tags").elements().stream().map(Json::asString).toList())
            .isEqualTo(tags);
        assertThat(session.get("metadata")).hasToString(line);
      }
      case 2 -> {
        Map<String, Json> data =
            read(new Event.Undelivered(first, second, CloseReason.EXPIRED), id, "undelivered");
        assertThat(data.keySet()).containsExactly("id", "target", "reason");
        assertText(data, "id", first);
        assertText(data, "target", second);
      }
      default -> {
        Map<String, Json> data = read(new Event.Removed(first), id, "remove");
        assertThat(data.keySet()).containsExactly("sid");
        assertText(data, "sid", first);
      }
    }
  }

  /** Returns the bytes as JSON if they are JSON; else their text as a string. */
  private static Json json(byte[] bytes) {
    try {
      return Json.parse(bytes);
    } catch (RefusedException malformed) {
      return Json.of(new String(bytes, StandardCharsets.UTF_8));
    }
  }

  private static String line(Json json) {
    return json.toString().replace('\r', ' ').replace('\n', ' ');
  }

  private static void assertText(Map<String, Json> data, String name, String text) {
    assertThat(data.get(name).asString()).isEqualTo(text);
  }

  /** Puts an event between two others into a stream, reads that, and returns the event's data. */
  private static Map<String, Json> read(Event event, String id, String name) {
    ByteArrayOutputStream stream = new ByteArrayOutputStream();
    stream.writeBytes(SseEncoder.comment());
    stream.writeBytes(SseEncoder.event(event, id.isEmpty() ? null : id, Duration.ZERO));
    stream.writeBytes(SseEncoder.farewell(CloseReason.CLOSED, Duration.ZERO));
    List<Item> items = new ArrayList<>();
    new EventStreamParser(items::add).feed(stream.toByteArray(), 0, stream.size());
    assertThat(items).hasSize(3);
    assertThat(items.get(0)).isEqualTo(new Comment(""));
    assertThat(items.get(2))
        .isEqualTo(new EventStreamParser.Event("close", "{\"reason\":\"closed\"}", id));
    EventStreamParser.Event read = (EventStreamParser.Event) items.get(1);
    assertThat(read.name()).isEqualTo(name);
    assertThat(read.lastEventId()).isEqualTo(id);
    return Json.parse(read.data()).members();
  }
}
