package io.peerbroker.core;

import java.util.Objects;

/**
 * A message from one client to another.
 *
 * @param origin the id of the sender's channel or session, as the sender wrote it
 * @param target the id of the channel or session that it goes to, as the sender wrote it
 * @param json the content, relayed unchanged
 */
public record Message(String origin, String target, Json json) {

  public Message {
    Objects.requireNonNull(origin, "origin");
    Objects.requireNonNull(target, "target");
    Objects.requireNonNull(json, "json");
  }

  /**
   * Returns a reply to this message. Its origin is this message's target, so that the other side
   * knows which session replies.
   */
  public Message reply(Json reply) {
    return new Message(/* origin= */ target, /* target= */ origin, reply);
  }

  /**
   * Returns the same message, of which the JSON keeps little more memory than it has bytes: as a
   * slice it would keep the whole array, with other messages perhaps.
   */
  @SuppressWarnings("ReferenceEquality") // whether there is another object
  Message compact() {
    Json own = json.nearlyCompact();
    return own == json ? this : new Message(origin, target, own);
  }

  /** Returns only the addresses and the size: contents are not for logs. */
  @Override
  public String toString() {
    return "Message[" + origin + " -> " + target + ", " + json.length() + " bytes]";
  }
}
