package io.peerbroker.core;

import java.time.Duration;
import java.util.List;

/**
 * The bounds that a broker keeps. Made by {@link BrokerBuilder}, where each is explained.
 *
 * @param maxChannels channels at one time
 * @param maxWatches watches at one time
 * @param maxSessionsPerChannel sessions that one channel hosts at one time
 * @param maxTagsPerSession tags of one session, duplicates folded
 * @param maxMessageBytes UTF-8 bytes of one message
 * @param maxMetadataBytes UTF-8 bytes of one session's metadata
 * @param maxJsonDepth nesting of a request body, the body's own object being 1
 * @param maxQueuedEvents events waiting for one reader
 * @param maxQueuedBytes bytes waiting for one reader
 * @param maxTotalQueuedBytes bytes waiting for all readers of channels together
 * @param maxTotalSessionBytes bytes of all sessions together, about what they take in the heap
 * @param maxTotalWatchBytes bytes of what waits for all watches, and of what they remember
 * @param maxReplayEvents events kept for one reader who may come back
 * @param maxReplayBytes bytes kept for one reader who may come back
 * @param messageRate messages of one channel
 * @param sessionRate creations, updates and closes of sessions of one channel, together
 * @param maxResume for how long a channel may live on when its stream breaks
 * @param minLease the shortest promise to be heard from
 * @param maxLease the longest promise to be heard from; zero where none is taken
 * @param listPause how long a watch has its peace after it was woken for changes
 * @param drainTimeout how long a stream that is told to end may take to do so
 */
public record Limits(
    int maxChannels,
    int maxWatches,
    int maxSessionsPerChannel,
    int maxTagsPerSession,
    int maxMessageBytes,
    int maxMetadataBytes,
    int maxJsonDepth,
    int maxQueuedEvents,
    int maxQueuedBytes,
    long maxTotalQueuedBytes,
    long maxTotalSessionBytes,
    long maxTotalWatchBytes,
    int maxReplayEvents,
    int maxReplayBytes,
    Rate messageRate,
    Rate sessionRate,
    Duration maxResume,
    Duration minLease,
    Duration maxLease,
    Duration listPause,
    Duration drainTimeout) {

  /** How many bytes one watch with a predicate may take to remember what it has told. */
  long maxRememberedBytes() {
    return maxTotalWatchBytes / 16;
  }

  /**
   * A token bucket's measure: so many a second in the long run, {@code burst} at once.
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
   * How many bytes the queue of a channel may always hold, whatever all others do: its part of half
   * of what they may hold together.
   */
  public long queueShare() {
    return maxTotalQueuedBytes / 2 / maxChannels;
  }

  /** How many bytes may wait for one reader who is away. */
  long maxAwayBytes() {
    return maxQueuedBytes / 2;
  }

  /** What is granted to whoever asks for this much time to come back. */
  Duration grantResume(Duration asked) {
    return asked.compareTo(maxResume) < 0 ? asked : maxResume;
  }

  /** What is granted to whoever promises to be heard from this often. */
  Duration grantLease(Duration asked) {
    if (asked.isZero() || maxLease.isZero()) {
      return Duration.ZERO;
    }
    Duration atLeast = asked.compareTo(minLease) < 0 ? minLease : asked;
    return atLeast.compareTo(maxLease) < 0 ? atLeast : maxLease;
  }

  /**
   * Refuses a message that is too large or nests too deeply.
   *
   * @throws RefusedException {@code too_large} or {@code malformed_json}
   */
  public void checkMessage(Json message) {
    checkSize("A message", message, maxMessageBytes);
  }

  /**
   * Refuses a session with more than it may have.
   *
   * @throws RefusedException {@code invalid_request} (too many tags), {@code too_large} or {@code
   *     malformed_json} (metadata)
   */
  public void check(SessionSpec spec) {
    checkTags(spec.tags());
    checkSize("Metadata", spec.metadata(), maxMetadataBytes);
  }

  /** Refuses an update to more than a session may have, as {@link #check(SessionSpec)}. */
  public void check(SessionUpdate update) {
    if (update.tags() != null) {
      checkTags(update.tags());
    }
    if (update.metadata() != null) {
      checkSize("Metadata", update.metadata(), maxMetadataBytes);
    }
  }

  private void checkTags(List<String> tags) {
    if (tags.size() > maxTagsPerSession) {
      throw refused(
          Refusal.Code.INVALID_REQUEST,
          "'tags' may name at most "
              + maxTagsPerSession
              + " different tags, not "
              + tags.size()
              + ".");
    }
  }

  private void checkSize(String what, Json json, int max) {
    if (json.length() > max) {
      throw refused(
          Refusal.Code.TOO_LARGE,
          what + " may have at most " + max + " bytes, not " + json.length() + ".");
    }
    if (json.depth() >= maxJsonDepth) {
      throw refused(
          Refusal.Code.MALFORMED_JSON,
          what + " may nest at most " + (maxJsonDepth - 1) + " levels, not " + json.depth() + ".");
    }
  }

  private static RefusedException refused(Refusal.Code code, String detail) {
    return new RefusedException(Refusal.of(code, detail));
  }
}
