package io.peerbroker.core;

import java.util.concurrent.CompletionStage;

/**
 * What finds a message's target and hands the message over.
 *
 * <p>The broker's own looks among its channels and sessions and answers at once. An application may
 * put its own in front (see {@link BrokerBuilder#router}), to carry messages to other nodes, say.
 * It is called once for each message whose origin has been checked, on the sender's thread and
 * outside all locks.
 */
@FunctionalInterface
public interface Router {

  /**
   * Carries one message to its target. Must not block; messages that one thread routes to one
   * target must arrive in that order.
   *
   * @return what became of it; a refusal is a {@link Delivery.Refused}, not an exceptional
   *     completion
   */
  CompletionStage<Delivery> route(Message message);
}
