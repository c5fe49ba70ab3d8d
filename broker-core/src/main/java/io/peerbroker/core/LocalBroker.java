package io.peerbroker.core;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The broker of one process: opens, counts and ends streams, and connects the parts. */
final class LocalBroker implements Broker {

  /** How many threads wake watches unless some of them block in transports. */
  private static final int LIST_THREADS = 2;

  private static final int MOST_LIST_THREADS = 8;

  /** How long {@link #close} waits for the threads of receivers to end. */
  private static final Duration FAREWELL = Duration.ofSeconds(1);

  private final Limits limits;
  private final boolean requireSessionKey;
  private final AccessPolicy policy;
  private final IceServers iceServers;
  private final LocalGateway gateway = new LocalGateway(this, Caller.trusted());
  private final Timer timer;

  /** The same, if it is the broker's own; otherwise null. */
  private final Timer.@Nullable SystemTimer ownTimer;

  /** Runs work that would occupy the thread that causes it. */
  private final Executor aside;

  /** Wakes the streams of watches, some at a time. */
  private final WorkerPool listWorkers =
      new WorkerPool("peerbroker-list", LIST_THREADS, MOST_LIST_THREADS);

  private final Receivers receivers;
  private final ExpiryQueue expiries = new ExpiryQueue(this::aside);
  private final Counters counters = new Counters();
  private final Listeners listeners;
  final Directory directory;
  final LocalRouter router;
  final OpenStreams streams;

  /** The watches that pause before they begin again. */
  final Set<ReturningWatch> returning = ConcurrentHashMap.newKeySet();

  /** The bytes that channels hold. */
  final Budgets budgets;

  /** The queues whose readers are away. */
  final AbsentQueues absent;

  private final LocalChannel.Parts channelParts;

  /** Takes channels out for other brokers, and continues theirs. */
  final ChannelMoves moves;

  private final LocalWatch.Parts watchParts;

  /** Returns how many rechecks have begun. */
  private final AtomicLong rechecks = new AtomicLong();

  LocalBroker(
      Limits limits,
      boolean requireSessionKey,
      @Nullable Timer givenTimer,
      @Nullable Executor givenReceivers,
      int maxReceiverThreads,
      AccessPolicy policy,
      IceServers iceServers,
      UnaryOperator<Router> front,
      List<BrokerListener> listeners,
      Node node) {
    this.limits = limits;
    this.policy = policy;
    this.iceServers = iceServers;
    this.requireSessionKey = requireSessionKey;
    if (givenTimer != null) {
      ownTimer = null;
      timer = givenTimer;
      // A given timer has enough threads of its own, or a test advances it.
      aside = Runnable::run;
    } else {
      ownTimer = Timer.system();
      timer = ownTimer;
      aside = ownTimer.workers();
    }
    this.listeners = new Listeners(listeners, this::aside);
    budgets = new Budgets(limits);
    absent = new AbsentQueues(limits.maxTotalQueuedBytes() / 16, limits.queueShare());
    Ids ids = node.ids();
    streams = new OpenStreams(limits);
    receivers = new Receivers(givenReceivers, maxReceiverThreads, timer);
    directory = new Directory(limits, node, timer, limits.listPause(), listWorkers);
    router = new LocalRouter(directory, ids, absent, counters, this.listeners, front);
    watchParts = new LocalWatch.Parts(limits, directory, streams, counters, this.listeners);
    channelParts =
        new LocalChannel.Parts(
            limits,
            timer,
            ids,
            directory,
            router,
            streams,
            expiries,
            budgets,
            absent,
            counters,
            this.listeners);
    moves = new ChannelMoves(channelParts);
  }

  @Override
  public Channel openChannel(Receiver receiver) {
    Objects.requireNonNull(receiver, "receiver");
    return openChannel(receiver, receivers.executor());
  }

  /** Returns the executor for receivers and watchers that were given none. */
  Executor receivers() {
    return receivers.executor();
  }

  @Override
  public Channel openChannel(Receiver receiver, Executor executor) {
    checkReceiver(receiver, executor);
    return openChannel(receiver, executor, LocalChannel.Side.OWN, null, channel -> channel);
  }

