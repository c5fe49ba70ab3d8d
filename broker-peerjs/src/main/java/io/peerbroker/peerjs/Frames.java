package io.peerbroker.peerjs;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.peerbroker.core.Json;
import io.peerbroker.core.RefusedException;
import io.peerbroker.json.JsonWriter;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The texts of the wire. */
final class Frames {

  static final byte[] OPEN = "{\"type\":\"OPEN\"}".getBytes(US_ASCII);
  static final byte[] ID_TAKEN =
      "{\"type\":\"ID-TAKEN\",\"payload\":{\"msg\":\"ID is taken\"}}".getBytes(US_ASCII);

  /** What one client sends to another by way of the server. */
  private static final Set<String> RELAYED =
      Set.of("OFFER", "ANSWER", "CANDIDATE", "LEAVE", "EXPIRE");

  private Frames() {}

  static boolean isRelayed(String type) {
    return RELAYED.contains(type);
  }

  /** Returns whether a frame waits for a target that is not there yet, and its loss is reported. */
  static boolean isAwaited(String type) {
    return !type.equals("LEAVE") && !type.equals("EXPIRE");
  }

  /** Returns why a client has no id. */
  static byte[] error(String message) {
    return new JsonWriter(128)
        .ascii("{\"type\":\"ERROR\",\"payload\":{\"msg\":")
        .string(message)
        .ascii("}}")
        .toBytes();
  }

  /**
   * Returns what a sender is told about a target that it has not reached.
   *
   * @param to the id of the target
   * @param sender the id of the sender
   */
  static byte[] expire(String to, String sender) {
    return new JsonWriter(128)
        .ascii("{\"type\":\"EXPIRE\",\"src\":")
        .string(to)
        .ascii(",\"dst\":")
        .string(sender)
        .ascii("}")
        .toBytes();
  }

  /** Returns a frame as it goes through the broker: whose it is, the message's origin says. */
  static Json message(String type, @Nullable Json payload) {
    JsonWriter message = new JsonWriter(64 + (payload == null ? 0 : payload.length()));
    message.ascii("{\"type\":").string(type);
    if (payload != null) {
      message.ascii(",\"payload\":").json(payload);
    }
    return Json.parse(message.ascii("}").toBytes());
  }

  /**
   * Returns the frame of a message, or null if the message is no frame: other clients of the broker
   * may send what they like.
   *
   * @param from the id of the sender
   * @param to the id of the target
   */
  static byte @Nullable [] relayed(Json message, String from, String to) {
    if (!message.isObject()) {
      return null;
    }
    Map<String, Json> members;
    try {
      members = message.members();
    } catch (RefusedException twice) {
      return null;
    }
    Json type = members.get("type");
    if (type == null || !type.isString() || !isRelayed(type.asString())) {
      return null;
    }
    Json payload = members.get("payload");
    JsonWriter frame = new JsonWriter(message.length() + 128);
    frame.ascii("{\"type\":").string(type.asString());
    frame.ascii(",\"src\":").string(from).ascii(",\"dst\":").string(to);
    if (payload != null) {
      frame.ascii(",\"payload\":").json(payload);
    }
    return frame.ascii("}").toBytes();
  }

  /** Returns the metadata of the session of a client. */
  static Json metadata(String id) {
    JsonWriter metadata = new JsonWriter(64).ascii("{\"peerjs\":").string(id).ascii("}");
    return Json.parse(metadata.toBytes());
  }

  /** Returns an array of strings. */
  static byte[] array(Collection<String> strings) {
    JsonWriter array = new JsonWriter(64 + 40 * strings.size()).ascii("[");
    String comma = "";
    for (String each : strings) {
      array.ascii(comma).string(each);
      comma = ",";
    }
    return array.ascii("]").toBytes();
  }
}
