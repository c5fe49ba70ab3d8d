package io.peerbroker.core;

import org.jspecify.annotations.Nullable;

/**
 * Is notified of what the broker does, for counters, logs or an audit. Every method does nothing
 * unless it is overridden.
 *
 * <p><b>Thread.</b> Called outside all locks, on the thread that caused the event (a container's, a
 * sender's, the timer's), or on the one that is still reporting an earlier event of the same
 * channel, session or watch. So it must not block, and several threads may call it at once. It may
 * call the broker, except {@link Broker#close()}; the resulting events are reported after its own
 * call has returned, never inside it. An exception from it, even an error, is logged and affects
 * nothing else.
 *
 * <p><b>Order.</b> For each channel: {@link #channelOpened} first, then {@link #channelInterrupted}
 * and {@link #channelResumed} alternately, {@link #channelClosed} last. For each session: {@link
 * #sessionOpened} first, {@link #sessionUpdated} any number of times, {@link #sessionClosed} last.
 * For each watch: {@link #watchOpened} first, {@link #watchClosed} last. The first and the last
 * call come exactly once each, and a call has returned before the next one for the same object
 * begins. When the broker has been closed, everything that was opened has been reported as closed,
 * or another thread is about to report it. A channel is reported as opened before its client can do
 * anything with it (unless a listener has opened it), and as closed after all its sessions are.
 * Nothing else is ordered: an object may have changed since the call, and a message may be reported
 * after its channel has closed.
 *
 * <p>A listener is trusted: it receives the same objects as their owners. It must not log a {@link
 * Channel#key()} and should not log a message's content; the {@code toString} of these objects
 * contains neither.
 */
public interface BrokerListener {

  /**
   * Called when a channel has been opened. If its stream fails to begin, the next call for it is
   * {@link #channelClosed}.
   */
  default void channelOpened(Channel channel) {}

  /**
   * Called when a channel's stream has broken and the channel waits for its reader to come back,
   * which happens only if that was granted.
   */
  default void channelInterrupted(Channel channel) {}

  /**
   * Called when a channel's reader has come back. If the broker had not noticed that the previous
   * stream was broken, {@link #channelInterrupted} is called right before.
   */
  default void channelResumed(Channel channel) {}

  /** Called when a channel has closed, after {@link #sessionClosed} for its sessions. */
  default void channelClosed(Channel channel, CloseReason reason) {}

  /** Called when a session has been created. */
  default void sessionOpened(Session session) {}

  /** Called when a session has changed, but not for an update that changes nothing. */
  default void sessionUpdated(Session session) {}

  /** Called when a session has closed, by itself or with its host. */
  default void sessionClosed(Session session) {}

  /** Called when a watch has been opened. */
  default void watchOpened(Watch watch) {}

  /** Called when a watch has ended. */
  default void watchClosed(Watch watch, CloseReason reason) {}

  /**
   * Called with the answer to a message that a channel has sent: sent, queued or refused. Called
   * once for each {@link Channel#send(Message)}, before its sender has the answer.
   *
   * @param sender the channel that sends. The origin in the message is its id or that of one of its
   *     sessions, unless the message was refused for a wrong origin
   */
  default void messageAnswered(Channel sender, Message message, Delivery delivery) {}

  /**
   * Called when a message whose sender was answered "queued" will not be delivered, because its
   * target has not come back. Called whether or not the sender still exists. It may come before
   * {@link #messageAnswered} for the same message, which another thread calls.
   *
   * @param id the id in the answer to the sender: {@link Delivery.Queued#id()}
   * @param reason why the target's channel has closed
   */
  default void messageUndelivered(Message message, String id, CloseReason reason) {}

  /**
   * Called when a call has been refused: the broker, a channel or a session throws {@link
   * RefusedException} for it, or {@link Gateway#perform} answers with {@link Answer.Refused}. A
   * refused message is reported by {@link #messageAnswered} instead. What is refused before a
   * channel is looked for is not reported: what an adapter refuses, and sizes in a {@link Request}.
   *
   * @param channel the channel that acts or is claimed; null if there is none. With {@link
   *     Refusal.Code#WRONG_KEY} it is the channel whose key was not shown, or that reached for a
   *     session of another channel
   */
  default void callRefused(@Nullable Channel channel, Refusal refusal) {}
}
