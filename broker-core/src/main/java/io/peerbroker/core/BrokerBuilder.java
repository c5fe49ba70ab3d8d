package io.peerbroker.core;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link Broker}; every setting has a default that is safe for strangers.
 *
 * <p>For one thread; each setter checks its value, throws {@link IllegalArgumentException} for one
 * that makes no sense, and returns this builder.
 */
public final class BrokerBuilder {

  private final Limits.Values limits = new Limits.Values();
  private boolean requireSessionKey;
  private @Nullable Timer timer;
  private @Nullable Executor receiverExecutor;
  private int maxReceiverThreads = 64;
  private AccessPolicy policy = AccessPolicy.allowAll();
  private UnaryOperator<Router> router = UnaryOperator.identity();
  private final List<BrokerListener> listeners = new ArrayList<>();

  BrokerBuilder() {}

  /**
   * Sets what suits a broker that is open to everybody: clients that nobody has chosen, on a heap
   * that was not sized for the worst of them. To be called first, since it sets all that it names;
   * a setter that comes later wins. It changes nothing but these, each with its reason:
   *
   * <ul>
   *   <li>{@link #requireSessionKey}: no client is as old as the first draft, and the receiver of a
   *       message could host a session in its sender's name.
   *   <li>{@link #maxChannels} and {@link #maxWatches} 10,000: the bounds below are for each of
   *       them, so half as many halve what all can take.
   *   <li>{@link #maxSessionsPerChannel} 4: a page needs one or two.
   *   <li>{@link #maxTagsPerSession} 8 and {@link #maxMetadataBytes} 1 KiB: enough to be found and
   *       to have a name.
   *   <li>{@link #maxTotalSessionBytes} an eighth of the heap that this JVM may use, at most the
   *       default: room for some 44,000 of the largest in a heap of 2 GiB.
   *   <li>{@link #maxMessageBytes} 32 KiB: Chromium's offer of audio and four videos has 20.1 kB,
   *       and each further one adds 4.2.
   *   <li>{@link #maxJsonDepth} 16: an offer in its body has a depth of 3.
   *   <li>{@link #maxQueuedEvents} 256 and {@link #maxQueuedBytes} 256 KiB: what some ten peers
   *       send who all connect at one time.
   *   <li>{@link #maxTotalQueuedBytes} an eighth of the heap that this JVM may use, at most the
   *       default: while it is written, a small event takes three times its size.
   *   <li>{@link #maxTotalWatchBytes} a sixteenth of the heap, at most the default: what lists that
   *       stall keep waiting.
   *   <li>{@link #maxReplayEvents} 128 and {@link #maxReplayBytes} 64 KiB: half of a queue's
   *       events.
   *   <li>{@link #maxResume} 30 s: the network of a phone changes in less, and a client that is
   *       gone for good frees its permit in half the time.
   *   <li>{@link #messageRate} 20 a second, burst 100: an offer and its candidates to several peers
   *       at once, and no flood.
   *   <li>{@link #sessionRate} 2 a second, burst 10: each change is told to everybody who watches.
   * </ul>
   *
   * <p>A client that opens one channel after another has the rates of each of them; that needs a
   * limit for each address, which a proxy or a filter keeps.
   */
  public BrokerBuilder openToEverybody() {
    Limits.Values defaults = new Limits.Values();
    long eighthOfHeap = Runtime.getRuntime().maxMemory() / 8;
    return requireSessionKey(true)
        .maxChannels(10_000)
        .maxWatches(10_000)
        .maxSessionsPerChannel(4)
        .maxTagsPerSession(8)
        .maxMetadataBytes(1 << 10)
        .maxMessageBytes(32 << 10)
        .maxJsonDepth(16)
        .maxQueuedEvents(256)
        .maxQueuedBytes(256 << 10)
        .maxTotalQueuedBytes(Math.min(eighthOfHeap, defaults.maxTotalQueuedBytes))
        .maxTotalSessionBytes(Math.min(eighthOfHeap, defaults.maxTotalSessionBytes))
        .maxTotalWatchBytes(Math.min(eighthOfHeap / 2, defaults.maxTotalWatchBytes))
        .maxReplayEvents(128)
        .maxReplayBytes(64 << 10)
        .maxResume(Duration.ofSeconds(30))
        .messageRate(new Limits.Rate(20, 100))
        .sessionRate(new Limits.Rate(2, 10));
  }

