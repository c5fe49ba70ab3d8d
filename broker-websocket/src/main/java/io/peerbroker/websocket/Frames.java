package io.peerbroker.websocket;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.peerbroker.core.Answer;
import io.peerbroker.core.CloseReason;
import io.peerbroker.core.Envelope;
import io.peerbroker.core.Event;
import io.peerbroker.core.Refusal;
import io.peerbroker.json.JsonAnswers;
import io.peerbroker.json.JsonEvents;
import io.peerbroker.json.JsonWriter;
import jakarta.websocket.CloseReason.CloseCode;
import jakarta.websocket.CloseReason.CloseCodes;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What the broker says over a WebSocket: JSON objects, and how it closes. */
final class Frames {

  static final byte[] HEARTBEAT = "{\"event\":\"heartbeat\",\"data\":{}}".getBytes(US_ASCII);

  private static final String DATA = ",\"data\":";

  /** Codes for private use (RFC 6455, section 7.4.2): the status that HTTP has for the same. */
  private static final int DENIED = 4403;

  private static final int SUPERSEDED = 4409;
  private static final int STALLED = 4408;
  private static final int REFUSED = 4400;

  private Frames() {}

  /** Returns an event, with its id if it has one. */
  static byte[] event(Envelope envelope) {
    return event(envelope.event(), envelope.id(), Duration.ZERO);
  }

  /**
   * Returns an event.
   *
   * @param heartbeat the heartbeat for {@code channel}; zero to omit it
   */
  static byte[] event(Event event, @Nullable String id, Duration heartbeat) {
    return JsonWriter.bytesOf(
        frame -> {
          frame.ascii("{\"event\":\"").ascii(JsonEvents.name(event)).ascii("\"");
          if (id != null) {
            frame.ascii(",\"id\":").string(id);
          }
          JsonEvents.write(event, heartbeat, frame.ascii(DATA));
          frame.ascii("}");
        });
  }

  /**
   * Returns an event of a list with the list's name as one more member of its data.
   *
   * @param event as {@link #event(Envelope)} makes it
   */
  static byte[] ofWatch(String watch, byte[] event) {
    // The data is the first object inside the frame.
    return JsonEvents.ofWatch(watch, event, 1);
  }

  /** Returns the last event, with the reason for the end. */
  static byte[] farewell(CloseReason reason) {
    return new JsonWriter(64)
        .ascii("{\"event\":\"close\",\"data\":{\"reason\":")
        .string(reason.code())
        .ascii("}}")
        .toBytes();
  }

  /** Returns an answer to the request with this number. */
  static byte[] answer(long ref, Answer answer, boolean several) {
    JsonWriter frame = new JsonWriter(96).ascii("{\"ref\":").ascii(Long.toString(ref));
    JsonAnswers.write(answer, several, frame.ascii(",\"answer\":"));
    return frame.ascii("}").toBytes();
  }

  /** Returns a refusal; without a number for a request that has none, and for a channel. */
  static byte[] refusal(@Nullable Long ref, Refusal refusal) {
    JsonWriter frame = new JsonWriter(256).ascii("{");
    if (ref != null) {
      frame.ascii("\"ref\":").ascii(Long.toString(ref)).ascii(",");
    }
    JsonAnswers.write(refusal, frame.ascii("\"refusal\":"));
    return frame.ascii("}").toBytes();
  }

  /** Returns how a connection is closed that is cut off. */
  static jakarta.websocket.CloseReason cut() {
    return closing(CloseCodes.GOING_AWAY, "");
  }

  /** Returns how a connection is closed whose stream has ended. */
  static jakarta.websocket.CloseReason closing(CloseReason reason) {
    return switch (reason) {
      case CLOSED -> closing(CloseCodes.NORMAL_CLOSURE, reason.code());
      case REVOKED -> closing(() -> DENIED, reason.code());
      case SUPERSEDED -> closing(() -> SUPERSEDED, reason.code());
      case SHUTTING_DOWN -> closing(CloseCodes.SERVICE_RESTART, reason.code());
      case STALLED -> closing(() -> STALLED, reason.code());
      default -> closing(CloseCodes.GOING_AWAY, reason.code());
    };
  }

  /** Returns how a connection is closed that got no channel. */
  static jakarta.websocket.CloseReason closing(Refusal refusal) {
    String code = refusal.code().code();
    return switch (refusal.code()) {
      case SHUTTING_DOWN -> closing(CloseCodes.SERVICE_RESTART, code);
      case AT_CAPACITY, RATE_LIMITED -> closing(CloseCodes.TRY_AGAIN_LATER, code);
      case INTERNAL -> closing(CloseCodes.UNEXPECTED_CONDITION, code);
      case DENIED -> closing(() -> DENIED, code);
      default -> closing(() -> REFUSED, code);
    };
  }

  /** Returns how a client is cut off that sends on and reads no answers. */
  static jakarta.websocket.CloseReason tooManyUnanswered() {
    return closing(
        CloseCodes.VIOLATED_POLICY,
        "More than " + SocketRequests.MAX_UNANSWERED + " requests are unanswered.");
  }

  /** Returns how a client is cut off that reads no answers, which are large. */
  static jakarta.websocket.CloseReason tooManyWaiting() {
    return closing(
        CloseCodes.VIOLATED_POLICY,
        "More than " + SocketRequests.MAX_WAITING_BYTES + " bytes of answers wait to be read.");
  }

  /** Returns how a client is cut off whose message is too large. */
  static jakarta.websocket.CloseReason tooLarge(int maxBytes) {
    return closing(CloseCodes.TOO_BIG, "A request may have at most " + maxBytes + " bytes.");
  }

  /** Returns how a client is cut off whose message has not come whole in time. */
  static jakarta.websocket.CloseReason unfinished() {
    return closing(CloseCodes.VIOLATED_POLICY, "A request was not all there in time.");
  }

  /** Returns how a client is cut off that sends what is no text. */
  static jakarta.websocket.CloseReason binary() {
    return closing(CloseCodes.CANNOT_ACCEPT, "A request is a text message.");
  }

  private static jakarta.websocket.CloseReason closing(CloseCode code, String phrase) {
    return new jakarta.websocket.CloseReason(code, phrase);
  }
}
