package io.peerbroker.core;

import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The application's listeners. Without any, notifying costs a look at an empty list.
 *
 * <p>The {@link Lifecycle} of a channel, a session or a watch reports its events and keeps their
 * order.
 */
final class Listeners {

  private final List<BrokerListener> listeners;

  /** Continues the notifications of a listener that is slower than the events; rejects nothing. */
  private final Executor aside;

  Listeners(List<BrokerListener> listeners, Executor aside) {
    this.listeners = List.copyOf(listeners);
    this.aside = aside;
  }

  boolean isEmpty() {
    return listeners.isEmpty();
  }

  /** Calls every listener. Called only inside {@link ForeignCalls#runNotification}. */
  void notifyEach(Consumer<BrokerListener> call) {
    for (BrokerListener listener : listeners) {
      ForeignCalls.runLogged(() -> call.accept(listener));
    }
  }

  /** Notifies listeners on another thread, so that this one is free. */
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
