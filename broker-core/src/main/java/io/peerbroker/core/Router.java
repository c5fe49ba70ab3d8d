package io.peerbroker.core;

import java.util.concurrent.CompletionStage;

/**
 * Finds a message's target and passes the message to it.
 *
 * <p>The broker's own router looks among its channels and sessions and returns at once. An
 * application may put one in front of it (see {@link BrokerBuilder#router}), for example to carry
 * messages to other nodes. It is called once for each message after the message's origin has been
 * checked, on the sender's thread and outside all locks.
 */
@FunctionalInterface
public interface Router {

  /**
   * Passes one message to its target. Must not block. Messages that one thread routes to the same
   * target must arrive in the same order.
   *
   * @return the result; a refusal is a {@link Delivery.Refused}, not an exceptional completion
   */
  CompletionStage<Delivery> route(Message message);
}
