package io.peerbroker.core;

import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * A tagged, addressable registration that a channel hosts, which others find and send to.
 *
 * <p>It dies with its host channel. Safe for use by many threads; no method blocks.
 */
public interface Session extends AutoCloseable {

  /** Returns the session's public address, a GUID in lower case (RFC 9562). */
  String id();

  /** Returns the channel that hosts it; it never changes. */
  Channel host();

  /** Returns its tags, in the order given; unmodifiable. */
  List<String> tags();

  /** Returns its metadata as it arrived; {@link Json#NULL} if none was given. */
  Json metadata();

  /** Returns whether lists show it. */
  boolean isListed();

  /** Returns whether it is open. */
  boolean isOpen();

  /**
   * Changes some of its properties at once. An update that changes nothing is not reported.
   *
   * @throws RefusedException {@code too_large}, {@code invalid_request} (too many tags), {@code
   *     unknown_session} (it has been closed), {@code rate_limited} or {@code shutting_down}
   */
  void update(SessionUpdate update);

  /**
   * Sends a message with this session as the origin, so that replies come to it. Like {@link
   * Channel#send(Message)}.
   */
  @CheckReturnValue
  default CompletionStage<Delivery> send(String target, Json json) {
    return host().send(new Message(id(), target, json));
  }

  /** Sends a message with this session as the origin. Like {@link Channel#sendOrThrow(Message)}. */
  default void sendOrThrow(String target, Json json) {
    host().sendOrThrow(new Message(id(), target, json));
  }

  /**
   * Closes this session but not its host. Does nothing if it has closed. It is never refused, but
   * counts against the rate of later calls.
   */
  @Override
  void close();
}
