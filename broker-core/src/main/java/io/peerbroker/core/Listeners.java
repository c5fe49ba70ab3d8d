package io.peerbroker.core;

import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The application's listeners. Without any, notifying costs a look at an empty list.
 *
 * <p>What happens to a channel, a session or a watch is reported by its {@link Lifecycle}, which
 * keeps the order.
 */
final class Listeners {

  private final List<BrokerListener> listeners;

  /** Where a listener is notified that is slower than what happens; refuses nothing. */
  private final Executor aside;

  Listeners(List<BrokerListener> listeners, Executor aside) {
    this.listeners = List.copyOf(listeners);
    this.aside = aside;
  }

  boolean isEmpty() {
    return listeners.isEmpty();
  }

  /** Calls every listener, inside a call that {@link ForeignCalls#runNotification} has let in. */
  void notifyEach(Consumer<BrokerListener> call) {
    for (BrokerListener listener : listeners) {
      ForeignCalls.runLogged(() -> call.accept(listener));
    }
  }

  /** Notifies listeners on another thread, so that this one is not kept. */
  void notifyElsewhere(Runnable notification) {
    aside.execute(() -> ForeignCalls.runNotification(notification));
  }

  private void notifyNow(Consumer<BrokerListener> call) {
    ForeignCalls.runNotification(() -> notifyEach(call));
  }

  void messageAnswered(Channel sender, Message message, Delivery delivery) {
    if (!isEmpty()) {
      notifyNow(listener -> listener.messageAnswered(sender, message, delivery));
    }
  }

  void messageUndelivered(Message message, String id, CloseReason reason) {
    if (!isEmpty()) {
      notifyNow(listener -> listener.messageUndelivered(message, id, reason));
    }
  }

  void callRefused(@Nullable Channel channel, Refusal refusal) {
    if (!isEmpty()) {
      notifyNow(listener -> listener.callRefused(channel, refusal));
    }
  }
}
