package io.peerbroker.core;

import java.time.Duration;

/**
 * The bounds that a broker keeps. Made by {@link BrokerBuilder}, where each is explained.
 *
 * @param maxChannels channels at one time
 * @param maxWatches live lists at one time
 * @param maxSessionsPerChannel sessions that one channel hosts at one time
 * @param maxTagsPerSession tags of one session, duplicates folded
 * @param maxMessageBytes UTF-8 bytes of one message
 * @param maxMetadataBytes UTF-8 bytes of one session's metadata
 * @param maxJsonDepth nesting of a request body, the body's own object being 1
 * @param maxQueuedEvents events waiting for one reader
 * @param maxQueuedBytes bytes waiting for one reader
 * @param maxTotalQueuedBytes bytes waiting for all readers of channels together
 * @param messageRate messages of one channel
 * @param sessionRate creations, updates and closes of sessions of one channel, together
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
    Rate messageRate,
    Rate sessionRate,
    Duration drainTimeout) {

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
}
