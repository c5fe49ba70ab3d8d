package io.peerbroker.core;

import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * One client's event stream and its right to send.
 *
 * <p>Whoever holds this object owns the channel; keys are for those who come over a wire. A channel
 * closes when its owner closes it, when its stream ends (or some time later, where it may be
 * resumed: {@link ChannelOptions}), or when the broker shuts down; its sessions become invalid in
 * the same instant. Safe for use by many threads; no method blocks.
 */
public interface Channel extends AutoCloseable {

  /**
   * The channel's public address, a GUID in lower case (RFC 9562). Others see it as the origin of
   * its messages.
   */
  String id();

  /**
   * The secret that proves ownership over a wire: at least 128 random bits in URL-safe characters.
   * Never to be logged or shown to anyone but the owner.
   */
  String key();

  /** Whether the channel has not closed yet. */
  boolean isOpen();

  /**
   * Hosts a session on this channel.
   *
   * @throws RefusedException {@code too_large}, {@code invalid_request} (too many tags), {@code
   *     unknown_channel} (this one has closed), {@code rate_limited}, {@code too_many_sessions} or
   *     {@code shutting_down}
   */
  Session openSession(SessionSpec spec);

  /**
   * A session of this channel by its id.
   *
   * @throws RefusedException {@code unknown_session}, or {@code wrong_key} where another channel
   *     hosts it
   */
  Session session(String sid);

  /** The sessions that this channel hosts now, in order of creation; a snapshot. */
  List<Session> sessions();

  /** Sends with this channel as the origin. As {@link #send(Message)}. */
  default CompletionStage<Delivery> send(String target, Json json) {
    return send(new Message(id(), target, json));
  }

  /**
   * Sends a message to a channel or session. Never blocks and never throws for a refusal: it
   * answers. What one thread sends to one target arrives in that order.
   *
   * @param message its origin is this channel's id, or that of one of its sessions
   * @return {@link Delivery.Sent} once it is in the queue of a target that is attached, {@link
   *     Delivery.Queued} where the target may come back for it, or {@link Delivery.Refused} with
   *     {@code unknown_channel} (the origin is not this channel's), {@code too_large}, {@code
   *     malformed_json} (nested too deeply), {@code unknown_target}, {@code rate_limited}, {@code
   *     target_busy}, {@code at_capacity} or {@code shutting_down}. Complete at once unless a
   *     {@link Router} of the application takes its time
   */
  CompletionStage<Delivery> send(Message message);

  /**
   * Notes that the reader has seen all events up to one, so that they need not be kept for the case
   * that it comes back.
   *
   * @param eventId the id of that event; an id that is none of this channel's is ignored
   */
  void confirm(String eventId);

  /**
   * Closes the channel: once this returns no session of it is listed and no message to it succeeds.
   * What was queued before is still delivered, then its stream is told {@link CloseReason#CLOSED}.
   * May be called again.
   */
  @Override
  void close();
}
