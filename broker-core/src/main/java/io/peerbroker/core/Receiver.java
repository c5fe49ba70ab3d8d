package io.peerbroker.core;

/**
 * A party in this JVM that owns a channel.
 *
 * <p>Called one event at a time, in order, on the executor given at {@link
 * Broker#openChannel(Receiver, java.util.concurrent.Executor)}, never nested inside another
 * receiver's call. What it throws is logged and hurts nobody; the next event comes all the same.
 * While it runs, what is sent to it waits in its bounded queue.
 */
@FunctionalInterface
public interface Receiver {

  /** Takes one message that was sent to the channel or to one of its sessions. */
  void received(Channel channel, Message message);

  /**
   * Learns that the channel has closed. Called once, last; not at all where the executor has
   * rejected a task.
   */
  default void closed(Channel channel, CloseReason reason) {}
}
