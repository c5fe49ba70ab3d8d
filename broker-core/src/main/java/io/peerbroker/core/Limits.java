package io.peerbroker.core;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The bounds of a broker: {@link Broker#limits()}. {@link BrokerBuilder} sets and explains each.
 *
 * <p>Immutable. Two are equal when all their bounds are. Later versions add bounds.
 */
public final class Limits {

  /** The values that a builder sets: the only place where a bound and its default are declared. */
  static final class Values implements Cloneable {

    int maxChannels = 20_000;
    int maxWatches = 20_000;
    int maxSessionsPerChannel = 64;
    int maxWatchesPerChannel = 16;
    int maxTagsPerSession = 32;
    int maxMessageBytes = 48 << 10;
    int maxMetadataBytes = 16 << 10;
    int maxJsonDepth = 64;
    int maxQueuedEvents = 1_024;
    int maxQueuedBytes = 1 << 20;
    long maxTotalQueuedBytes = 512L << 20;
    long maxTotalSessionBytes = 1L << 30;
    long maxTotalWatchBytes = 256L << 20;
    int maxReplayEvents = 512;
    int maxReplayBytes = 256 << 10;
    Rate messageRate = new Rate(100, 200);
    Rate sessionRate = new Rate(100, 200);
    Duration maxResume = Duration.ofMinutes(1);
    Duration minLease = Duration.ofSeconds(15);
    Duration maxLease = Duration.ofMinutes(5);
    Duration listPause = Duration.ofMillis(50);
    Duration drainTimeout = Duration.ofSeconds(5);

    Values copy() {
      try {
        return (Values) clone();
      } catch (CloneNotSupportedException e) {
        throw new AssertionError(e);
      }
    }

    /** Returns every bound by its name, in the order in which users read them. */
    private Map<String, Object> byName() {
      Map<String, Object> all = new LinkedHashMap<>();
      all.put("maxChannels", maxChannels);
      all.put("maxWatches", maxWatches);
      all.put("maxSessionsPerChannel", maxSessionsPerChannel);
      all.put("maxWatchesPerChannel", maxWatchesPerChannel);
      all.put("maxTagsPerSession", maxTagsPerSession);
      all.put("maxMessageBytes", maxMessageBytes);
      all.put("maxMetadataBytes", maxMetadataBytes);
      all.put("maxJsonDepth", maxJsonDepth);
      all.put("maxQueuedEvents", maxQueuedEvents);
      all.put("maxQueuedBytes", maxQueuedBytes);
      all.put("maxTotalQueuedBytes", maxTotalQueuedBytes);
      all.put("maxTotalSessionBytes", maxTotalSessionBytes);
      all.put("maxTotalWatchBytes", maxTotalWatchBytes);
      all.put("maxReplayEvents", maxReplayEvents);
      all.put("maxReplayBytes", maxReplayBytes);
      all.put("messageRate", messageRate);
      all.put("sessionRate", sessionRate);
      all.put("maxResume", maxResume);
      all.put("minLease", minLease);
      all.put("maxLease", maxLease);
      all.put("listPause", listPause);
      all.put("drainTimeout", drainTimeout);
      return all;
    }
  }

  private final Values values;

  Limits(Values values) {
    this.values = values.copy();
  }

  /** Returns how many channels may be open at a time: {@link BrokerBuilder#maxChannels}. */
  public int maxChannels() {
    return values.maxChannels;
  }

  /** Returns how many watches may be open at a time: {@link BrokerBuilder#maxWatches}. */
  public int maxWatches() {
    return values.maxWatches;
  }

  /**
   * Returns how many sessions one channel may host at a time: {@link
   * BrokerBuilder#maxSessionsPerChannel}.
   */
  public int maxSessionsPerChannel() {
    return values.maxSessionsPerChannel;
  }

  /**
   * Returns how many lists the stream of one channel may carry at a time: {@link
   * BrokerBuilder#maxWatchesPerChannel}.
   */
  public int maxWatchesPerChannel() {
    return values.maxWatchesPerChannel;
  }

  /**
   * Returns how many different tags one session may have: {@link BrokerBuilder#maxTagsPerSession}.
   */
  public int maxTagsPerSession() {
    return values.maxTagsPerSession;
  }

  /** Returns how many UTF-8 bytes one message may have: {@link BrokerBuilder#maxMessageBytes}. */
  public int maxMessageBytes() {
    return values.maxMessageBytes;
  }

  /**
   * Returns how many UTF-8 bytes the metadata of one session may have: {@link
   * BrokerBuilder#maxMetadataBytes}.
   */
  public int maxMetadataBytes() {
    return values.maxMetadataBytes;
  }

  /**
   * Returns how deeply a request body may nest, where the body's own object is level 1: {@link
   * BrokerBuilder#maxJsonDepth}.
   */
  public int maxJsonDepth() {
    return values.maxJsonDepth;
  }

  /** Returns how many events may wait for one reader: {@link BrokerBuilder#maxQueuedEvents}. */
  public int maxQueuedEvents() {
    return values.maxQueuedEvents;
  }

  /** Returns how many bytes may wait for one reader: {@link BrokerBuilder#maxQueuedBytes}. */
  public int maxQueuedBytes() {
    return values.maxQueuedBytes;
  }

  /**
   * Returns how many bytes may wait for the readers of all channels together: {@link
   * BrokerBuilder#maxTotalQueuedBytes}.
   */
  public long maxTotalQueuedBytes() {
    return values.maxTotalQueuedBytes;
  }

  /**
   * Returns how many bytes all sessions together may take, which approximates their heap: {@link
   * BrokerBuilder#maxTotalSessionBytes}.
   */
  public long maxTotalSessionBytes() {
    return values.maxTotalSessionBytes;
  }

  /**
   * Returns how many bytes all watches together may hold, for changes that wait and for what they
   * remember: {@link BrokerBuilder#maxTotalWatchBytes}.
   */
  public long maxTotalWatchBytes() {
    return values.maxTotalWatchBytes;
  }

  /**
   * Returns how many events are kept for one reader that may come back: {@link
   * BrokerBuilder#maxReplayEvents}.
   */
  public int maxReplayEvents() {
    return values.maxReplayEvents;
  }

  /**
   * Returns how many bytes are kept for one reader that may come back: {@link
   * BrokerBuilder#maxReplayBytes}.
   */
  public int maxReplayBytes() {
    return values.maxReplayBytes;
  }

  /** Returns how fast one channel may send messages: {@link BrokerBuilder#messageRate}. */
  public Rate messageRate() {
    return values.messageRate;
  }

  /**
   * Returns how fast one channel may create, update and close sessions, together: {@link
   * BrokerBuilder#sessionRate}.
   */
  public Rate sessionRate() {
    return values.sessionRate;
  }

  /**
   * Returns how long a channel may survive the loss of its stream; zero if none does: {@link
   * BrokerBuilder#maxResume}.
   */
  public Duration maxResume() {
    return values.maxResume;
  }

  /** Returns the shortest lease that is granted: {@link BrokerBuilder#leaseBounds}. */
  public Duration minLease() {
    return values.minLease;
  }

  /**
   * Returns the longest lease that is granted; zero if none is: {@link BrokerBuilder#leaseBounds}.
   */
  public Duration maxLease() {
    return values.maxLease;
  }

  /**
   * Returns how long a watch is left alone after it was woken for changes: {@link
   * BrokerBuilder#listPause}.
   */
  public Duration listPause() {
    return values.listPause;
  }

  /**
   * Returns how long a stream that is asked to end may take to do so: {@link
   * BrokerBuilder#drainTimeout}.
   */
  public Duration drainTimeout() {
    return values.drainTimeout;
  }

  /**
   * Returns how many bytes one watch with a predicate may use to remember the sessions that it has
   * reported.
   */
  long maxRememberedBytes() {
    return values.maxTotalWatchBytes / 16;
  }

  /**
   * The rate of a token bucket: {@code perSecond} in the long run, {@code burst} at once.
   *
   * @param perSecond at least 1, or 0 for no bound
   * @param burst at least 1, or 0 for no bound
   */
  public record Rate(int perSecond, int burst) {

    /** No bound. */
    public static final Rate UNLIMITED = new Rate(0, 0);

    public Rate {
      if (perSecond < 0 || burst < 0 || (perSecond == 0) != (burst == 0)) {
        throw new IllegalArgumentException(
            "A rate needs perSecond and burst of at least 1, or 0 for both to lift it; got "
                + perSecond
                + " and "
                + burst);
      }
    }

    boolean isUnlimited() {
      return perSecond == 0;
    }
  }

  /**
   * Returns how many bytes the queue of a channel may always hold, whatever the others hold: its
   * share of half of the total.
   */
  public long queueShare() {
    return values.maxTotalQueuedBytes / 2 / values.maxChannels;
  }

  /** Returns how many bytes may wait for one reader that is away. */
  long maxAwayBytes() {
    return values.maxQueuedBytes / 2;
  }

  /** Returns the time that is granted to a client that asks for this much time to come back. */
  Duration grantResume(Duration asked) {
    return asked.compareTo(values.maxResume) < 0 ? asked : values.maxResume;
  }

  /** Returns the lease that is granted to a client that asks for this one. */
  Duration grantLease(Duration asked) {
    if (asked.isZero() || values.maxLease.isZero()) {
      return Duration.ZERO;
    }
    Duration atLeast = asked.compareTo(values.minLease) < 0 ? values.minLease : asked;
    return atLeast.compareTo(values.maxLease) < 0 ? atLeast : values.maxLease;
  }

  /**
   * Refuses a message that is too large or nests too deeply.
   *
   * @throws RefusedException {@code too_large} or {@code malformed_json}
   */
  public void checkMessage(Json message) {
    checkSize("A message", message, values.maxMessageBytes);
  }

  /**
   * Refuses a session that exceeds the bounds.
   *
   * @throws RefusedException {@code invalid_request} (too many tags), {@code too_large} or {@code
   *     malformed_json} (metadata)
   */
  public void check(SessionSpec spec) {
    checkTags(spec.tags());
    checkSize("Metadata", spec.metadata(), values.maxMetadataBytes);
  }

  /** Refuses an update that exceeds the bounds of a session, as {@link #check(SessionSpec)}. */
  public void check(SessionUpdate update) {
    if (update.tags() != null) {
      checkTags(update.tags());
    }
    if (update.metadata() != null) {
      checkSize("Metadata", update.metadata(), values.maxMetadataBytes);
    }
  }

  /** Returns what a message is refused for that is too large or nests too deeply, or null. */
  @Nullable Refusal refusalOf(Json message) {
    try {
      checkMessage(message);
      return null;
    } catch (RefusedException refused) {
      return refused.refusal();
    }
  }

  private void checkTags(List<String> tags) {
    if (tags.size() > values.maxTagsPerSession) {
      throw RefusedException.of(
          Refusal.Code.INVALID_REQUEST,
          "'tags' may name at most "
              + values.maxTagsPerSession
              + " different tags, not "
              + tags.size()
              + ".");
    }
  }

  private void checkSize(String what, Json json, int max) {
    if (json.length() > max) {
      throw RefusedException.of(
          Refusal.Code.TOO_LARGE,
          what + " may have at most " + max + " bytes, not " + json.length() + ".");
    }
    if (json.depth() >= values.maxJsonDepth) {
      throw RefusedException.of(
          Refusal.Code.MALFORMED_JSON,
          what
              + " may nest at most "
              + (values.maxJsonDepth - 1)
              + " levels, not "
              + json.depth()
              + ".");
    }
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Limits limits && values.byName().equals(limits.values.byName());
  }

  @Override
  public int hashCode() {
    return values.byName().hashCode();
  }

  /** Lists every bound with its value. */
  @Override
  public String toString() {
    return "Limits" + values.byName();
  }
}