  /**
   * How many channels there may be at one time. One more takes the place of the channel that waits
   * longest for its reader, or is refused with {@code at_capacity}. The application's own are
   * counted apart, up to as many. Default 20,000.
   */
  public BrokerBuilder maxChannels(int channels) {
    limits.maxChannels = atLeast(1, channels, "maxChannels");
    return this;
  }

  /**
   * How many watches there may be at one time; one more is refused with {@code at_capacity}. The
   * application's own are counted apart, up to as many. Default 20,000.
   */
  public BrokerBuilder maxWatches(int watches) {
    limits.maxWatches = atLeast(1, watches, "maxWatches");
    return this;
  }

  /**
   * How many sessions a channel may host; one more is refused with {@code too_many_sessions}. The
   * application's own channels have no such bound. Default 64.
   */
  public BrokerBuilder maxSessionsPerChannel(int sessions) {
    limits.maxSessionsPerChannel = atLeast(1, sessions, "maxSessionsPerChannel");
    return this;
  }

  /**
   * How many tags a session may have; more are refused with {@code invalid_request}. Default 32.
   */
  public BrokerBuilder maxTagsPerSession(int tags) {
    limits.maxTagsPerSession = atLeast(1, tags, "maxTagsPerSession");
    return this;
  }

  /**
   * How many UTF-8 bytes a message may have; a longer one is refused with {@code too_large}.
   * Default 48 KiB.
   */
  public BrokerBuilder maxMessageBytes(int bytes) {
    limits.maxMessageBytes = atLeast(1, bytes, "maxMessageBytes");
    return this;
  }

  /**
   * How many UTF-8 bytes metadata may have; longer ones are refused with {@code too_large}. Default
   * 16 KiB.
   */
  public BrokerBuilder maxMetadataBytes(int bytes) {
    limits.maxMetadataBytes = atLeast(1, bytes, "maxMetadataBytes");
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
    limits.maxJsonDepth = atLeast(2, depth, "maxJsonDepth");
    return this;
  }

  /**
   * How many events may wait for one reader. A channel's sender is then refused with {@code
   * target_busy}; a watch ends with {@link CloseReason#OVERFLOW}. Default 1,024.
   */
  public BrokerBuilder maxQueuedEvents(int events) {
    limits.maxQueuedEvents = atLeast(1, events, "maxQueuedEvents");
    return this;
  }

  /** How many bytes may wait for one reader; as {@link #maxQueuedEvents}. Default 1 MiB. */
  public BrokerBuilder maxQueuedBytes(int bytes) {
    limits.maxQueuedBytes = atLeast(1, bytes, "maxQueuedBytes");
    return this;
  }

  /**
   * How many bytes may wait in all channels together, with what is kept for replay. Half of it is
   * in equal shares ({@link Limits#queueShare()}), which nobody can take from a queue; beyond that
   * and what is shared, messages are refused with {@code at_capacity}. Default 512 MiB.
   */
  public BrokerBuilder maxTotalQueuedBytes(long bytes) {
    limits.maxTotalQueuedBytes = atLeastOne(bytes, "maxTotalQueuedBytes");
    return this;
  }

