package io.peerbroker.core;

/**
 * The owner of a channel in this JVM, which receives its messages.
 *
 * <p>Called one event at a time, in order, on the executor given at {@link
 * Broker#openChannel(Receiver, java.util.concurrent.Executor)}, never nested inside another
 * receiver's call. An exception from it is logged and affects nothing else; the next event comes as
 * usual. While it runs, messages to it wait in its bounded queue.
 */
@FunctionalInterface
public interface Receiver {

  /** Receives one message that was sent to the channel or to one of its sessions. */
  void received(Channel channel, Message message);

  /**
   * Notifies it that the channel has closed. Called once, last; not at all if the executor has
   * rejected a task.
   */
  default void closed(Channel channel, CloseReason reason) {}
}
