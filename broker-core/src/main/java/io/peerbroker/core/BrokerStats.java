package io.peerbroker.core;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a broker holds now, and what it has done since it was created: {@link Broker#stats()}.
 *
 * <p>The figures are read one after another while the broker works, so a sum may be off by what
 * happens meanwhile. While nothing happens they agree with each other and with the calls to a
 * {@link BrokerListener}: {@code channels} is {@code channelsOpened} minus all of {@code
 * channelsClosed}, and so on for sessions and watches. The first nine go up and down; all others
 * only grow. The maps have every key of their enum, with 0 for what has not occurred, in the order
 * of the enum, and are unmodifiable.
 *
 * <p>Immutable. Two are equal when all their figures are. Later versions add figures.
 */
public final class BrokerStats {

  /** The figures while they are collected: the only place where a figure is declared. */
  static final class Values implements Cloneable {

    int channels;
    int waiting;
    int sessions;
    int listed;
    int watches;
    int streams;
    long queuedBytes;
    long sessionBytes;
    long watchBytes;
    long channelsOpened;
    Map<CloseReason, Long> channelsClosed = Map.of();
    long channelsInterrupted;
    long channelsResumed;
    long sessionsOpened;
    long sessionsUpdated;
    long sessionsClosed;
    long watchesOpened;
    Map<CloseReason, Long> watchesClosed = Map.of();
    long messagesSent;
    long messagesQueued;
    long messagesUndelivered;
    Map<Refusal.Code, Long> messagesRefused = Map.of();
    Map<Refusal.Code, Long> callsRefused = Map.of();

    private Values copy() {
      try {
        return (Values) clone();
      } catch (CloneNotSupportedException e) {
        throw new AssertionError(e);
      }
    }

    /** Returns every figure by its name, in the order in which users read them. */
    private Map<String, Object> byName() {
      Map<String, Object> all = new LinkedHashMap<>();
      all.put("channels", channels);
      all.put("waiting", waiting);
      all.put("sessions", sessions);
      all.put("listed", listed);
      all.put("watches", watches);
      all.put("streams", streams);
      all.put("queuedBytes", queuedBytes);
      all.put("sessionBytes", sessionBytes);
      all.put("watchBytes", watchBytes);
      all.put("channelsOpened", channelsOpened);
      all.put("channelsClosed", channelsClosed);
      all.put("channelsInterrupted", channelsInterrupted);
      all.put("channelsResumed", channelsResumed);
      all.put("sessionsOpened", sessionsOpened);
      all.put("sessionsUpdated", sessionsUpdated);
      all.put("sessionsClosed", sessionsClosed);
      all.put("watchesOpened", watchesOpened);
      all.put("watchesClosed", watchesClosed);
      all.put("messagesSent", messagesSent);
      all.put("messagesQueued", messagesQueued);
      all.put("messagesUndelivered", messagesUndelivered);
      all.put("messagesRefused", messagesRefused);
      all.put("callsRefused", callsRefused);
      return all;
    }
  }

  private final Values values;

  BrokerStats(Values values) {
    this.values = values.copy();
  }

  /**
   * Returns how many channels are open, including those that wait for their reader; at most {@link
   * Limits#maxChannels()}, and as many again of the application's own.
   */
  public int channels() {
    return values.channels;
  }

  /** Returns how many of the {@link #channels()} wait for their reader to come back. */
  public int waiting() {
    return values.waiting;
  }

  /** Returns how many sessions are open. */
  public int sessions() {
    return values.sessions;
  }

  /** Returns how many of the {@link #sessions()} are listed. */
  public int listed() {
    return values.listed;
  }

  /**
   * Returns how many watches are open; at most {@link Limits#maxWatches()}, and as many again of
   * the application's own. A list on the stream of a channel counts while there is a stream, not
   * while the channel waits for its reader: it gives way then.
   */
  public int watches() {
    return values.watches;
  }

  /**
   * Returns how many streams have not ended: those of channels, those of watches, and those that
   * were replaced by another and have not ended yet. Receivers and watchers in this JVM count as
   * one each.
   */
  public int streams() {
    return values.streams;
  }

  /**
   * Returns how many bytes wait in all channels, including what is kept for replay. The part in
   * clients' channels is at most {@link Limits#maxTotalQueuedBytes()}; the application's own
   * channels have no such bound.
   */
  public long queuedBytes() {
    return values.queuedBytes;
  }

  /**
   * Returns the approximate bytes of all sessions, with their tags and metadata; at most {@link
   * Limits#maxTotalSessionBytes()}.
   */
  public long sessionBytes() {
    return values.sessionBytes;
  }

  /**
   * Returns the approximate bytes that watches hold: changes that wait, and what watches with a
   * predicate have shown. The latter stays within {@link Limits#maxTotalWatchBytes()}; changes
   * beyond it end the watches that are behind.
   */
  public long watchBytes() {
    return values.watchBytes;
  }

  /** Returns how many channels have been opened. */
  public long channelsOpened() {
    return values.channelsOpened;
  }

  /** Returns how many channels have closed, by reason. */
  public Map<CloseReason, Long> channelsClosed() {
    return values.channelsClosed;
  }

  /** Returns how often a channel's stream broke and the channel waited for its reader. */
  public long channelsInterrupted() {
    return values.channelsInterrupted;
  }

  /**
   * Returns how often a reader has come back. This is {@link #channelsInterrupted()} minus the
   * readers that the broker is {@link #waiting()} for and those that did not come back.
   */
  public long channelsResumed() {
    return values.channelsResumed;
  }

  /** Returns how many sessions have been created. */
  public long sessionsOpened() {
    return values.sessionsOpened;
  }

  /** Returns how often a session has changed. */
  public long sessionsUpdated() {
    return values.sessionsUpdated;
  }

  /** Returns how many sessions have ended. */
  public long sessionsClosed() {
    return values.sessionsClosed;
  }

  /** Returns how many watches have been opened. */
  public long watchesOpened() {
    return values.watchesOpened;
  }

  /**
   * Returns how many watches have ended, by reason; {@link CloseReason#OVERFLOW} counts those that
   * did not keep up.
   */
  public Map<CloseReason, Long> watchesClosed() {
    return values.watchesClosed;
  }

  /** Returns how many messages, sent by channels of this broker, became {@link Delivery.Sent}. */
  public long messagesSent() {
    return values.messagesSent;
  }

  /** Returns how many messages became {@link Delivery.Queued}. */
  public long messagesQueued() {
    return values.messagesQueued;
  }

  /**
   * Returns how many of the queued messages were not delivered, since their target did not come
   * back.
   */
  public long messagesUndelivered() {
    return values.messagesUndelivered;
  }

  /** Returns how many messages became {@link Delivery.Refused}, by code. */
  public Map<Refusal.Code, Long> messagesRefused() {
    return values.messagesRefused;
  }

  /**
   * Returns how many other calls were refused, by code: those of which {@link
   * BrokerListener#callRefused} is notified. A body that is not JSON and a message over the wire
   * that is too large are not among them.
   */
  public Map<Refusal.Code, Long> callsRefused() {
    return values.callsRefused;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof BrokerStats stats && values.byName().equals(stats.values.byName());
  }

  @Override
  public int hashCode() {
    return values.byName().hashCode();
  }

  /** Lists every figure with its value. */
  @Override
  public String toString() {
    return "BrokerStats" + values.byName();
  }
}