  /**
   * Opens a channel for a receiver in this JVM.
   *
   * @param owner the login that opens it; null if there is none
   * @param as returns the channel as the receiver holds it
   */
  Channel openChannel(
      Receiver receiver,
      Executor executor,
      LocalChannel.Side side,
      @Nullable String owner,
      Function<LocalChannel, Channel> as) {
    LocalChannel channel = newChannel(ChannelOptions.none(), side, owner);
    Channel held = as.apply(channel);
    try {
      // A party in this JVM asks the broker for ICE servers when it needs them.
      IceConfiguration ice = IceConfiguration.none();
      open(channel, ice, null, receivers.opener(receiver, held, executor, channel.asks()));
    } catch (RefusedException refused) {
      throw refused(null, refused);
    }
    return held;
  }

  /** Creates a channel that is not opened yet. */
  LocalChannel newChannel(ChannelOptions options, LocalChannel.Side side, @Nullable String owner) {
    return new LocalChannel(channelParts, options, side, owner);
  }

  /** Counts and reports a refusal, and returns it for the caller to throw. */
  RefusedException refused(@Nullable Channel channel, RefusedException refused) {
    counters.callsRefused.increment(refused.refusal().code());
    listeners.callRefused(channel, refused.refusal());
    return refused;
  }

  static void checkReceiver(Receiver receiver, Executor executor) {
    Objects.requireNonNull(receiver, "receiver");
    Objects.requireNonNull(executor, "executor");
  }

  static void checkWatcher(Watcher watcher, Executor executor) {
    Objects.requireNonNull(watcher, "watcher");
    Objects.requireNonNull(executor, "executor");
  }

  /**
   * Opens or continues a channel whose events go to a transport's stream.
   *
   * @param caller who gets ICE servers with a new channel
   * @param owner the login that opens it; null if there is none
   */
  LocalChannel openChannel(
      ChannelOptions options, Transport.Opener opener, Caller caller, @Nullable String owner) {
    try {
      streams.checkRunning();
      ResumeId id = options.lastEventId() == null ? null : ResumeId.parse(options.lastEventId());
      LocalChannel before = id == null ? null : directory.channel(id.cid());
      LocalChannel replaced = null;
      if (id != null && before != null && before.connection().isMine(id)) {
        switch (resume(before, id, opener, caller)) {
          case DONE -> {
            return before;
          }
          case TOO_OLD -> replaced = before;
          case NEVER_GIVEN, CLOSED -> {}
        }
      }
      IceConfiguration ice = iceServers(caller);
      return open(newChannel(options, LocalChannel.Side.WIRE, owner), ice, replaced, opener);
    } catch (RefusedException refused) {
      throw refused(null, refused);
    }
  }

  /**
   * Opens a channel.
   *
   * @param replaced the channel that the client wanted to continue and cannot: it closes, and
   *     passes its permit on, once the new one can no longer be refused
   */
  private LocalChannel open(
      LocalChannel channel,
      IceConfiguration ice,
      @Nullable LocalChannel replaced,
      Transport.Opener opener) {
    streams.checkRunning();
    ChannelConnection.Stream stream = channel.connection().new Stream(permitFor(channel, replaced));
    // From here on the stream frees the permit, whether or not it is ever attached.
    boolean opened = false;
    try {
      streams.add(stream);
      channel.begin(stream, ice);
      // Listeners are notified of it before its client knows of it.
      directory.add(channel);
      if (replaced != null) {
        replaced.end(CloseReason.SUPERSEDED);
      }
      OpenStreams.connect(stream, opener);
      opened = true;
    } finally {
      try {
        if (!opened || streams.isClosing()) {
          // A channel that could not be opened has never existed; one that close() has not seen is
          // closed here.
          channel.end(opened ? CloseReason.SHUTTING_DOWN : CloseReason.GONE);
        }
      } finally {
        if (!opened) {
          stream.detach(CloseReason.GONE);
        }
      }
    }
    return channel;
  }

  /**
   * Takes the permit of a new channel.
   *
   * @param replaced the channel that is about to close and to free its own permit, if any
   */
  private Permits.Permit permitFor(LocalChannel channel, @Nullable LocalChannel replaced) {
    Permits permits = permitsFor(channel);
    Permits.Permit inherited =
        replaced == null ? null : replaced.connection().permitSuccessor(permits);
    return inherited == null ? streams.take(permits) : inherited;
  }

