package io.peerbroker.core;

import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The broker's counters and listeners: other classes report an event in one line.
 *
 * <p>Counting takes no lock, and without listeners a report costs a look at an empty list. The
 * events of a channel, a session or a watch come through its {@link Lifecycle}, which keeps their
 * order.
 */
final class Counters {

  /** A counter for each constant of an enum. */
  static final class ByKey<E extends Enum<E>> {

    private final Class<E> keys;
    private final Map<E, LongAdder> counts;

    ByKey(Class<E> keys) {
      this.keys = keys;
      counts = new EnumMap<>(keys);
      for (E key : keys.getEnumConstants()) {
        counts.put(key, new LongAdder());
      }
    }

    void increment(E key) {
      LongAdder count = counts.get(key);
      if (count != null) {
        count.increment();
      }
    }

    Map<E, Long> sums() {
      Map<E, Long> sums = new EnumMap<>(keys);
      counts.forEach((key, count) -> sums.put(key, count.sum()));
      return Collections.unmodifiableMap(sums);
    }
  }

  private final List<BrokerListener> listeners;
  private final Executor aside;

  final LongAdder channelsOpened = new LongAdder();
  final ByKey<CloseReason> channelsClosed = new ByKey<>(CloseReason.class);
  final LongAdder channelsInterrupted = new LongAdder();
  final LongAdder channelsResumed = new LongAdder();
  final LongAdder channelsWaiting = new LongAdder();
  final LongAdder sessionsOpened = new LongAdder();
  final LongAdder sessionsUpdated = new LongAdder();
  final LongAdder sessionsClosed = new LongAdder();
  final LongAdder watchesOpened = new LongAdder();
  final ByKey<CloseReason> watchesClosed = new ByKey<>(CloseReason.class);
  private final LongAdder messagesSent = new LongAdder();
  private final LongAdder messagesQueued = new LongAdder();
  private final LongAdder messagesUndelivered = new LongAdder();
  private final ByKey<Refusal.Code> messagesRefused = new ByKey<>(Refusal.Code.class);
  private final ByKey<Refusal.Code> callsRefused = new ByKey<>(Refusal.Code.class);

  /**
   * @param aside continues the reports to a listener that is slower than the events; rejects
   *     nothing
   */
  Counters(List<BrokerListener> listeners, Executor aside) {
    this.listeners = List.copyOf(listeners);
    this.aside = aside;
  }

  boolean hasListeners() {
    return !listeners.isEmpty();
  }

  /** Notifies listeners on another thread, so that this one is free. */
  void notifyElsewhere(Runnable telling) {
    aside.execute(() -> ForeignCalls.runNotification(telling));
  }

  /** Calls every listener. Called only inside {@link ForeignCalls#runNotification}. */
  void notifyEach(Consumer<BrokerListener> call) {
    for (BrokerListener listener : listeners) {
      ForeignCalls.runLogged(() -> call.accept(listener));
    }
  }

  private void notifyListeners(Consumer<BrokerListener> call) {
    ForeignCalls.runNotification(() -> notifyEach(call));
  }

  /**
   * Reports a message that is in the queue of a reader: the usual answer, which allocates nothing.
   */
  void sent(Channel sender, Message message) {
    messagesSent.increment();
    if (hasListeners()) {
      notifyListeners(listener -> listener.messageAnswered(sender, message, new Delivery.Sent()));
    }
  }

  void answered(Channel sender, Message message, Delivery delivery) {
    if (delivery instanceof Delivery.Refused refused) {
      messagesRefused.increment(refused.refusal().code());
    } else if (delivery instanceof Delivery.Queued) {
      messagesQueued.increment();
    } else {
      messagesSent.increment();
    }
    if (hasListeners()) {
      notifyListeners(listener -> listener.messageAnswered(sender, message, delivery));
    }
  }

  void undelivered(Message message, String id, CloseReason reason) {
    messagesUndelivered.increment();
    if (hasListeners()) {
      notifyListeners(listener -> listener.messageUndelivered(message, id, reason));
    }
  }

  /** Reports a refused call, and returns the exception for the caller to throw. */
  RefusedException refused(@Nullable Channel channel, RefusedException refused) {
    Refusal refusal = refused.refusal();
    callsRefused.increment(refusal.code());
    if (hasListeners()) {
      notifyListeners(listener -> listener.callRefused(channel, refusal));
    }
    return refused;
  }

  BrokerStats stats(LocalBroker broker) {
    Directory directory = broker.directory;
    BrokerStats.Values values = new BrokerStats.Values();
    values.channels = directory.channelCount();
    values.waiting = channelsWaiting.intValue();
    values.sessions = directory.sessionCount();
    values.listed = directory.listedCount();
    values.watches = broker.watchCount();
    values.streams = broker.streamCount();
    values.queuedBytes = broker.budget.used() + broker.replay.used() + broker.ownBudget.used();
    values.sessionBytes = directory.sessionBytes.used();
    values.watchBytes = directory.watchBytes.used();
    values.channelsOpened = channelsOpened.sum();
    values.channelsClosed = channelsClosed.sums();
    values.channelsInterrupted = channelsInterrupted.sum();
    values.channelsResumed = channelsResumed.sum();
    values.sessionsOpened = sessionsOpened.sum();
    values.sessionsUpdated = sessionsUpdated.sum();
    values.sessionsClosed = sessionsClosed.sum();
    values.watchesOpened = watchesOpened.sum();
    values.watchesClosed = watchesClosed.sums();
    values.messagesSent = messagesSent.sum();
    values.messagesQueued = messagesQueued.sum();
    values.messagesUndelivered = messagesUndelivered.sum();
    values.messagesRefused = messagesRefused.sums();
    values.callsRefused = callsRefused.sums();
    return new BrokerStats(values);
  }
}
