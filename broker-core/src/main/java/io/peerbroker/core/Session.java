package io.peerbroker.core;

import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * A tagged, addressable registration that a channel hosts: what others find and send to.
 *
 * <p>It dies with its host channel. Safe for use by many threads; no method blocks.
 */
public interface Session extends AutoCloseable {

  /** The session's public address, a GUID in lower case (RFC 9562). */
  String id();

  /** The channel that hosts it; it never changes. */
  Channel host();

  /** Its tags, in the order given; unmodifiable. */
  List<String> tags();

  /** Its metadata as it came; {@link Json#NULL} if none was given. */
  Json metadata();

  /** Whether lists show it. */
  boolean isListed();

  /** Whether it is still there. */
  boolean isOpen();

  /**
   * Changes some of its properties at once. An update that changes nothing is told to nobody.
   *
   * @throws RefusedException {@code too_large}, {@code invalid_request} (too many tags), {@code
   *     unknown_session} (it has been closed), {@code rate_limited} or {@code shutting_down}
   */
  void update(SessionUpdate update);

  /**
   * Sends with this session as the origin, so that replies come to it. As {@link
   * Channel#send(Message)}.
   */
  @CheckReturnValue
  default CompletionStage<Delivery> send(String target, Json json) {
    return host().send(new Message(id(), target, json));
  }

  /** Sends with this session as the origin. As {@link Channel#sendOrThrow(Message)}. */
  default void sendOrThrow(String target, Json json) {
    host().sendOrThrow(new Message(id(), target, json));
  }

  /**
   * Ends this session alone. Does nothing if it has ended, and is never refused; it counts against
   * the rate of what follows.
   */
  @Override
  void close();
}