  private Permits permitsFor(LocalChannel channel) {
    return channel.isOwn() ? streams.ownChannels : streams.channels;
  }

  /** Continues the channel that an event came from, if that is possible. */
  Outbox.AttachResult resume(
      LocalChannel channel, ResumeId id, Transport.Opener opener, Caller caller) {
    // Taken even if none is free: the channel has its permit, and frees it in a moment.
    ChannelConnection.Stream stream =
        channel.connection().new Stream(permitsFor(channel).takeAnyway());
    boolean resumed = false;
    try {
      // Added before it is attached, or a broker that closes meanwhile would not wait for it; and
      // not afterwards, when it may have been detached already.
      streams.add(stream);
      Outbox.AttachResult attached = channel.connection().attach(stream, id.number());
      if (attached == Outbox.AttachResult.DONE) {
        OpenStreams.connect(stream, opener);
        resumed = true;
        LocalGateway gateway = new LocalGateway(this, caller);
        channel.connection().watchAgain(stream, asked -> gateway.admit(channel, asked));
      }
      return attached;
    } finally {
      if (!resumed) {
        stream.detach(CloseReason.GONE);
      }
    }
  }

  @Override
  public Watch watch(TagFilter filter, Watcher watcher) {
    return watch(filter, watcher, receivers.executor());
  }

  @Override
  public Watch watch(TagFilter filter, Watcher watcher, Executor executor) {
    checkWatcher(watcher, executor);
    return watch(ParsedFilter.of(filter), null, streams.ownWatches, opener(watcher, executor));
  }

  @Override
  public Watch keepWatching(TagFilter filter, Watcher watcher) {
    return keepWatching(filter, watcher, receivers.executor());
  }

  @Override
  public Watch keepWatching(TagFilter filter, Watcher watcher, Executor executor) {
    checkWatcher(watcher, executor);
    return keepWatching(this::watch, filter, watcher, executor);
  }

  /** Begins a watch that returns, and that watches through the broker or a view of it. */
  Watch keepWatching(
      ReturningWatch.Door door, TagFilter filter, Watcher watcher, Executor executor) {
    return new ReturningWatch(door, streams, timer, returning, filter, watcher, executor).begin();
  }

  /** Returns an opener of the stream to a watcher in this JVM. */
  Transport.Opener opener(Watcher watcher, Executor executor) {
    return receivers.opener(watcher, executor);
  }

  /** Opens a watch, which takes one of the permits. */
  LocalWatch watch(
      ParsedFilter filter,
      @Nullable Predicate<? super ListedSession> visible,
      Permits permits,
      Transport.Opener opener) {
    return watch(null, filter, visible, () -> streams.take(permits), opener);
  }

  /**
   * Opens a watch of the sessions that pass the filter and the predicate, if there is one.
   *
   * @param channel the channel whose stream carries it, or null
   * @param permits returns the watch's permit, or refuses
   */
  LocalWatch watch(
      @Nullable Channel channel,
      ParsedFilter filter,
      @Nullable Predicate<? super ListedSession> visible,
      Supplier<Permits.Permit> permits,
      Transport.Opener opener) {
    LocalWatch stream;
    try {
      streams.checkRunning();
      if (visible != null) {
        directory.search.checkRemembers(filter, limits.maxRememberedBytes());
      }
      stream = newWatch(filter, visible, permits);
    } catch (RefusedException refused) {
      throw refused(channel, refused);
    }
    boolean opened = false;
    try {
      streams.add(stream);
      directory.add(stream);
      OpenStreams.connect(stream, opener);
      opened = true;
    } catch (RefusedException refused) {
      throw refused(channel, refused);
    } finally {
      if (!opened) {
        stream.detach(CloseReason.GONE);
      }
    }
    if (streams.isClosing()) {
      stream.end(CloseReason.SHUTTING_DOWN);
    }
    return stream;
  }

  /** Creates a watch that has not begun yet, after taking its permit. */
  private LocalWatch newWatch(
      ParsedFilter filter,
      @Nullable Predicate<? super ListedSession> visible,
      Supplier<Permits.Permit> permits) {
    Permits.Permit permit = permits.get();
    boolean created = false;
    try {
      LocalWatch stream = newWatch(filter, visible, permit);
      created = true;
      return stream;
    } finally {
      if (!created) {
        permit.release();
      }
    }
  }