  /**
   * How many bytes all sessions may take together, counted as about what they take in the heap: 600
   * for each, its metadata, and for each tag 300 and two for each of its chars. One that would take
   * more, new or by an update, is refused with {@code at_capacity}. Default 1 GiB.
   */
  public BrokerBuilder maxTotalSessionBytes(long bytes) {
    limits.maxTotalSessionBytes = atLeastOne(bytes, "maxTotalSessionBytes");
    return this;
  }

  /**
   * How many bytes watches may hold together: the changes that wait for those who do not keep up,
   * each counted once, and what lists with a predicate ({@link Scope#visible()}) remember of what
   * they have told, of which one may hold a sixteenth. Where there are more, lists that lag behind
   * by more than an equal share end with {@link CloseReason#OVERFLOW}, and a list with a predicate
   * that would need more is refused with {@code at_capacity}. Default 256 MiB.
   */
  public BrokerBuilder maxTotalWatchBytes(long bytes) {
    limits.maxTotalWatchBytes = atLeastOne(bytes, "maxTotalWatchBytes");
    return this;
  }

  /**
   * How many events that a reader has been given are kept until it confirms them, to give them
   * again when it comes back; the oldest are dropped first. All together have a quarter of {@link
   * #maxTotalQueuedBytes} for it. Default 512.
   */
  public BrokerBuilder maxReplayEvents(int events) {
    limits.maxReplayEvents = atLeast(1, events, "maxReplayEvents");
    return this;
  }

  /** How many bytes are kept for that; as {@link #maxReplayEvents}. Default 256 KiB. */
  public BrokerBuilder maxReplayBytes(int bytes) {
    limits.maxReplayBytes = atLeast(1, bytes, "maxReplayBytes");
    return this;
  }

  /**
   * For how long a channel may live on when its stream breaks, where its client has asked for that.
   * Whole seconds to 1 hour; zero turns the feature off. Default 60 s.
   */
  public BrokerBuilder maxResume(Duration resume) {
    Objects.requireNonNull(resume, "resume");
    limits.maxResume = wholeSeconds(resume, "maxResume");
    return this;
  }

  /**
   * How often a client that promises to be heard from must at least be. Whole seconds to 1 hour; a
   * longest of zero turns the feature off. Default 15 s to 300 s.
   */
  public BrokerBuilder leaseBounds(Duration shortest, Duration longest) {
    Objects.requireNonNull(shortest, "shortest");
    Objects.requireNonNull(longest, "longest");
    wholeSeconds(shortest, "The shortest lease");
    wholeSeconds(longest, "The longest lease");
    if (!longest.isZero() && (shortest.isZero() || shortest.compareTo(longest) > 0)) {
      throw new IllegalArgumentException(
          "The shortest lease must be from 1 s to the longest, not " + shortest);
    }
    limits.minLease = shortest;
    limits.maxLease = longest;
    return this;
  }

  private static Duration wholeSeconds(Duration time, String name) {
    if (time.isNegative()
        || time.compareTo(Duration.ofHours(1)) > 0
        || !time.equals(Duration.ofSeconds(time.toSeconds()))) {
      throw new IllegalArgumentException(
          name + " must be whole seconds, from 0 to 1 hour, not " + time);
    }
    return time;
  }

  /**
   * How fast a channel may send; faster is refused with {@code rate_limited}. The application's own
   * channels have no rate. Default 100 a second, burst 200.
   */
  public BrokerBuilder messageRate(Limits.Rate rate) {
    limits.messageRate = Objects.requireNonNull(rate, "rate");
    return this;
  }

  /**
   * How fast a channel may create and update sessions, together; faster is refused with {@code
   * rate_limited}. A close counts, and is never refused. The application's own channels have no
   * rate. Default 100 a second, burst 200.
   */
  public BrokerBuilder sessionRate(Limits.Rate rate) {
    limits.sessionRate = Objects.requireNonNull(rate, "rate");
    return this;
  }

