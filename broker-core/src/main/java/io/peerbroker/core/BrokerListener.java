package io.peerbroker.core;

import org.jspecify.annotations.Nullable;

/**
 * An application's ear: learns what the broker does, to count it, log it, or keep an audit. Every
 * method does nothing unless it is overridden.
 *
 * <p><b>Thread.</b> Called outside all locks, on the thread that did it (a container's, a sender's,
 * the timer's), or on the one that is still telling of the same channel, session or watch. So it
 * must not block, and several threads call at once. It may call the broker back, but for {@link
 * Broker#close()}; what it does itself is told after its own call has returned, never inside it.
 * What it throws, errors too, is logged and hurts nobody.
 *
 * <p><b>Order.</b> Of one channel: {@link #channelOpened} first, then {@link #channelInterrupted}
 * and {@link #channelResumed} by turns, {@link #channelClosed} last. Of one session: {@link
 * #sessionOpened} first, {@link #sessionUpdated} any number of times, {@link #sessionClosed} last.
 * Of one watch: {@link #watchOpened} first, {@link #watchClosed} last. First and last come exactly
 * once each, one call has returned before the next one of the same begins, and when the broker has
 * been closed, so is whatever was opened, or another thread is just about to tell it. A channel is
 * told as opened before its client can do anything with it (unless a listener has opened it), and
 * as closed after all its sessions are. Nothing else is ordered: what has been told may have
 * changed since, and a message may be told after its channel's end.
 *
 * <p>A listener is trusted: the objects that it is given are the ones that their owners hold. It
 * must not log a {@link Channel#key()}, and had better not log what is in a message; the {@code
 * toString} of what it is given holds neither.
 */
public interface BrokerListener {

  /** A channel has been opened. Should its stream fail to begin, it is told as closed next. */
  default void channelOpened(Channel channel) {}

  /**
   * A channel's stream has broken, and the channel waits for its reader to come back: called only
   * where that was granted.
   */
  default void channelInterrupted(Channel channel) {}

  /**
   * A channel's reader has come back. Where the broker had not noticed that the stream before was
   * broken, {@link #channelInterrupted} is told right before this.
   */
  default void channelResumed(Channel channel) {}

  /** A channel has closed; its sessions have, too, and have been told. */
  default void channelClosed(Channel channel, CloseReason reason) {}

  /** A session has been created. */
  default void sessionOpened(Session session) {}

  /** A session has changed. An update that changes nothing is not told. */
  default void sessionUpdated(Session session) {}

  /** A session has ended, by itself or with its host. */
  default void sessionClosed(Session session) {}

  /** Somebody watches the list live. */
  default void watchOpened(Watch watch) {}

  /** A watch has ended. */
  default void watchClosed(Watch watch, CloseReason reason) {}

  /**
   * A channel has sent a message, and this is what it is answered: sent, queued or refused. Called
   * once for each {@link Channel#send(Message)}, before its sender has the answer.
   *
   * @param sender the channel that sends; the origin in the message is its id or a session's, or
   *     neither, where it was refused for that
   */
  default void messageAnswered(Channel sender, Message message, Delivery delivery) {}

  /**
   * A message that was answered as queued will not be delivered: its target has not come back.
   * Called whether or not the sender is still there to be told. It may come before the {@link
   * #messageAnswered} of the same message, which is another thread's.
   *
   * @param id what the sender was answered: {@link Delivery.Queued#id()}
   * @param reason why the target's channel has closed
   */
  default void messageUndelivered(Message message, String id, CloseReason reason) {}

  /**
   * A call has been refused: the broker, a channel or a session throws {@link RefusedException} for
   * it. A refused message is told as {@link #messageAnswered} instead, and what an adapter refuses
   * before it asks the broker is not told.
   *
   * @param channel whom the call was about: the channel that acts or is claimed, null where there
   *     is none. With {@link Refusal.Code#WRONG_KEY} it is the one whose key was not shown, or who
   *     reached for another's session
   */
  default void callRefused(@Nullable Channel channel, Refusal refusal) {}
}
