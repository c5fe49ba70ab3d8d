package io.peerbroker.core;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The broker of one process: opens, counts and ends streams, and puts the parts together. */
final class LocalBroker implements Broker {

  static final Duration LATER = Duration.ofSeconds(5);

  /** How many threads call receivers, unless some of them block. */
  private static final int RECEIVER_THREADS = 4;

  /** How many threads wake watches, unless some of these block in their transports. */
  private static final int LIST_THREADS = 2;

  private static final int MOST_LIST_THREADS = 8;

  /** How long {@link #close} waits for the threads of receivers to end. */
  private static final Duration FAREWELL = Duration.ofSeconds(1);

  private final Limits limits;
  private final boolean requireSessionKey;
  private final Timer timer;
  private final Timer.@Nullable SystemTimer ownTimer;
  private final AccessPolicy policy;
  private final LocalGateway gateway = new LocalGateway(this, Caller.trusted());
  private final Router router;

  /** Whether messages find their targets in this broker's directory and nowhere else. */
  private final boolean routesHere;

  final Permits channels;
  final Permits watches;

  /** The application's own, which no stranger takes. */
  final Permits ownChannels;

  final Permits ownWatches;
  final WaitingChannels waiting = new WaitingChannels();

  /** The watches of those who are not trusted. */
  private final Map<AbstractAttachment, AuthorizedWatch> scoped = new ConcurrentHashMap<>();

  private final AtomicLong rechecks = new AtomicLong();

  /** Every stream that has not ended; the broker waits for them when it closes. */
  private final Set<AbstractAttachment> links = ConcurrentHashMap.newKeySet();

  private final Executor receivers;

  /** The same, where they are threads of the broker's own. */
  private final @Nullable WorkerPool ownReceivers;

  /** Where the streams of watches are woken, some at a time. */
  private final WorkerPool listWorkers =
      new WorkerPool("peerbroker-list", LIST_THREADS, MOST_LIST_THREADS);

  /** Where the broker does what would keep the thread that makes it necessary. */
  private final Executor aside;

  private final ExpiryQueue expiries;
  private final AtomicBoolean closing = new AtomicBoolean();

  /** Held to wait for the streams to end, and to say that one has. */
  private final ReentrantLock draining = new ReentrantLock();

  private final Condition drained = draining.newCondition();

  final Ids ids = new Ids();
  final ByteBudget budget;
  final ByteBudget replay;

  /** The queues of the application's own channels: counted, and bounded for each alone. */
  final ByteBudget ownBudget = new ByteBudget(Long.MAX_VALUE);

  final AbsentQueues absent;
  final Counters counters;
  final Directory directory;

  LocalBroker(
      Limits limits,
      boolean requireSessionKey,
      @Nullable Timer givenTimer,
      @Nullable Executor givenReceivers,
      int maxReceiverThreads,
      AccessPolicy policy,
      UnaryOperator<Router> router,
      List<BrokerListener> listeners) {
    counters = new Counters(listeners, this::aside);
    this.limits = limits;
    this.policy = policy;
    this.requireSessionKey = requireSessionKey;
    if (givenTimer != null) {
      ownTimer = null;
      timer = givenTimer;
    } else {
      ownTimer = Timer.system();
      timer = ownTimer;
    }
    budget = ByteBudget.ofQueues(limits);
    replay = ByteBudget.ofReplay(limits);
    channels = new Permits("channels", limits.maxChannels());
    watches = new Permits("watches", limits.maxWatches());
    ownChannels = new Permits("channels of the application's own", limits.maxChannels());
    ownWatches = new Permits("watches of the application's own", limits.maxWatches());
    absent = new AbsentQueues(limits.maxTotalQueuedBytes() / 16, limits.queueShare());
    directory = new Directory(limits, ids, timer, limits.listPause(), listWorkers);
    Router own = this::routeHere;
    this.router = Objects.requireNonNull(router.apply(own), "router");
    routesHere = this.router == own;
    if (givenReceivers != null) {
      ownReceivers = null;
      receivers = givenReceivers;
    } else {
      // Unbounded, but each receiver has one task in it at the most, and receivers are counted.
      ownReceivers = new WorkerPool("peerbroker-receiver", RECEIVER_THREADS, maxReceiverThreads);
      receivers = ownReceivers;
    }
    // A timer that was given has threads enough, or is moved by the hand of a test.
    aside = ownTimer == null ? Runnable::run : ownTimer.workers();
    expiries = new ExpiryQueue(this::aside);
  }

  @Override
  public Channel openChannel(Receiver receiver) {
    Objects.requireNonNull(receiver, "receiver");
    return openChannel(receiver, receivers);
  }

