package io.peerbroker.servlet;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.peerbroker.core.CloseReason;
import io.peerbroker.core.Envelope;
import io.peerbroker.core.Event;
import io.peerbroker.json.JsonEvents;
import io.peerbroker.json.JsonWriter;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * The frames of a stream of server-sent events: text/event-stream (WHATWG HTML, section 9.2) around
 * {@link JsonEvents}, both in one byte array.
 *
 * <p>Event names come from there alone, and no line break gets into a data line, so nothing that a
 * client sends can make a field of its own.
 */
final class SseEncoder {

  private static final byte[] COMMENT = ":\n\n".getBytes(US_ASCII);
  private static final byte[] HEARTBEAT = "event: heartbeat\ndata: {}\n\n".getBytes(US_ASCII);

  private SseEncoder() {}

  /** An event as it stands in a stream, with its id if it has one. */
  static byte[] event(Envelope envelope) {
    return event(envelope.event(), envelope.id(), Duration.ZERO);
  }

  /**
   * An event as it stands in a stream.
   *
   * @param heartbeat the stream's heartbeat for {@code channel} and {@code ready}; zero to omit it
   */
  static byte[] event(Event event, @Nullable String id, Duration heartbeat) {
    return JsonWriter.bytesOf(
        frame -> {
          if (id != null) {
            frame.ascii("id: ").ascii(id).ascii("\n");
          }
          frame.ascii("event: ").ascii(JsonEvents.name(event)).ascii("\ndata: ");
          JsonEvents.write(event, heartbeat, frame);
          frame.ascii("\n\n");
        });
  }

  /**
   * An event of a list that a channel's stream carries: the event as it stands in a stream of its
   * own, with the list's name as one more member of its data.
   *
   * @param event as {@link #event(Envelope)} makes it
   */
  static byte[] ofWatch(String watch, byte[] event) {
    // The name of an event has no brace.
    return JsonEvents.ofWatch(watch, event, 0);
  }

  /**
   * The beginning of a stream: the time after which its client must come back when it breaks.
   *
   * @param about the middle of the times; each stream gets one of its own, from half of it to one
   *     and a half, so that clients which are cut at once do not come back at once
   */
  static byte[] beginning(Duration about) {
    return retry(about, new JsonWriter(16)).ascii("\n").toBytes();
  }

  private static JsonWriter retry(Duration about, JsonWriter frame) {
    long millis = about.toMillis();
    long told = millis / 2 + ThreadLocalRandom.current().nextLong(millis);
    return frame.ascii("retry: ").ascii(Long.toString(told)).ascii("\n");
  }

  /**
   * The last event of a stream; if many end at once and come back, with a time to do so, as {@link
   * #beginning}.
   */
  static byte[] farewell(CloseReason reason, Duration about) {
    JsonWriter frame = new JsonWriter(64);
    if (reason == CloseReason.SHUTTING_DOWN || reason == CloseReason.SCOPE_CHANGED) {
      retry(about, frame);
    }
    frame.ascii("event: close\ndata: {\"reason\":").string(reason.code()).ascii("}\n\n");
    return frame.toBytes();
  }

  /** A comment, which readers skip. The caller must not change it. */
  static byte[] comment() {
    return COMMENT;
  }

  /** A heartbeat that readers can see. The caller must not change it. */
  static byte[] visibleHeartbeat() {
    return HEARTBEAT;
  }
}
