package io.peerbroker.core;

import java.util.Objects;

/**
 * What one party says to another.
 *
 * @param origin the id of the sender's channel or session, as the sender wrote it
 * @param target the id of the channel or session that it goes to, as the sender wrote it
 * @param json what is said, relayed as it came
 */
public record Message(String origin, String target, Json json) {

  public Message {
    Objects.requireNonNull(origin, "origin");
    Objects.requireNonNull(target, "target");
    Objects.requireNonNull(json, "json");
  }

  /**
   * The reply to this message: its origin is this one's target, so that the other side knows which
   * session speaks.
   */
  public Message reply(Json reply) {
    return new Message(/* origin= */ target, /* target= */ origin, reply);
  }

  /** The same without whatever else came in one array with the JSON. */
  Message compact() {
    return new Message(origin, target, json.compact());
  }

  /** The addresses and the size alone: what parties say to each other is not for logs. */
  @Override
  public String toString() {
    return "Message[" + origin + " -> " + target + ", " + json.length() + " bytes]";
  }
}
