package io.peerbroker.servlet;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.peerbroker.core.CloseReason;
import io.peerbroker.core.Envelope;
import io.peerbroker.core.Event;
import io.peerbroker.core.Json;
import io.peerbroker.core.ListedSession;
import io.peerbroker.core.Message;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of events and sessions as the protocol has them: text/event-stream (WHATWG HTML,
 * section 9.2) around JSON.
 *
 * <p>Event names come from here alone, and no line break gets into a data line, so nothing that a
 * client sends can make a field of its own.
 */
final class SseEncoder {

  private static final byte[] COMMENT = ":\n\n".getBytes(US_ASCII);
  private static final byte[] HEARTBEAT = "event: heartbeat\ndata: {}\n\n".getBytes(US_ASCII);

  private byte[] bytes;
  private int length;

  private SseEncoder(int capacity) {
    bytes = new byte[capacity];
  }

  /** An event as it stands in a stream, with its id where it has one. */
  static byte[] event(Envelope envelope) {
    return event(envelope.event(), envelope.id(), Duration.ZERO);
  }

  /**
   * An event as it stands in a stream.
   *
   * @param heartbeat what {@code channel} and {@code ready} say about the stream's heartbeats; zero
   *     for nothing
   */
  static byte[] event(Event event, @Nullable String id, Duration heartbeat) {
    SseEncoder wire = new SseEncoder(event.size() + 128);
    if (id != null) {
      wire.ascii("id: ").ascii(id).ascii("\n");
    }
    if (event instanceof Event.Received received) {
      Message message = received.message();
      wire.ascii("event: message\ndata: {\"origin\":").string(message.origin());
      wire.ascii(",\"target\":").string(message.target());
      wire.ascii(",\"message\":").json(message.json()).ascii("}");
    } else if (event instanceof Event.Added added) {
      wire.ascii("event: add\ndata: ").session(added.session());
    } else if (event instanceof Event.Removed removed) {
      wire.ascii("event: remove\ndata: {\"sid\":").string(removed.sid()).ascii("}");
    } else if (event instanceof Event.Undelivered undelivered) {
      wire.ascii("event: undelivered\ndata: {\"id\":").string(undelivered.id());
      wire.ascii(",\"target\":").string(undelivered.target());
      wire.ascii(",\"reason\":").string(undelivered.reason().code()).ascii("}");
    } else if (event instanceof Event.Ready ready) {
      wire.ascii("event: ready\ndata: {\"count\":")
          .ascii(Integer.toString(ready.count()))
          .heartbeat(heartbeat)
          .ascii("}");
    } else if (event instanceof Event.Opened opened) {
      wire.ascii("event: channel\ndata: {\"cid\":").string(opened.id());
      wire.ascii(",\"key\":").string(opened.key());
      wire.granted("resume", opened.resume()).granted("lease", opened.lease());
      wire.heartbeat(heartbeat).ascii("}");
    }
    return wire.ascii("\n\n").toBytes();
  }

  private SseEncoder granted(String name, Duration time) {
    return time.isZero()
        ? this
        : ascii(",\"").ascii(name).ascii("\":").ascii(Long.toString(time.toSeconds()));
  }

  private SseEncoder heartbeat(Duration heartbeat) {
    return heartbeat.isZero()
        ? this
        : ascii(",\"heartbeat\":")
            .ascii(
                BigDecimal.valueOf(heartbeat.toMillis(), 3).stripTrailingZeros().toPlainString());
  }

  /**
   * What a stream begins with: after how long its client is to come back when it breaks.
   *
   * @param about the middle of the times, of which each stream is told another: from half of it to
   *     one and a half, so that clients which are cut at once do not come back at once
   */
  static byte[] beginning(Duration about) {
    return new SseEncoder(16).retry(about).ascii("\n").toBytes();
  }

  private SseEncoder retry(Duration about) {
    long millis = about.toMillis();
    long told = millis / 2 + ThreadLocalRandom.current().nextLong(millis);
    return ascii("retry: ").ascii(Long.toString(told)).ascii("\n");
  }

  /**
   * The last event of a stream; where many end at once and come back, with a time to do so, as
   * {@link #beginning}.
   */
  static byte[] farewell(CloseReason reason, Duration about) {
    SseEncoder wire = new SseEncoder(64);
    if (reason == CloseReason.SHUTTING_DOWN || reason == CloseReason.SCOPE_CHANGED) {
      wire.retry(about);
    }
    wire.ascii("event: close\ndata: {\"reason\":").string(reason.code()).ascii("}\n\n");
    return wire.toBytes();
  }

  /** A comment, which readers pass over. The caller must not change it. */
  static byte[] comment() {
    return COMMENT;
  }

  /** A heartbeat that readers are told of. The caller must not change it. */
  static byte[] visibleHeartbeat() {
    return HEARTBEAT;
  }

  /** A session as lists show it, behind a text: {@code {"sid":…,"session":{…}}}. */
  static byte[] session(String before, ListedSession session) {
    return new SseEncoder(256).ascii(before).session(session).toBytes();
  }

  private SseEncoder session(ListedSession session) {
    ascii("{\"sid\":").string(session.id()).ascii(",\"session\":{\"tags\":[");
    String separator = "";
    for (String tag : session.tags()) {
      ascii(separator).string(tag);
      separator = ",";
    }
    return ascii("],\"metadata\":").json(session.metadata()).ascii("}}");
  }

  @SuppressWarnings("deprecation") // getBytes to a place copies ASCII without a second array
  private SseEncoder ascii(String text) {
    reserve(text.length());
    text.getBytes(0, text.length(), bytes, length);
    length += text.length();
    return this;
  }

  private SseEncoder json(Json json) {
    reserve(json.length());
    length = json.copyLine(bytes, length);
    return this;
  }

  private SseEncoder string(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < ' ' || c > '~' || c == '"' || c == '\\') {
        return json(Json.of(text));
      }
    }
    return ascii("\"").ascii(text).ascii("\"");
  }

  private void reserve(int more) {
    if (bytes.length - length < more) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
    }
  }

  private byte[] toBytes() {
    return length == bytes.length ? bytes : Arrays.copyOf(bytes, length);
  }
}
