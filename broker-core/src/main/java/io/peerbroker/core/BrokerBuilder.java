package io.peerbroker.core;

import java.time.Duration;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link Broker}; every setting has a default that is safe for strangers.
 *
 * <p>For one thread; each setter checks its value, throws {@link IllegalArgumentException} for one
 * that makes no sense, and returns this builder.
 */
public final class BrokerBuilder {

  private int maxChannels = 20_000;
  private int maxWatches = 20_000;
  private int maxSessionsPerChannel = 64;
  private int maxTagsPerSession = 32;
  private int maxMessageBytes = 48 << 10;
  private int maxMetadataBytes = 16 << 10;
  private int maxJsonDepth = 64;
  private int maxQueuedEvents = 1_024;
  private int maxQueuedBytes = 1 << 20;
  private long maxTotalQueuedBytes = 512L << 20;
  private Limits.Rate messageRate = new Limits.Rate(100, 200);
  private Limits.Rate sessionRate = new Limits.Rate(100, 200);
  private Duration drainTimeout = Duration.ofSeconds(5);
  private boolean requireSessionKey;
  private @Nullable Timer timer;
  private UnaryOperator<Router> router = UnaryOperator.identity();

  BrokerBuilder() {}

  /**
   * How many channels there may be at one time; one more is refused with {@code at_capacity}.
   * Default 20,000.
   */
  public BrokerBuilder maxChannels(int channels) {
    maxChannels = atLeast(1, channels, "maxChannels");
    return this;
  }

  /**
   * How many live lists there may be at one time; one more is refused with {@code at_capacity}.
   * Default 20,000.
   */
  public BrokerBuilder maxWatches(int watches) {
    maxWatches = atLeast(1, watches, "maxWatches");
    return this;
  }

  /**
   * How many sessions a channel may host; one more is refused with {@code too_many_sessions}.
   * Default 64.
   */
  public BrokerBuilder maxSessionsPerChannel(int sessions) {
    maxSessionsPerChannel = atLeast(1, sessions, "maxSessionsPerChannel");
    return this;
  }

  /**
   * How many tags a session may have; more are refused with {@code invalid_request}. Default 32.
   */
  public BrokerBuilder maxTagsPerSession(int tags) {
    maxTagsPerSession = atLeast(1, tags, "maxTagsPerSession");
    return this;
  }

  /**
   * How many UTF-8 bytes a message may have; a longer one is refused with {@code too_large}.
   * Default 48 KiB.
   */
  public BrokerBuilder maxMessageBytes(int bytes) {
    maxMessageBytes = atLeast(1, bytes, "maxMessageBytes");
    return this;
  }

  /**
   * How many UTF-8 bytes metadata may have; longer ones are refused with {@code too_large}. Default
   * 16 KiB.
   */
  public BrokerBuilder maxMetadataBytes(int bytes) {
    maxMetadataBytes = atLeast(1, bytes, "maxMetadataBytes");
    return this;
  }

  /**
   * How deeply a request body may nest, its own object being 1, so that what it carries has one
   * level less; deeper ones are refused with {@code malformed_json}. 2 to {@value Json#MAX_DEPTH},
   * default 64.
   */
  public BrokerBuilder maxJsonDepth(int depth) {
    if (depth > Json.MAX_DEPTH) {
      throw new IllegalArgumentException(
          "maxJsonDepth must be at most " + Json.MAX_DEPTH + ", not " + depth);
    }
    maxJsonDepth = atLeast(2, depth, "maxJsonDepth");
    return this;
  }

  /**
   * How many events may wait for one reader. A channel's sender is then refused with {@code
   * target_busy}; a watch ends with {@link CloseReason#OVERFLOW}. Default 1,024.
   */
  public BrokerBuilder maxQueuedEvents(int events) {
    maxQueuedEvents = atLeast(1, events, "maxQueuedEvents");
    return this;
  }

  /** How many bytes may wait for one reader; as {@link #maxQueuedEvents}. Default 1 MiB. */
  public BrokerBuilder maxQueuedBytes(int bytes) {
    maxQueuedBytes = atLeast(1, bytes, "maxQueuedBytes");
    return this;
  }

  /**
   * How many bytes may wait in all channels together; beyond it messages are refused with {@code
   * at_capacity}. Default 512 MiB.
   */
  public BrokerBuilder maxTotalQueuedBytes(long bytes) {
    if (bytes < 1) {
      throw new IllegalArgumentException("maxTotalQueuedBytes must be at least 1, not " + bytes);
    }
    maxTotalQueuedBytes = bytes;
    return this;
  }

  /**
   * How fast a channel may send; faster is refused with {@code rate_limited}. Default 100 a second,
   * burst 200.
   */
  public BrokerBuilder messageRate(Limits.Rate rate) {
    messageRate = Objects.requireNonNull(rate, "rate");
    return this;
  }

  /**
   * How fast a channel may create, update and close sessions, together; faster is refused with
   * {@code rate_limited}. Default 100 a second, burst 200.
   */
  public BrokerBuilder sessionRate(Limits.Rate rate) {
    sessionRate = Objects.requireNonNull(rate, "rate");
    return this;
  }

  /**
   * How long a stream that is told to end may take to deliver what is queued; longer than that
   * {@link Broker#close()} does not wait. Default 5 s.
   */
  public BrokerBuilder drainTimeout(Duration timeout) {
    if (timeout.isNegative() || timeout.compareTo(Duration.ofHours(1)) > 0) {
      throw new IllegalArgumentException("drainTimeout must be from 0 to 1 hour, not " + timeout);
    }
    drainTimeout = timeout;
    return this;
  }

  /**
   * Whether hosting a session over a wire takes the channel's key always. Recommended wherever no
   * client is as old as the protocol's first draft, which sent none: whoever has received a message
   * knows its sender's id, and could host a session in its name. Default false.
   */
  public BrokerBuilder requireSessionKey(boolean require) {
    requireSessionKey = require;
    return this;
  }

  /** The timer to go by; its owner closes it after the broker. Default: one of the broker's own. */
  public BrokerBuilder timer(Timer timer) {
    this.timer = Objects.requireNonNull(timer, "timer");
    return this;
  }

  /**
   * Puts a router of the application in place of the broker's own.
   *
   * @param router is given the broker's own, called once, and answers the one to use: often one
   *     that falls back on it
   */
  public BrokerBuilder router(UnaryOperator<Router> router) {
    this.router = Objects.requireNonNull(router, "router");
    return this;
  }

  /** A new broker with these settings. It starts no thread before one is needed. */
  public Broker build() {
    Limits limits =
        new Limits(
            maxChannels,
            maxWatches,
            maxSessionsPerChannel,
            maxTagsPerSession,
            maxMessageBytes,
            maxMetadataBytes,
            maxJsonDepth,
            maxQueuedEvents,
            maxQueuedBytes,
            maxTotalQueuedBytes,
            messageRate,
            sessionRate,
            drainTimeout);
    return new LocalBroker(limits, requireSessionKey, timer, router);
  }

  private static int atLeast(int least, int value, String name) {
    if (value < least) {
      throw new IllegalArgumentException(name + " must be at least " + least + ", not " + value);
    }
    return value;
  }
}
