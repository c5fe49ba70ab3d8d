package io.peerbroker.core;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A channel in this broker's directory: its queue, its rates, and its end of the stream. */
final class LocalChannel implements Channel, Outbox.Sender {

  /** The longest time that an ask may wait. */
  private static final Duration MAX_TIMEOUT = Duration.ofHours(1);

  /** How many larger queues one message may drop to get room. */
  private static final int MAX_LET_GO = 4;

  private static final AtomicLongFieldUpdater<LocalChannel> WAITING =
      AtomicLongFieldUpdater.newUpdater(LocalChannel.class, "waiting");

  /**
   * The kind of a channel's owner, which decides how the channel is counted and bounded, and
   * whether its key must be shown.
   */
  enum Side {
    /** A client behind a transport. */
    WIRE,
    /** Code in this JVM that acts for a caller: {@link Broker#forCaller}. */
    GUEST,
    /** The application itself, to which the bounds for clients do not apply. */
    OWN
  }

  /** What a channel needs of its broker. No record, since Lincheck cannot look into one. */
  static final class Parts {
    final Limits limits;
    final Timer timer;
    final Ids ids;
    final Directory directory;
    final LocalRouter router;
    final OpenStreams streams;
    final ExpiryQueue expiries;
    final Budgets budgets;
    final AbsentQueues absent;
    final Counters counters;
    final Listeners listeners;

    Parts(
        Limits limits,
        Timer timer,
        Ids ids,
        Directory directory,
        LocalRouter router,
        OpenStreams streams,
        ExpiryQueue expiries,
        Budgets budgets,
        AbsentQueues absent,
        Counters counters,
        Listeners listeners) {
      this.limits = limits;
      this.timer = timer;
      this.ids = ids;
      this.directory = directory;
      this.router = router;
      this.streams = streams;
      this.expiries = expiries;
      this.budgets = budgets;
      this.absent = absent;
      this.counters = counters;
      this.listeners = listeners;
    }
  }

  private static final Delivery SENT = new Delivery.Sent();

  private final Parts parts;
  private final Side side;
  private final @Nullable String owner;
  private final String id;
  private final String key;

  /** True if no client of the protocol's first draft can have opened it. */
  private final boolean keyAlwaysNeeded;

  /** The asks that wait for an answer; null if the reader is a client. */
  private final @Nullable OpenAsks asks;

  private final ChannelConnection connection;

  /** The answer to the last numbered request. */
  final LastAnswer lastAnswer = new LastAnswer();

  final Lifecycle lifecycle;
  final TokenBucket messages;
  final TokenBucket sessionChanges;

  /** The bytes that it has sent and that wait for readers that are away. */
  private volatile long waiting;

  /** Set once a request to host has shown the key: from then on the key is required. */
  private volatile boolean keyShown;

  // Guarded by the directory's lock. Null until the first session.
  @Nullable Map<String, LocalSession> sessions;

  /**
   * @param owner the name of the login that opens it; null if there is none
   */
  LocalChannel(Parts parts, ChannelOptions options, Side side, @Nullable String owner) {
    this.parts = parts;
    this.owner = owner;
    this.side = side;
    id = parts.ids.id();
    key = parts.ids.key();
    asks = side == Side.WIRE ? null : new OpenAsks(id, parts.timer);
    keyAlwaysNeeded = side != Side.WIRE || !options.resume().isZero() || !options.lease().isZero();
    connection = new ChannelConnection(parts, this, options);
    lifecycle = new Lifecycle.OfChannel(parts.counters, parts.listeners, this);
    Limits limits = parts.limits;
    long now = parts.timer.nanoTime();
    messages = new TokenBucket(isOwn() ? Limits.Rate.UNLIMITED : limits.messageRate(), now);
    sessionChanges = new TokenBucket(isOwn() ? Limits.Rate.UNLIMITED : limits.sessionRate(), now);
  }

  /**
   * Creates a channel that continues one of another broker. Its queue is empty yet.
   *
   * @param state that of a channel that can be resumed
   */
  LocalChannel(Parts parts, ChannelState state) {
    this.parts = parts;
    owner = state.owner();
    side = Side.WIRE;
    id = state.cid();
    key = state.key();
    asks = null;
    // A client that asked for a grace knows more than the protocol's first draft.
    keyAlwaysNeeded = true;
    connection = new ChannelConnection(parts, this, state.resume(), state.lease(), state.secret());
    lifecycle = new Lifecycle.OfChannel(parts.counters, parts.listeners, this);
    Limits limits = parts.limits;
    long now = parts.timer.nanoTime();
    messages = new TokenBucket(limits.messageRate(), now, state.messageTokens());
    sessionChanges = new TokenBucket(limits.sessionRate(), now, state.sessionTokens());
    if (state.lastAnswer() != null) {
      lastAnswer.restore(state.lastAnswer());
    }
  }

