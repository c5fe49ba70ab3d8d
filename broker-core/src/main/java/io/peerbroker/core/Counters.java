package io.peerbroker.core;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/**
 * What a broker counts. Takes no lock.
 *
 * <p>What happens to a channel, a session or a watch is counted by its {@link Lifecycle}, in the
 * step in which it is decided.
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

  final LongAdder channelsOpened = new LongAdder();
  final ByKey<CloseReason> channelsClosed = new ByKey<>(CloseReason.class);
  final LongAdder channelsInterrupted = new LongAdder();
  final LongAdder channelsResumed = new LongAdder();
  final LongAdder channelsWaiting = new LongAdder();
  final LongAdder sessionsOpened = new LongAdder();
  final LongAdder sessionsUpdated = new LongAdder();
  final LongAdder sessionsClosed = new LongAdder();
  final LongAdder watchesOpen = new LongAdder();
  final LongAdder watchesOpened = new LongAdder();
  final ByKey<CloseReason> watchesClosed = new ByKey<>(CloseReason.class);
  final LongAdder messagesSent = new LongAdder();
  final LongAdder messagesQueued = new LongAdder();
  final LongAdder messagesUndelivered = new LongAdder();
  final ByKey<Refusal.Code> messagesRefused = new ByKey<>(Refusal.Code.class);
  final ByKey<Refusal.Code> callsRefused = new ByKey<>(Refusal.Code.class);

  /** Counts what a message was answered. */
  void answered(Delivery delivery) {
    if (delivery instanceof Delivery.Refused refused) {
      messagesRefused.increment(refused.refusal().code());
    } else if (delivery instanceof Delivery.Queued) {
      messagesQueued.increment();
    } else {
      messagesSent.increment();
    }
  }

  /** Fills in what has been counted. */
  void copyTo(BrokerStats.Values values) {
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
  }
}