  /** Creates a watch that has not begun yet. */
  LocalWatch newWatch(
      ParsedFilter filter,
      @Nullable Predicate<? super ListedSession> visible,
      Permits.Permit permit) {
    return new LocalWatch(watchParts, filter, visible, permit);
  }

  @Override
  public void recheck() {
    rechecks.incrementAndGet();
    streams.each(LocalWatch.class, LocalWatch::recheck);
  }

  /** Returns how many rechecks have begun. */
  long rechecks() {
    return rechecks.get();
  }

  /**
   * Runs a task where it occupies no thread of the container: on a worker, or here if there is
   * none.
   */
  private void aside(Runnable task) {
    try {
      aside.execute(task);
    } catch (RejectedExecutionException | OutOfMemoryError noThread) {
      // The broker has closed, or no thread can be started. Nothing else is caught: if the task
      // runs in place, its own exception must not make it run again.
      task.run();
    }
  }

  @Override
  public @Nullable Channel findChannel(String id) {
    return directory.ownerOf(id);
  }

  @Override
  public @Nullable Session findSession(String sid) {
    return directory.session(sid);
  }

  @Override
  public List<Channel> channelsOf(String owner) {
    Objects.requireNonNull(owner, "owner");
    List<Channel> found = new ArrayList<>();
    for (LocalChannel channel : directory.channels()) {
      if (owner.equals(channel.owner()) && channel.isOpen()) {
        found.add(channel);
      }
    }
    return found;
  }

  @Override
  public boolean isOpen() {
    return !streams.isClosing();
  }

  @Override
  public Page list(TagFilter filter, int limit, @Nullable String after) {
    return gateway.list(filter, limit, after);
  }

  /** Returns whether hosting a session always requires the key of its channel. */
  boolean requiresSessionKey() {
    return requireSessionKey;
  }

  @Override
  public Broker forCaller(Caller caller) {
    Objects.requireNonNull(caller, "caller");
    return caller == Caller.trusted() ? this : new AuthorizedBroker(this, caller);
  }

  AccessPolicy policy() {
    return policy;
  }

  @Override
  public IceConfiguration iceServers() {
    return gateway.iceServers(null);
  }

  /** Returns the ICE servers of a caller. */
  IceConfiguration iceServers(Caller caller) {
    return iceServers.forCaller(caller);
  }

  @Override
  public BrokerStats stats() {
    BrokerStats.Values values = new BrokerStats.Values();
    values.channels = directory.channelCount();
    values.waiting = counters.channelsWaiting.intValue();
    values.sessions = directory.sessionCount();
    values.listed = directory.listedCount();
    values.watches = counters.watchesOpen.intValue();
    values.streams = streams.count();
    values.queuedBytes = budgets.used();
    values.sessionBytes = directory.sessionBytes.used();
    values.watchBytes = directory.watchBytes.used();
    counters.copyTo(values);
    return new BrokerStats(values);
  }

  Timer timer() {
    return timer;
  }

  @Override
  public Limits limits() {
    return limits;
  }

  @Override
  public Gateway gateway() {
    return gateway;
  }

  @Override
  public void close() {
    if (!streams.beginClosing()) {
      return;
    }
    long deadline = System.nanoTime() + limits.drainTimeout().toNanos();
    // Watches first, so that they are not notified of each channel that closes.
    streams.each(LocalWatch.class, watch -> watch.end(CloseReason.SHUTTING_DOWN));
    for (LocalChannel channel : directory.channels()) {
      ForeignCalls.runLogged(() -> channel.end(CloseReason.SHUTTING_DOWN));
    }
    for (ReturningWatch watch : returning) {
      watch.end(CloseReason.SHUTTING_DOWN);
    }
    streams.awaitEnd(deadline);
    streams.detachAll(CloseReason.SHUTTING_DOWN);
    endThreads();
    // Channels that the timer's threads have not closed yet.
    expiries.finish();
  }

  /**
   * Ends the broker's own threads and waits for their end, since containers report leftover
   * threads.
   */
  private void endThreads() {
    receivers.close();
    listWorkers.close();
    if (ownTimer != null) {
      ownTimer.close();
    }
    long deadline = System.nanoTime() + FAREWELL.toNanos();
    try {
      receivers.awaitEnd(deadline);
      listWorkers.awaitEnd(deadline);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