  /** Where receivers and watchers are called for which no executor was given. */
  Executor receivers() {
    return receivers;
  }

  @Override
  public Channel openChannel(Receiver receiver, Executor executor) {
    checkReceiver(receiver, executor);
    return openChannel(receiver, executor, LocalChannel.Side.OWN, null, channel -> channel);
  }

  /**
   * Opens a channel for a party in this JVM.
   *
   * @param owner the login that opens it, if there is one
   * @param as makes what the party holds of it
   */
  Channel openChannel(
      Receiver receiver,
      Executor executor,
      LocalChannel.Side side,
      @Nullable String owner,
      Function<LocalChannel, Channel> as) {
    LocalChannel channel = new LocalChannel(this, ChannelOptions.none(), side, owner);
    Channel held = as.apply(channel);
    try {
      open(
          channel,
          null,
          attachment ->
              transport(
                  attachment,
                  executor,
                  event -> {
                    if (event instanceof Event.Received received) {
                      receiver.received(held, received.message());
                    }
                  },
                  reason -> receiver.closed(held, reason)));
    } catch (RefusedException refused) {
      throw counters.refused(null, refused);
    }
    return held;
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
   * Opens a channel whose events go down a transport's stream, or goes on with one.
   *
   * @param owner the login that opens it, if there is one
   */
  LocalChannel openChannel(
      ChannelOptions options, Transport.Opener opener, @Nullable String owner) {
    try {
      checkRunning();
      ResumeId id = options.lastEventId() == null ? null : ResumeId.parse(options.lastEventId());
      LocalChannel before = id == null ? null : directory.channel(id.cid());
      LocalChannel replaced = null;
      if (id != null && before != null && before.connection().isMine(id)) {
        switch (resume(before, id, opener)) {
          case DONE -> {
            return before;
          }
          case TOO_OLD -> replaced = before;
          case NEVER_GIVEN, CLOSED -> {}
        }
      }
      return open(new LocalChannel(this, options, LocalChannel.Side.WIRE, owner), replaced, opener);
    } catch (RefusedException refused) {
      throw counters.refused(null, refused);
    }
  }

  /**
   * Opens a channel.
   *
   * @param replaced the one that its client wanted to go on with, and cannot: it closes, and gives
   *     its permit, once the new one can no longer be refused
   */
  private LocalChannel open(
      LocalChannel channel, @Nullable LocalChannel replaced, Transport.Opener opener) {
    checkRunning();
    ChannelConnection.Stream stream = channel.connection().new Stream();
    if (replaced == null || !replaced.connection().permitSuccessor()) {
      takePermit(channel.permits);
    }
    // From here on it is the stream that gives the permit back, whether or not it is ever attached.
    boolean opened = false;
    try {
      links.add(stream);
      channel.begin(stream);
      directory.add(channel);
      // Before its client knows of it.
      channel.lifecycle.notifyListeners();
      if (replaced != null) {
        replaced.end(CloseReason.SUPERSEDED);
      }
      connect(stream, opener);
      opened = true;
    } finally {
      try {
        if (!opened || closing.get()) {
          // A channel that could not be opened has never been; those that close() has not seen are
          // seen here.
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

  /** Goes on with the channel that an event came from, if that is possible. */
  Outbox.AttachResult resume(LocalChannel channel, ResumeId id, Transport.Opener opener) {
    ChannelConnection.Stream stream = channel.connection().new Stream();
    // Not asked whether there is one: the channel has its permit, and gives it back in a moment.
    channel.permits.add();
    boolean resumed = false;
    try {
      // Known before it is attached, or a broker that closes meanwhile would not wait for it; and
      // never again: it may have been detached by then.
      links.add(stream);
      Outbox.AttachResult attached = channel.connection().attach(stream, id.number());
      if (attached == Outbox.AttachResult.DONE) {
        connect(stream, opener);
        resumed = true;
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
    return watch(filter, watcher, receivers);
  }

  @Override
  public Watch watch(TagFilter filter, Watcher watcher, Executor executor) {
    checkWatcher(watcher, executor);
    return watch(ParsedFilter.of(filter), null, ownWatches, opener(watcher, executor));
  }

  /** Returns what makes the stream to a watcher in this JVM. */
  Transport.Opener opener(Watcher watcher, Executor executor) {
    return attachment ->
        transport(attachment, executor, event -> tell(watcher, event), watcher::closed);
  }

  private ReceiverTransport transport(
      Attachment attachment,
      Executor executor,
      Consumer<Event> events,
      Consumer<CloseReason> closed) {
    // The broker's own threads drop no task.
    Timer lookingAfter = executor == ownReceivers ? null : timer;
    return new ReceiverTransport(attachment, executor, lookingAfter, events, closed);
  }

  private static void tell(Watcher watcher, Event event) {
    if (event instanceof Event.Added added) {
      watcher.added(added.session());
    } else if (event instanceof Event.Removed removed) {
      watcher.removed(removed.sid());
    } else if (event instanceof Event.Ready ready) {
      watcher.ready(ready.count());
    }
  }

  /** Watches what the application lets this watcher see; all that passes the filter, if null. */
  LocalWatch watch(
      ParsedFilter filter,
      @Nullable Predicate<? super ListedSession> visible,
      Permits permits,
      Transport.Opener opener) {
    LocalWatch stream = new LocalWatch(this, filter, visible, permits);
    try {
      checkRunning();
      if (visible != null) {
        directory.checkRemembers(filter, limits.maxRememberedBytes());
      }
      takePermit(permits);
    } catch (RefusedException refused) {
      throw counters.refused(null, refused);
    }
    boolean opened = false;
    try {
      links.add(stream);
      directory.add(stream);
      stream.lifecycle.notifyListeners();
      connect(stream, opener);
      opened = true;
    } catch (RefusedException refused) {
      throw counters.refused(null, refused);
    } finally {
      if (!opened) {
        stream.detach(CloseReason.GONE);
      }
    }
    if (closing.get()) {
      stream.end(CloseReason.SHUTTING_DOWN);
    }
    return stream;
  }

  /** Keeps in mind what may be asked again about a watch, for as long as that lives. */
  void keep(LocalWatch stream, AuthorizedWatch watch) {
    scoped.put(stream, watch);
    if (stream.isDetached()) {
      scoped.remove(stream);
    }
  }

  @Override
  public void recheck() {
    rechecks.incrementAndGet();
    for (AuthorizedWatch watch : scoped.values()) {
      watch.recheck();
    }
  }

  /** How often everybody has been asked about again. */
  long rechecks() {
    return rechecks.get();
  }

  /**
   * Takes a permit; where none is free, the channel that waits longest for its reader gives way.
   */
  private void takePermit(Permits permits) {
    while (!permits.take()) {
      ChannelConnection longest = permits == channels ? waiting.longest() : null;
      if (longest == null) {
        throw new RefusedException(permits.refusal());
      }
      longest.giveWay();
    }
  }

  private static void connect(AbstractAttachment link, Transport.Opener opener) {
    link.connect(Objects.requireNonNull(opener.open(link), "The opener has made no transport"));
  }

  /** A link's stream is over. Called once for each. */
  void released(AbstractAttachment link) {
    if (link instanceof LocalWatch list) {
      list.permits.free();
      scoped.remove(link);
    }
    links.remove(link);
    if (closing.get()) {
      draining.lock();
      try {
        drained.signalAll();
      } finally {
        draining.unlock();
      }
    }
  }

  /** Runs a task where it keeps no thread of the container's: on a worker, or here without one. */
  private void aside(Runnable task) {
    try {
      aside.execute(task);
    } catch (RejectedExecutionException | OutOfMemoryError noThread) {
      // The broker has closed, or there are no threads to be had. Nothing else: what the task
      // itself throws, where it runs in place, must not have it run again.
      task.run();
    }
  }

  /** Has a channel closed for whose reader there is no time left. */
  void expired(LocalChannel channel) {
    expiries.add(channel);
  }

  /** How many channels there are, with those that wait, and streams that have given way. */
  int permitsTaken() {
    return channels.taken() + ownChannels.taken();
  }

  int watchCount() {
    return watches.taken() + ownWatches.taken();
  }

  int streamCount() {
    return links.size();
  }

  /**
   * Lets the largest queue go of those whose readers are away, for one that stays smaller.
   *
   * @return whether there may be room now
   */
  boolean letLargestGo(AbsentQueues.@Nullable Place smaller, int bytes) {
    Outbox largest = absent.largerThan(smaller, bytes);
    if (largest == null) {
      return false;
    }
    largest.letGo().forEach(leftover -> notifyUndelivered(leftover, CloseReason.OVERFLOW));
    return true;
  }

  /** Tells the origin of a queued message that its target has not read it, if it is there. */
  void notifyUndelivered(Outbox.QueuedMessage leftover, CloseReason reason) {
    Message message = leftover.message();
    LocalChannel origin = directory.ownerOf(message.origin());
    if (origin != null) {
      origin.notifyUndelivered(new Event.Undelivered(leftover.id(), message.target(), reason));
    }
    counters.undelivered(message, leftover.id(), reason);
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
    return !closing.get();
  }

  /** What a target is in this broker, for the policy. */
  AccessPolicy.@Nullable Target target(String id) {
    LocalSession session = directory.session(id);
    LocalChannel channel = session != null ? session.host : directory.channel(id);
    return channel == null ? null : new AccessPolicy.Target(channel, session);
  }

  @Override
  public Page list(TagFilter filter, int limit, @Nullable String after) {
    return gateway.list(filter, limit, after);
  }

  /** Refuses a page that there cannot be, and answers the place that it begins behind. */
  long checkPage(int limit, @Nullable String after) {
    if (limit < 1 || limit > Page.MAX_LIMIT) {
      throw new RefusedException(
          Refusal.of(
              Refusal.Code.INVALID_REQUEST, "'limit' must be from 1 to " + Page.MAX_LIMIT + "."));
    }
    return after == null ? 0 : directory.cursor(after);
  }

  /** Routes a message and turns whatever goes wrong in foreign code into a refusal. */
  CompletionStage<Delivery> route(Message message) {
    try {
      CompletionStage<Delivery> stage = router.route(message);
      return stage == Delivery.sent() ? stage : stage.handle(LocalBroker::delivery);
    } catch (Throwable thrown) {
      // Errors too, and checked exceptions from languages that don't check: send answers, always.
      return Delivery.refused(failed(thrown));
    }
  }

  private static Delivery delivery(@Nullable Delivery delivery, @Nullable Throwable thrown) {
    return delivery != null ? delivery : new Delivery.Refused(failed(thrown));
  }

  private static Refusal failed(@Nullable Throwable thrown) {
    ForeignCalls.log("The application's router failed", thrown);
    return notRouted();
  }

  /** Why a message is refused whose router fails. */
  static Refusal notRouted() {
    return Refusal.of(Refusal.Code.INTERNAL, "The message could not be routed.");
  }

  /** Whether a target is known not to be there: an application's router may find it elsewhere. */
  boolean isUnknown(String target) {
    return routesHere && directory.ownerOf(target) == null;
  }

  private CompletionStage<Delivery> routeHere(Message message) {
    LocalChannel target = directory.ownerOf(message.target());
    return target == null ? Delivery.refused(unknownTarget()) : target.deliver(message);
  }

  static Refusal unknownTarget() {
    return Refusal.of(
        Refusal.Code.UNKNOWN_TARGET, "The target is no channel and no session, or not any more.");
  }

  static Refusal shuttingDown() {
    return new Refusal(Refusal.Code.SHUTTING_DOWN, "The broker is shutting down.", LATER);
  }

  /** Whether sessions are hosted with their channel's key alone. */
  boolean requiresSessionKey() {
    return requireSessionKey;
  }

  boolean isClosing() {
    return closing.get();
  }

  void checkRunning() {
    if (closing.get()) {
      throw new RefusedException(shuttingDown());
    }
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
  public BrokerStats stats() {
    return counters.stats(this);
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
    if (closing.getAndSet(true)) {
      return;
    }
    long deadline = System.nanoTime() + limits.drainTimeout().toNanos();
    // Watches first: they need not be told how one channel after another goes.
    for (AbstractAttachment link : links) {
      if (link instanceof LocalWatch) {
        ForeignCalls.runLogged(() -> link.end(CloseReason.SHUTTING_DOWN));
      }
    }
    for (LocalChannel channel : directory.channels()) {
      ForeignCalls.runLogged(() -> channel.end(CloseReason.SHUTTING_DOWN));
    }
    awaitLinks(deadline);
    for (AbstractAttachment link : links) {
      // One that is still being opened has not been told, and will be when it has its transport.
      ForeignCalls.runLogged(() -> link.end(CloseReason.SHUTTING_DOWN));
      ForeignCalls.runLogged(() -> link.detach(CloseReason.SHUTTING_DOWN));
    }
    endThreads();
    // What the timer's threads have not come to.
    expiries.finish();
  }

  private void awaitLinks(long deadline) {
    draining.lock();
    try {
      for (long left = deadline - System.nanoTime(); !links.isEmpty() && left > 0; ) {
        left = drained.awaitNanos(left);
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } finally {
      draining.unlock();
    }
  }

  /** Ends the broker's own threads, and waits for that: a container counts who is left over. */
  private void endThreads() {
    if (ownReceivers != null) {
      ownReceivers.close();
    }
    listWorkers.close();
    if (ownTimer != null) {
      ownTimer.close();
    }
    long deadline = System.nanoTime() + FAREWELL.toNanos();
    try {
      if (ownReceivers != null) {
        ownReceivers.awaitEnd(deadline);
      }
      listWorkers.awaitEnd(deadline);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
