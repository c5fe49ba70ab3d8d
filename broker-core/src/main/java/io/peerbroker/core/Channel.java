package io.peerbroker.core;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * One client's event stream and its right to send.
 *
 * <p>Code that holds this object owns the channel; a key is needed only over a wire. A channel
 * closes when its owner closes it, when its stream ends (or some time later, if it can be resumed:
 * {@link ChannelOptions}), and when the broker shuts down. Its sessions end in the same instant.
 * Safe for use by many threads; no method blocks.
 */
public interface Channel extends AutoCloseable {

  /**
   * Returns the channel's public address, a GUID in lower case (RFC 9562). Others see it as the
   * origin of its messages.
   */
  String id();

  /**
   * Returns the secret that proves ownership over a wire: at least 128 random bits in URL-safe
   * characters. It must never be logged, or shown to anyone but the owner.
   */
  String key();

  /** Returns whether the channel is open. */
  boolean isOpen();

  /**
   * Hosts a session on this channel. The application's own channels ({@link
   * Broker#openChannel(Receiver)}) have no rate and no bound on sessions.
   *
   * @throws RefusedException {@code too_large}, {@code invalid_request} (too many tags), {@code
   *     unknown_channel} (this one has closed), {@code rate_limited}, {@code too_many_sessions} or
   *     {@code shutting_down}
   */
  Session openSession(SessionSpec spec);

  /**
   * Returns a session of this channel by its id.
   *
   * @throws RefusedException {@code unknown_session}, or {@code wrong_key} if another channel hosts
   *     it
   */
  Session session(String sid);

  /** Returns the sessions that this channel hosts now, in order of creation: a snapshot. */
  List<Session> sessions();

  /**
   * Returns the name of the login that opened the channel over a wire or through {@link
   * Broker#forCaller}: that of its {@link Caller#principal()}. Null if there was no login, and for
   * the application's own channels.
   */
  @Nullable String owner();

  /** Sends a message with this channel as the origin. Like {@link #send(Message)}. */
  @CheckReturnValue
  default CompletionStage<Delivery> send(String target, Json json) {
    return send(new Message(id(), target, json));
  }

  /**
   * Sends a message to a channel or session. Never blocks. A refusal is a result, not an exception.
   * Messages that one thread sends to one target arrive in that order.
   *
   * @param message its origin is this channel's id, or that of one of its sessions
   * @return {@link Delivery.Sent} once it is in the queue of a target that is attached, {@link
   *     Delivery.Queued} if the target is away and may come back for it, or {@link
   *     Delivery.Refused} with {@code unknown_channel} (the origin is not this channel's), {@code
   *     too_large}, {@code malformed_json} (nested too deeply), {@code unknown_target}, {@code
   *     rate_limited}, {@code target_busy}, {@code at_capacity} or {@code shutting_down}. Complete
   *     at once unless a {@link Router} of the application takes its time
   */
  @CheckReturnValue
  CompletionStage<Delivery> send(Message message);

  /**
   * Sends a message with this channel as the origin, and returns a stage of the answer: the next
   * message from {@code target} to this channel. It goes to the stage and not to the {@link
   * Receiver}, which still receives everything else.
   *
   * <p>The protocol has no numbers for questions and answers. Therefore any message from the target
   * counts, also one that it had sent before it read the question; several asks to one target are
   * answered in the order in which they were sent; and an answer that comes after the timeout goes
   * to the receiver, or to the next ask to the same target. Where that matters, open a channel for
   * each conversation, or put a number into the JSON. An answer from another id, such as a session
   * of the channel that was asked, goes to the receiver.
   *
   * <p>Only a channel that was opened with a receiver asks, and at most 1,024 of its asks are open
   * at one time.
   *
   * @param timeout how long to wait for the answer: more than zero, at most 1 hour
   * @return the answer, on the thread on which the receiver is called. The stage fails with {@link
   *     RefusedException} as {@link #send(Message)} refuses, with {@code rate_limited} for too many
   *     open asks, with {@code unknown_target} if the message was queued and not delivered, and
   *     with {@code unknown_channel} if this channel closes; it fails with {@link
   *     java.util.concurrent.TimeoutException}, on a thread of the broker's timer, if no answer
   *     comes in time
   * @throws IllegalArgumentException for a timeout out of bounds
   * @throws UnsupportedOperationException if the channel's reader is not in this JVM
   */
  @CheckReturnValue
  CompletionStage<Message> ask(String target, Json json, Duration timeout);

  /** Sends a message with this channel as the origin. Like {@link #sendOrThrow(Message)}. */
  default void sendOrThrow(String target, Json json) {
    sendOrThrow(new Message(id(), target, json));
  }

  /**
   * Sends a message, and throws if {@link #send(Message)} refuses it: for senders that can do
   * nothing about a refusal.
   *
   * <p>If a {@link Router} of the application refuses only later, nothing is thrown; {@link
   * BrokerListener#messageAnswered} is notified.
   *
   * @throws RefusedException as {@link #send(Message)} refuses
   */
  default void sendOrThrow(Message message) {
    CompletableFuture<Delivery> answer = send(message).toCompletableFuture();
    if (answer.isDone() && answer.join() instanceof Delivery.Refused refused) {
      throw new RefusedException(refused.refusal());
    }
  }

  /**
   * Notes that the reader has seen all events up to this one, so they need not be kept in case it
   * comes back.
   *
   * @param eventId the id of that event; the id of another channel's event is ignored
   * @return whether it is the id of an event of this channel
   */
  boolean confirm(String eventId);

  /**
   * As {@link #confirm(String)}, and detects by it a stream that has died unnoticed. If the network
   * took an event for the reader longer than {@code patience} ago, and the reader has confirmed
   * nothing new since, the stream counts as broken: the grace begins, and the events that were not
   * seen are sent again when the reader comes back. A slow reader that makes progress is left
   * alone, and so is one that never confirms.
   *
   * @param eventId the id of the last event that the reader had seen when it said so
   * @param patience how long an event may be on its way to the reader
   */
  void confirm(String eventId, Duration patience);

  /**
   * Returns whether the channel has a stream, as far as the broker knows; false while it waits for
   * its reader to come back, and after it has closed.
   */
  boolean isAttached();

  /**
   * Returns the id of the last event that the network has taken for the reader; null if there is
   * none yet, and on a channel that cannot be resumed. As good as a key, so it must not be logged.
   */
  @Nullable String lastConsumed();

  /**
   * Closes the channel: when this returns, no session of it is listed and no message to it
   * succeeds. Messages that were queued before are still delivered; then its stream ends with
   * {@link CloseReason#CLOSED}. May be called again.
   */
  @Override
  void close();

  /**
   * Closes the channel against its owner's will: as {@link #close()}, but its stream ends with
   * {@link CloseReason#REVOKED}, so its client does not come back by itself. If it comes back
   * nevertheless, the {@link AccessPolicy} decides.
   */
  void revoke();
}