  /**
   * For how long watches are not woken again after changes were looked at for them: what changes
   * meanwhile is told together, and what cancels itself not at all. So strangers, who choose how
   * often sessions change, do not choose how often all who watch are written to. A change after a
   * longer silence among the sessions with one tag is told at once. Zero tells each at once.
   * Default 50 ms.
   */
  public BrokerBuilder listPause(Duration pause) {
    if (pause.isNegative() || pause.compareTo(Duration.ofMinutes(1)) > 0) {
      throw new IllegalArgumentException("listPause must be from 0 to 1 minute, not " + pause);
    }
    limits.listPause = pause;
    return this;
  }

  /**
   * How long a stream that is told to end may take to deliver what is queued; longer than that
   * {@link Broker#close()} does not wait. Default 5 s.
   */
  public BrokerBuilder drainTimeout(Duration timeout) {
    Objects.requireNonNull(timeout, "timeout");
    if (timeout.isNegative() || timeout.compareTo(Duration.ofHours(1)) > 0) {
      throw new IllegalArgumentException("drainTimeout must be from 0 to 1 hour, not " + timeout);
    }
    limits.drainTimeout = timeout;
    return this;
  }

  /**
   * Whether hosting a session over a wire takes the channel's key always. Recommended wherever no
   * client is as old as the protocol's first draft, which sent none: the receiver of a message
   * knows its sender's id, and could host a session in its name. Default false.
   */
  public BrokerBuilder requireSessionKey(boolean require) {
    requireSessionKey = require;
    return this;
  }

  /**
   * The timer to go by, which keeps the contract of {@link Timer#schedule}; its owner closes it
   * after the broker. Default: a {@link Timer.SystemTimer} of the broker's own.
   */
  public BrokerBuilder timer(Timer timer) {
    this.timer = Objects.requireNonNull(timer, "timer");
    return this;
  }

  /**
   * Where receivers and watchers are called for which no executor was given; its owner shuts it
   * down after the broker. Default: daemon threads of the broker's own, as {@link
   * #maxReceiverThreads} says.
   */
  public BrokerBuilder receiverExecutor(Executor executor) {
    receiverExecutor = Objects.requireNonNull(executor, "executor");
    return this;
  }

  /**
   * How many threads of its own the broker may have for receivers and watchers for which no
   * executor was given. There are 4 at most, unless an event has had to wait for 100 ms because
   * they all are busy or block; then there are more, up to this number. While so many receivers
   * block, no other is called. Without effect where there is a {@link #receiverExecutor}. Default
   * 64.
   */
  public BrokerBuilder maxReceiverThreads(int threads) {
    maxReceiverThreads = atLeast(1, threads, "maxReceiverThreads");
    return this;
  }

  /**
   * Who may do what: asked about every caller that acts through {@link Broker#forCaller}, as those
   * behind the servlet do. Default {@link AccessPolicy#allowAll()}, which costs nothing.
   */
  public BrokerBuilder accessPolicy(AccessPolicy policy) {
    this.policy = Objects.requireNonNull(policy, "policy");
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

  /**
   * Adds a listener, which learns what the broker does. Several are called in the order in which
   * they were added. Default: none, which costs nothing.
   */
  public BrokerBuilder listener(BrokerListener listener) {
    listeners.add(Objects.requireNonNull(listener, "listener"));
    return this;
  }

  /** A new broker with these settings. It starts no thread before one is needed. */
  public Broker build() {
    AccessPolicy asked = policy == AccessPolicy.allowAll() ? policy : new GuardedPolicy(policy);
    return new LocalBroker(
        new Limits(limits),
        requireSessionKey,
        timer,
        receiverExecutor,
        maxReceiverThreads,
        asked,
        router,
        listeners);
  }

  private static long atLeastOne(long value, String name) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " must be at least 1, not " + value);
    }
    return value;
  }

  private static int atLeast(int least, int value, String name) {
    if (value < least) {
      throw new IllegalArgumentException(name + " must be at least " + least + ", not " + value);
    }
    return value;
  }
}