  /** Returns whether it is the application's own. */
  boolean isOwn() {
    return side == Side.OWN;
  }

  /** Returns how many sessions it may host. */
  int maxSessions() {
    return isOwn() ? Integer.MAX_VALUE : parts.limits.maxSessionsPerChannel();
  }

  /** Queues the first event, and attaches the first stream. */
  void begin(ChannelConnection.Stream stream, IceConfiguration ice) {
    connection.outbox.offer(
        new Event.Opened(id, key, connection.resume(), connection.lease(), ice),
        /* receipt= */ null);
    connection.attach(stream, 0);
  }

  ChannelConnection connection() {
    return connection;
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public String key() {
    return key;
  }

  @Override
  public boolean isOpen() {
    return !connection.outbox.isClosed();
  }

  /** Checks whether a request to host may proceed with this key, or without one. */
  void checkHostKey(@Nullable String shown) {
    if (shown != null) {
      checkKey(shown);
      keyShown = true;
    } else if (keyAlwaysNeeded || keyShown) {
      throw new RefusedException(Refusals.keyNeededByChannel());
    }
  }

  void checkKey(String shown) {
    if (!Ids.matches(key, shown)) {
      throw new RefusedException(Refusals.wrongKey());
    }
    connection.heard();
  }

  @Override
  public LocalSession openSession(SessionSpec spec) {
    Objects.requireNonNull(spec, "spec");
    return openSession(spec, asked -> asked);
  }

  /**
   * @param permitted turns the request into what is permitted, or refuses it
   */
  LocalSession openSession(SessionSpec spec, UnaryOperator<SessionSpec> permitted) {
    return reporting(
        () -> {
          checkHosting(spec);
          SessionSpec hosted = permitted.apply(spec);
          checkHosting(hosted);
          return rateLimited(() -> parts.directory.open(this, hosted));
        });
  }

  /** Has the stream carry a list. */
  void watch(String name, ParsedFilter filter, ChannelWatches.Viewer viewer) {
    if (side != Side.WIRE) {
      throw refused(new RefusedException(Refusals.watchInJvm()));
    }
    connection.watches().watch(name, filter, viewer);
  }

  /** Ends a list that the stream carries, if there is one. */
  void unwatch(String name) {
    connection.unwatch(name);
  }

  private void checkHosting(SessionSpec spec) {
    parts.limits.check(spec);
    parts.streams.checkRunning();
    if (!isOpen()) {
      throw new RefusedException(Refusals.hostClosed());
    }
  }

  /**
   * @param permitted turns the request into what is permitted, or refuses it
   */
  void update(LocalSession session, SessionUpdate update, UnaryOperator<SessionUpdate> permitted) {
    reporting(
        () -> {
          checkUpdate(session, update);
          SessionUpdate made = permitted.apply(update);
          checkUpdate(session, made);
          return rateLimited(
              () -> {
                parts.directory.update(session, made);
                return session;
              });
        });
  }

  private void checkUpdate(LocalSession session, SessionUpdate update) {
    parts.limits.check(update);
    parts.streams.checkRunning();
    if (!session.isOpen()) {
      throw new RefusedException(Refusals.sessionClosed());
    }
  }

  void close(LocalSession session) {
    if (session.isOpen()) {
      // It counts against the rate, but closing is never refused.
      sessionChanges.takeAnyway(parts.timer.nanoTime());
      parts.directory.close(session);
    }
  }

  /** Makes a change to sessions; a refusal is counted and reported. */
  private LocalSession reporting(Supplier<LocalSession> change) {
    try {
      return change.get();
    } catch (RefusedException refused) {
      throw refused(refused);
    }
  }

  /** Counts and reports a refusal; returns it for the caller to throw, with the stack it has. */
  RefusedException refused(RefusedException refused) {
    parts.counters.callsRefused.increment(refused.refusal().code());
    parts.listeners.callRefused(this, refused.refusal());
    return refused;
  }

  /** Runs a change if the session rate allows it; a refused change gives its token back. */
  private LocalSession rateLimited(Supplier<LocalSession> change) {
    long now = parts.timer.nanoTime();
    if (!sessionChanges.take(now)) {
      throw new RefusedException(
          Refusals.sessionsTooFast(parts.limits.sessionRate(), sessionChanges.timeToNext(now)));
    }
    boolean changed = false;
    try {
      LocalSession session = change.get();
      changed = true;
      return session;
    } finally {
      if (!changed) {
        sessionChanges.giveBack();
      }
    }
  }

  @Override
  public LocalSession session(String sid) {
    Objects.requireNonNull(sid, "sid");
    LocalSession session = parts.directory.session(sid);
    if (session != null && session.host == this) {
      return session;
    }
    throw refused(
        new RefusedException(session == null ? Refusals.unknownSession() : Refusals.wrongHost()));
  }

  @Override
  public List<Session> sessions() {
    return parts.directory.sessionsOf(this);
  }

  @Override
  public CompletionStage<Delivery> send(Message message) {
    return send(message, null);
  }

  /**
   * Sends a message.
   *
   * @param permission refuses a message that is not permitted; null if no policy is asked
   */
  CompletionStage<Delivery> send(Message message, @Nullable Consumer<Message> permission) {
    Objects.requireNonNull(message, "message");
    Refusal refusal = refusalOf(message.origin());
    if (refusal == null) {
      refusal = parts.limits.refusalOf(message.json());
    }
    return refusal == null ? sendChecked(message, permission) : refuse(message, refusal);
  }

  /** The same, for a message whose origin and size have been checked. */
  CompletionStage<Delivery> sendChecked(Message message, @Nullable Consumer<Message> permission) {
    if (permission != null) {
      try {
        permission.accept(message);
      } catch (RefusedException refused) {
        return refuse(message, refused.refusal());
      }
      // The policy took its time: the broker, this channel or the session may have closed.
      Refusal refusal = refusalOf(message.origin());
      if (refusal != null) {
        return refuse(message, refusal);
      }
    }
    long now = parts.timer.nanoTime();
    if (!messages.take(now)) {
      return refuse(
          message,
          parts.router.isUnknown(message.target())
              ? Refusals.unknownTarget()
              : Refusals.messagesTooFast(parts.limits.messageRate(), messages.timeToNext(now)));
    }
    CompletionStage<Delivery> stage = parts.router.send(message);
    if (LocalRouter.isSent(stage)) {
      answered(message, SENT);
      return stage;
    }
    return stage.whenComplete(
        (delivery, thrown) -> {
          if (delivery instanceof Delivery.Refused) {
            messages.giveBack();
          }
          answered(message, delivery);
        });
  }

  /** Refuses a message. */
  private CompletionStage<Delivery> refuse(Message message, Refusal refusal) {
    answered(message, new Delivery.Refused(refusal));
    return Delivery.refused(refusal);
  }

  /** What a message from here can be refused for, its size apart, before the policy is asked. */
  private @Nullable Refusal refusalOf(String origin) {
    if (parts.streams.isClosing()) {
      return Refusals.shuttingDown();
    }
    return parts.directory.ownerOf(origin) == this ? null : Refusals.foreignOrigin();
  }

  private void answered(Message message, Delivery delivery) {
    parts.counters.answered(delivery);
    parts.listeners.messageAnswered(this, message, delivery);
  }

  /** Accepts a message that was sent to this channel or to one of its sessions. */
  CompletionStage<Delivery> deliver(Message message) {
    // A slice would retain the whole request: many times what it counts in the queue.
    Event.Received event = new Event.Received(message.compact());
    Outbox.OfferResult answer = connection.outbox.offer(event, null);
    return answer == Outbox.OfferResult.AWAY
        ? deliverLater(event)
        : delivery(answer, /* receipt= */ null);
  }

  /** Accepts a message whose reader was away a moment ago. */
  private CompletionStage<Delivery> deliverLater(Event.Received event) {
    Outbox.Receipt receipt = parts.router.receipt(event.message());
    Outbox.OfferResult answer = connection.outbox.offer(event, receipt);
    // One drop is enough, unless other senders take the room first.
    for (int tries = 0; answer == Outbox.OfferResult.CROWDED && tries < MAX_LET_GO; tries++) {
      if (!parts.router.letLargestGo(connection.outbox.place(), event.size())) {
        break;
      }
      answer = connection.outbox.offer(event, receipt);
    }
    return delivery(answer, receipt);
  }

  private CompletionStage<Delivery> delivery(
      Outbox.OfferResult answer, Outbox.@Nullable Receipt receipt) {
    return switch (answer) {
      case SENT -> {
        connection.wake();
        yield Delivery.sent();
      }
      case QUEUED -> Delivery.queued(receipt == null ? "" : receipt.id());
      case FULL -> Delivery.refused(Refusals.targetBusy());
      case SENDER_FULL -> Delivery.refused(Refusals.tooMuchWaiting(parts.limits.maxQueuedBytes()));
      case OVER_BUDGET, CROWDED, AWAY -> Delivery.refused(Refusals.queuesFull());
      case CLOSED, MOVED -> Delivery.refused(Refusals.unknownTarget());
    };
  }

  @Override
  public boolean reserveWaiting(int bytes) {
    long max = isOwn() ? Long.MAX_VALUE : parts.limits.maxQueuedBytes();
    long before = waiting;
    // One message may always wait, as in an empty queue.
    while (before == 0 || before + bytes <= max) {
      if (WAITING.compareAndSet(this, before, before + bytes)) {
        return true;
      }
      before = waiting;
    }
    return false;
  }

  @Override
  public void releaseWaiting(int bytes) {
    WAITING.addAndGet(this, -bytes);
  }

  /**
   * Notifies this channel that one of its messages was not delivered, if there is room for the
   * event.
   */
  void notifyUndelivered(Event.Undelivered undelivered) {
    if (connection.outbox.offer(undelivered, null) == Outbox.OfferResult.SENT) {
      connection.wake();
    }
  }

  @Override
  public CompletionStage<Message> ask(String target, Json json, Duration timeout) {
    return ask(new Message(id, target, json), timeout, this::send);
  }

  /** Sends a message in the way that is given, and returns a stage of the answer. */
  CompletionStage<Message> ask(
      Message message, Duration timeout, Function<Message, CompletionStage<Delivery>> send) {
    Objects.requireNonNull(timeout, "timeout");
    if (timeout.isZero() || timeout.isNegative() || timeout.compareTo(MAX_TIMEOUT) > 0) {
      throw new IllegalArgumentException(
          "timeout must be more than 0 and at most 1 hour, not " + timeout);
    }
    if (asks == null) {
      throw new UnsupportedOperationException(
          "Only a channel that was opened with a receiver in this JVM can ask; this one's reader is"
              + " a client.");
    }
    return asks.ask(message, timeout, send);
  }

  /** Returns the asks of a channel that was opened with a receiver. */
  OpenAsks asks() {
    return Objects.requireNonNull(asks, "asks");
  }

  @Override
  public boolean confirm(String eventId) {
    Objects.requireNonNull(eventId, "eventId");
    ResumeId seen = ResumeId.parse(eventId);
    return seen != null && connection.isMine(seen) && connection.confirm(seen.number());
  }

  @Override
  public void confirm(String eventId, Duration patience) {
    Objects.requireNonNull(patience, "patience");
    if (confirm(eventId)) {
      connection.cutIfSuspect(patience);
    }
  }

  @Override
  public boolean isAttached() {
    return connection.isAttached();
  }

  @Override
  public @Nullable String lastConsumed() {
    return connection.outbox.lastConsumedId();
  }

  /** Accepts no more messages: this is the instant at which the channel and its sessions close. */
  void closeOutbox() {
    connection.outbox.close();
  }

  @Override
  public void close() {
    end(CloseReason.CLOSED);
  }

  @Override
  public void revoke() {
    end(CloseReason.REVOKED);
  }

  @Override
  public @Nullable String owner() {
    return owner;
  }

  void end(CloseReason reason) {
    // Until the directory says more.
    Runnable notification = lifecycle::notifyListeners;
    try {
      notification = parts.directory.close(this, reason);
    } finally {
      try {
        // In this order: the stream is notified before the application. A channel that has left
        // this broker meanwhile goes on elsewhere.
        connection.end(connection.outbox.hasMoved() ? CloseReason.SUPERSEDED : reason);
      } finally {
        notification.run();
      }
    }
  }

  /**
   * Closes the channel after its connection has decided that the client does not come back.
   *
   * @return what notifies listeners of it
   */
  Runnable closeExpired() {
    return parts.directory.close(this, CloseReason.EXPIRED);
  }

  Lifecycle lifecycleOf(Session session) {
    return new Lifecycle.OfSession(parts.counters, parts.listeners, session, lifecycle);
  }

  @Override
  public String toString() {
    return "Channel[" + id + "]";
  }

  /** The sessions map, made when it is first needed. */
  Map<String, LocalSession> sessionsToAddTo() {
    Map<String, LocalSession> map = sessions;
    if (map == null) {
      map = new LinkedHashMap<>();
      sessions = map;
    }
    return map;
  }
}
