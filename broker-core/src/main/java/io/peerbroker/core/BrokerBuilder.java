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
  private @Nullable IceServers iceServers;
  private UnaryOperator<Router> router = UnaryOperator.identity();
  private final List<BrokerListener> listeners = new ArrayList<>();

  /** What makes the broker one of several nodes; null if it is alone. */
  private @Nullable Node node;

  BrokerBuilder() {}

  /**
   * Sets bounds for a broker that is open to everybody: its clients are unknown, and its heap was
   * not sized for the worst of them. Call it first: it sets everything that it names, and a later
   * setter wins. It changes only these settings, each with its reason:
   *
   * <ul>
   *   <li>{@link #requireSessionKey}: no client is as old as the first draft, and the receiver of a
   *       message could host a session in its sender's name.
   *   <li>{@link #maxChannels} and {@link #maxWatches} 10,000: the bounds below are for each of
   *       them, so half the number halves what all can take together.
   *   <li>{@link #maxSessionsPerChannel} 4: a page needs one or two.
   *   <li>{@link #maxWatchesPerChannel} 4: a page shows one or two lists.
   *   <li>{@link #maxTagsPerSession} 8 and {@link #maxMetadataBytes} 1 KiB: enough to be found and
   *       to have a name.
   *   <li>{@link #maxTotalSessionBytes} an eighth of the heap that this JVM may use, at most the
   *       default: room for about 44,000 of the largest in a heap of 2 GiB.
   *   <li>{@link #maxMessageBytes} 32 KiB: Chromium's offer of audio and four videos has 20.1 kB,
   *       and each further one adds 4.2.
   *   <li>{@link #maxJsonDepth} 16: an offer in its body has a depth of 3.
   *   <li>{@link #maxQueuedEvents} 256 and {@link #maxQueuedBytes} 256 KiB: what about 10 peers
   *       send that all connect at the same time.
   *   <li>{@link #maxTotalQueuedBytes} an eighth of the heap that this JVM may use, at most the
   *       default: while a small event is written, it takes three times its size.
   *   <li>{@link #maxTotalWatchBytes} a sixteenth of the heap, at most the default: the changes
   *       that wait for stalled readers.
   *   <li>{@link #maxReplayEvents} 128 and {@link #maxReplayBytes} 64 KiB: half of a queue's
   *       events.
   *   <li>{@link #maxResume} 30 s: the network of a phone changes in less, and a client that is
   *       gone for good frees its permit in half the time.
   *   <li>{@link #messageRate} 20 a second, burst 100: an offer and its candidates to several peers
   *       at once, and no flood.
   *   <li>{@link #sessionRate} 2 a second, burst 10: each change goes to every watch that shows it.
   * </ul>
   *
   * <p>A client that opens one channel after another has the rates of each of them. Only a limit
   * for each address stops that, in a proxy or a filter.
   */
  public BrokerBuilder openToEverybody() {
    Limits.Values defaults = new Limits.Values();
    long eighthOfHeap = Runtime.getRuntime().maxMemory() / 8;
    return requireSessionKey(true)
        .maxChannels(10_000)
        .maxWatches(10_000)
        .maxSessionsPerChannel(4)
        .maxWatchesPerChannel(4)
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
   * Sets how many channels may be open at the same time. One more takes the place of the channel
   * that has waited longest for its reader, or is refused with {@code at_capacity}. The
   * application's own channels are counted apart, up to the same number. Default 20,000.
   */
  public BrokerBuilder maxChannels(int channels) {
    limits.maxChannels = atLeast(1, channels, "maxChannels");
    return this;
  }

  /**
   * Sets how many watches may be open at the same time; one more is refused with {@code
   * at_capacity}. Lists on channels' streams count as watches, also while their clients are away.
   * The application's own watches are counted apart, up to the same number. Default 20,000.
   */
  public BrokerBuilder maxWatches(int watches) {
    limits.maxWatches = atLeast(1, watches, "maxWatches");
    return this;
  }

  /**
   * Sets how many sessions a channel may host; one more is refused with {@code too_many_sessions}.
   * The application's own channels have no such bound. Default 64.
   */
  public BrokerBuilder maxSessionsPerChannel(int sessions) {
    limits.maxSessionsPerChannel = atLeast(1, sessions, "maxSessionsPerChannel");
    return this;
  }

  /**
   * Sets how many lists the stream of a channel may carry ({@link Request.Watch}); one more is
   * refused with {@code too_many_watches}. Each also counts in {@link #maxWatches}. Default 16.
   */
  public BrokerBuilder maxWatchesPerChannel(int watches) {
    limits.maxWatchesPerChannel = atLeast(1, watches, "maxWatchesPerChannel");
    return this;
  }

  /**
   * Sets how many tags a session may have; more are refused with {@code invalid_request}. Default
   * 32.
   */
  public BrokerBuilder maxTagsPerSession(int tags) {
    limits.maxTagsPerSession = atLeast(1, tags, "maxTagsPerSession");
    return this;
  }

  /**
   * Sets how many UTF-8 bytes a message may have; a longer one is refused with {@code too_large}.
   * Default 48 KiB.
   */
  public BrokerBuilder maxMessageBytes(int bytes) {
    limits.maxMessageBytes = atLeast(1, bytes, "maxMessageBytes");
    return this;
  }

  /**
   * Sets how many UTF-8 bytes metadata may have; longer ones are refused with {@code too_large}.
   * Default 16 KiB.
   */
  public BrokerBuilder maxMetadataBytes(int bytes) {
    limits.maxMetadataBytes = atLeast(1, bytes, "maxMetadataBytes");
    return this;
  }

  /**
   * Sets how deeply a request body may nest. The body's own object is level 1, so what it carries
   * has one level less. Deeper bodies are refused with {@code malformed_json}. 2 to {@value
   * Json#MAX_DEPTH}, default 64.
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
   * Sets how many events may wait for one reader. Beyond that, messages to a channel are refused
   * with {@code target_busy}, and a watch ends with {@link CloseReason#OVERFLOW}. Default 1,024.
   */
  public BrokerBuilder maxQueuedEvents(int events) {
    limits.maxQueuedEvents = atLeast(1, events, "maxQueuedEvents");
    return this;
  }

  /** Sets how many bytes may wait for one reader, as {@link #maxQueuedEvents}. Default 1 MiB. */
  public BrokerBuilder maxQueuedBytes(int bytes) {
    limits.maxQueuedBytes = atLeast(1, bytes, "maxQueuedBytes");
    return this;
  }

  /**
   * Sets how many bytes may wait in all channels together, including what is kept for replay. Half
   * of it is in equal shares ({@link Limits#queueShare()}), which no other queue can use. When a
   * queue has used its share and the other half is full, messages to it are refused with {@code
   * at_capacity}. Default 512 MiB.
   */
  public BrokerBuilder maxTotalQueuedBytes(long bytes) {
    limits.maxTotalQueuedBytes = atLeastOne(bytes, "maxTotalQueuedBytes");
    return this;
  }

  /**
   * Sets how many bytes all sessions may take together. A session counts for about what it takes in
   * the heap: 600 bytes, its metadata, and for each tag 300 bytes and two for each of its chars. A
   * new session or an update beyond the bound is refused with {@code at_capacity}. Default 1 GiB.
   */
  public BrokerBuilder maxTotalSessionBytes(long bytes) {
    limits.maxTotalSessionBytes = atLeastOne(bytes, "maxTotalSessionBytes");
    return this;
  }

  /**
   * Sets how many bytes watches may hold together: the changes that wait for watches that do not
   * keep up, each counted once, and what watches with a predicate ({@link Scope#visible()})
   * remember of what they have shown, of which one watch may hold a sixteenth. Beyond the bound,
   * watches that lag behind by more than an equal share end with {@link CloseReason#OVERFLOW}, and
   * a new watch with a predicate is refused with {@code at_capacity}. Default 256 MiB.
   */
  public BrokerBuilder maxTotalWatchBytes(long bytes) {
    limits.maxTotalWatchBytes = atLeastOne(bytes, "maxTotalWatchBytes");
    return this;
  }

  /**
   * Sets how many events are kept after they were sent to a reader, until it confirms them, so that
   * they can be sent again when it comes back. The oldest are dropped first. All channels together
   * may use a quarter of {@link #maxTotalQueuedBytes} for it. Default 512.
   */
  public BrokerBuilder maxReplayEvents(int events) {
    limits.maxReplayEvents = atLeast(1, events, "maxReplayEvents");
    return this;
  }

  /** Sets how many bytes of such events are kept, as {@link #maxReplayEvents}. Default 256 KiB. */
  public BrokerBuilder maxReplayBytes(int bytes) {
    limits.maxReplayBytes = atLeast(1, bytes, "maxReplayBytes");
    return this;
  }

  /**
   * Sets how long a channel may outlive its stream, if its client has asked for that. Whole
   * seconds, at most 1 hour; zero turns the feature off. Default 60 s.
   */
  public BrokerBuilder maxResume(Duration resume) {
    Objects.requireNonNull(resume, "resume");
    limits.maxResume = wholeSeconds(resume, "maxResume");
    return this;
  }

  /**
   * Sets the shortest and the longest lease: the time within which a client that has promised signs
   * of life must give one. Whole seconds, at most 1 hour; a longest of zero turns the feature off.
   * Default 15 s to 300 s.
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
   * Sets how fast a channel may send; faster is refused with {@code rate_limited}. The
   * application's own channels have no rate. Default 100 a second, burst 200.
   */
  public BrokerBuilder messageRate(Limits.Rate rate) {
    limits.messageRate = Objects.requireNonNull(rate, "rate");
    return this;
  }

  /**
   * Sets how fast a channel may create and update sessions, together; faster is refused with {@code
   * rate_limited}. A close counts, and is never refused. The application's own channels have no
   * rate. Default 100 a second, burst 200.
   */
  public BrokerBuilder sessionRate(Limits.Rate rate) {
    limits.sessionRate = Objects.requireNonNull(rate, "rate");
    return this;
  }

  /**
   * Sets the shortest time between two wake-ups of a watch. Changes within it are sent together,
   * and changes that cancel each other are not sent at all. Strangers choose how often sessions
   * change; because of this pause they do not choose how often every watch is written to. A change
   * that comes after a longer silence among the sessions with one tag is sent at once. Zero sends
   * each change at once. Default 50 ms.
   */
  public BrokerBuilder listPause(Duration pause) {
    if (pause.isNegative() || pause.compareTo(Duration.ofMinutes(1)) > 0) {
      throw new IllegalArgumentException("listPause must be from 0 to 1 minute, not " + pause);
    }
    limits.listPause = pause;
    return this;
  }

  /**
   * Sets how long a stream that must end may take to deliver what is queued. {@link Broker#close()}
   * waits no longer than that. Default 5 s.
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
   * Sets whether a client must always send its channel's key to host a session. Recommended unless
   * there are clients of the protocol's first draft, which sent none: without it, the receiver of a
   * message could host a session in the name of the sender, whose id it knows. Default false.
   */
  public BrokerBuilder requireSessionKey(boolean require) {
    requireSessionKey = require;
    return this;
  }

  /**
   * Sets the timer, which must keep the contract of {@link Timer#schedule}. Its owner closes it
   * after the broker. Default: a {@link Timer.SystemTimer} of the broker's own.
   */
  public BrokerBuilder timer(Timer timer) {
    this.timer = Objects.requireNonNull(timer, "timer");
    return this;
  }

  /**
   * Sets where receivers and watchers are called that were given no executor of their own. Its
   * owner shuts it down after the broker. Default: daemon threads of the broker's own, as {@link
   * #maxReceiverThreads} says.
   */
  public BrokerBuilder receiverExecutor(Executor executor) {
    receiverExecutor = Objects.requireNonNull(executor, "executor");
    return this;
  }

  /**
   * Sets how many threads the broker may start for receivers and watchers that were given no
   * executor. There are at most 4 until an event has waited for 100 ms because all of them are busy
   * or blocked; then there are more, up to this number. While that many receivers block, no other
   * is called. Without effect if there is a {@link #receiverExecutor}. Default 64.
   */
  public BrokerBuilder maxReceiverThreads(int threads) {
    maxReceiverThreads = atLeast(1, threads, "maxReceiverThreads");
    return this;
  }

  /**
   * Sets the policy that decides what each caller may do. It is asked about every caller that acts
   * through {@link Broker#forCaller}, as clients of the servlet do. Default {@link
   * AccessPolicy#allowAll()}, which costs nothing.
   */
  public BrokerBuilder accessPolicy(AccessPolicy policy) {
    this.policy = Objects.requireNonNull(policy, "policy");
    return this;
  }

  /** Sets which STUN and TURN servers clients may use. Default {@link IceServers#none()}. */
  public BrokerBuilder iceServers(IceServers servers) {
    iceServers = Objects.requireNonNull(servers, "servers");
    return this;
  }

  /**
   * Puts a router of the application in place of the broker's own.
   *
   * @param router called once with the broker's own router; returns the router to use, which often
   *     falls back on it
   */
  public BrokerBuilder router(UnaryOperator<Router> router) {
    this.router = Objects.requireNonNull(router, "router");
    return this;
  }

  /**
   * Adds a listener, which is notified of what the broker does. Several listeners are called in the
   * order in which they were added. Default: none, which costs nothing.
   */
  public BrokerBuilder listener(BrokerListener listener) {
    listeners.add(Objects.requireNonNull(listener, "listener"));
    return this;
  }

  /** Makes the broker a node: one of several that are one broker. For one broker only. */
  BrokerBuilder node(Node node) {
    this.node = node;
    return this;
  }

  /** Returns a new broker with these settings. It starts no thread before one is needed. */
  public Broker build() {
    AccessPolicy asked = policy == AccessPolicy.allowAll() ? policy : new GuardedPolicy(policy);
    return new LocalBroker(
        new Limits(limits),
        requireSessionKey,
        timer,
        receiverExecutor,
        maxReceiverThreads,
        asked,
        iceServers == null ? IceServers.none() : new GuardedIceServers(iceServers),
        router,
        listeners,
        node == null ? Node.alone() : node);
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
