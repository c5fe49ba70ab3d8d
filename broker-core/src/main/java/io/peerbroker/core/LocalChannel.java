package io.peerbroker.core;

import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A channel in this broker's directory: its queue, its rates, and its end of the stream. */
final class LocalChannel implements Channel {

  private static final Duration SOON = Duration.ofSeconds(1);

  /** How many larger queues one message may have let go for its room. */
  private static final int MAX_LET_GO = 4;

  private static final AtomicLongFieldUpdater<LocalChannel> WAITING =
      AtomicLongFieldUpdater.newUpdater(LocalChannel.class, "waiting");

  /** Who is behind a channel: by that it is counted, bounded, and has to show its key. */
  enum Side {
    /** A client behind a transport. */
    WIRE,
    /** A party in this JVM that acts for somebody else: {@link Broker#forCaller}. */
    GUEST,
    /** The application itself, which no stranger's bound holds for. */
    OWN
  }

  private final LocalBroker broker;
  private final Side side;
  final Permits permits;
  private final @Nullable String owner;
  private final String id;
  private final String key;

  /** No client of the first draft can have opened it. */
  private final boolean keyAlwaysNeeded;

  private final ChannelConnection connection;
  final Lifecycle lifecycle;
  private final TokenBucket messages;
  private final TokenBucket sessionChanges;

  /** The bytes that it has sent and that wait for readers who are away. */
  private volatile long waiting;

  /** Set once the key has come with a request to host: from then on it is needed. */
  private volatile boolean keyShown;

  // Guarded by the directory's lock. Null until the first.
  @Nullable Map<String, LocalSession> sessions;

  /** The sessions that have closed with it and are yet to be told of. The expirer's own. */
  private Collection<LocalSession> expired = List.of();

  LocalChannel(LocalBroker broker, ChannelOptions options, Side side) {
    this(broker, options, side, null);
  }

  /**
   * @param owner the name of the login that opens it, if there is one
   */
  LocalChannel(LocalBroker broker, ChannelOptions options, Side side, @Nullable String owner) {
    this.broker = broker;
    this.owner = owner;
    this.side = side;
    permits = side == Side.OWN ? broker.ownChannels : broker.channels;
    id = broker.ids.id();
    key = broker.ids.key();
    keyAlwaysNeeded = side != Side.WIRE || !options.resume().isZero() || !options.lease().isZero();
    connection = new ChannelConnection(broker, this, options);
    lifecycle = new Lifecycle.OfChannel(broker.counters, this);
    Limits limits = broker.limits();
    long now = broker.timer().nanoTime();
    messages = new TokenBucket(isOwn() ? Limits.Rate.UNLIMITED : limits.messageRate(), now);
    sessionChanges = new TokenBucket(isOwn() ? Limits.Rate.UNLIMITED : limits.sessionRate(), now);
  }

  /** Whether it is the application's own. */
  boolean isOwn() {
    return side == Side.OWN;
  }

  /** How many sessions it may host. */
  int maxSessions() {
    return isOwn() ? Integer.MAX_VALUE : broker.limits().maxSessionsPerChannel();
  }

  /** Queues the first event, and attaches the first stream. */
  void begin(ChannelConnection.Stream stream) {
    connection.outbox.offer(
        new Event.Opened(id, key, connection.resume(), connection.lease()), /* receipt= */ null);
    connection.attach(stream, 0);
  }

  private static Refusal overBudget() {
    return new Refusal(
        Refusal.Code.AT_CAPACITY, "The broker holds as many undelivered messages as it may.", SOON);
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

  /** Whether a request to host may go on with this key, or without one. */
  void checkHostKey(@Nullable String shown) {
    if (shown != null) {
      checkKey(shown);
      keyShown = true;
    } else if (keyAlwaysNeeded || keyShown) {
      throw refused(
          Refusal.Code.INVALID_REQUEST,
          "The member 'key' is missing: this channel's sessions take the key of the channel.");
    }
  }

  void checkKey(String shown) {
    if (!Ids.matches(key, shown)) {
      throw refused(
          Refusal.Code.WRONG_KEY,
          "The key is not that of the channel; it is in the 'channel' event that the channel began with.");
    }
    connection.heard();
  }

  @Override
  public LocalSession openSession(SessionSpec spec) {
    Objects.requireNonNull(spec, "spec");
    return openSession(spec, asked -> asked);
  }

  /**
   * @param permitted makes of what is asked for what is permitted, or refuses it
   */
  LocalSession openSession(SessionSpec spec, UnaryOperator<SessionSpec> permitted) {
    return notifying(
        () -> {
          broker.limits().check(spec);
          return open(spec, permitted);
        });
  }

  /** As {@link #openSession}, for a session whose size has been looked at. */
  LocalSession openCheckedSession(SessionSpec spec, UnaryOperator<SessionSpec> permitted) {
    return notifying(() -> open(spec, permitted));
  }

  private LocalSession open(SessionSpec spec, UnaryOperator<SessionSpec> permitted) {
    checkHosting();
    SessionSpec hosted = permitted.apply(spec);
    if (!hosted.equals(spec)) {
      broker.limits().check(hosted);
    }
    checkHosting();
    return rateLimited(() -> broker.directory.open(this, hosted));
  }

  private void checkHosting() {
    broker.checkRunning();
    if (!isOpen()) {
      throw refused(Refusal.Code.UNKNOWN_CHANNEL, "The host channel has closed.");
    }
  }

  /**
   * @param permitted makes of what is asked for what is permitted, or refuses it
   */
  void update(LocalSession session, SessionUpdate update, UnaryOperator<SessionUpdate> permitted) {
    notifying(
        () -> {
          broker.limits().check(update);
          return change(session, update, permitted);
        });
  }

  /** As {@link #update}, for an update whose size has been looked at. */
  void updateChecked(
      LocalSession session, SessionUpdate update, UnaryOperator<SessionUpdate> permitted) {
    notifying(() -> change(session, update, permitted));
  }

  private LocalSession change(
      LocalSession session, SessionUpdate update, UnaryOperator<SessionUpdate> permitted) {
    checkChanging(session);
    SessionUpdate made = permitted.apply(update);
    if (!made.equals(update)) {
      broker.limits().check(made);
    }
    checkChanging(session);
    return rateLimited(
        () -> {
          broker.directory.update(session, made);
          return session;
        });
  }

  private void checkChanging(LocalSession session) {
    broker.checkRunning();
    if (!session.isOpen()) {
      throw refused(Refusal.Code.UNKNOWN_SESSION, "The session has been closed.");
    }
  }

  void close(LocalSession session) {
    if (session.isOpen()) {
      // It counts against the rate, but nobody is kept from closing what is open.
      sessionChanges.takeAnyway(broker.timer().nanoTime());
      broker.directory.close(session);
      session.lifecycle.notifyListeners();
    }
  }

  /** Makes a change to sessions, or is refused it, and tells listeners either way. */
  private LocalSession notifying(Supplier<LocalSession> change) {
    try {
      LocalSession session = change.get();
      session.lifecycle.notifyListeners();
      return session;
    } catch (RefusedException refused) {
      throw broker.counters.refused(this, refused);
    }
  }

  /** Does a change to sessions that counts against their rate, unless it is refused. */
  private LocalSession rateLimited(Supplier<LocalSession> change) {
    long now = broker.timer().nanoTime();
    if (!sessionChanges.take(now)) {
      throw new RefusedException(
          new Refusal(
              Refusal.Code.RATE_LIMITED,
              "This channel changes its sessions faster than "
                  + broker.limits().sessionRate().perSecond()
                  + " a second.",
              sessionChanges.timeToNext(now)));
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
    LocalSession session = broker.directory.session(sid);
    if (session != null && session.host == this) {
      return session;
    }
    throw broker.counters.refused(
        this,
        session == null
            ? refused(Refusal.Code.UNKNOWN_SESSION, "There is no such session, or not any more.")
            : refused(
                Refusal.Code.WRONG_KEY,
                "Another channel hosts this session, and only that one may change it."));
  }

  @Override
  public List<Session> sessions() {
    return broker.directory.sessionsOf(this);
  }

  @Override
  public CompletionStage<Delivery> send(Message message) {
    return send(message, null);
  }

  /**
   * Sends a message.
   *
   * @param permission refuses one that is not permitted; null where nobody is asked
   */
  CompletionStage<Delivery> send(Message message, @Nullable Consumer<Message> permission) {
    Objects.requireNonNull(message, "message");
    Refusal refusal = refusalOf(message.origin());
    if (refusal == null) {
      refusal = broker.limits().refusalOf(message.json());
    }
    return refusal == null ? sendChecked(message, permission) : refuse(message, refusal);
  }

  /** As {@link #send(Message, Consumer)}, for a message whose size has been looked at. */
  CompletionStage<Delivery> sendFrom(Message message, @Nullable Consumer<Message> permission) {
    Refusal refusal = refusalOf(message.origin());
    return refusal == null ? sendChecked(message, permission) : refuse(message, refusal);
  }

  /** The same, for a message whose origin has been looked at, too. */
  CompletionStage<Delivery> sendChecked(Message message, @Nullable Consumer<Message> permission) {
    if (permission != null) {
      try {
        permission.accept(message);
      } catch (RefusedException refused) {
        return refuse(message, refused.refusal());
      }
      if (!isOpen()) {
        return refuse(message, notOfThisChannel());
      }
    }
    long now = broker.timer().nanoTime();
    if (!messages.take(now)) {
      return refuse(
          message,
          broker.isUnknown(message.target())
              ? LocalBroker.unknownTarget()
              : new Refusal(
                  Refusal.Code.RATE_LIMITED,
                  "This channel sends faster than "
                      + broker.limits().messageRate().perSecond()
                      + " messages a second.",
                  messages.timeToNext(now)));
    }
    CompletionStage<Delivery> stage = broker.route(message);
    if (stage == Delivery.sent()) {
      broker.counters.sent(this, message);
      return stage;
    }
    return stage.whenComplete(
        (delivery, thrown) -> {
          if (delivery instanceof Delivery.Refused) {
            messages.giveBack();
          }
          broker.counters.answered(this, message, delivery);
        });
  }

  /** Answers a message with a refusal. */
  private CompletionStage<Delivery> refuse(Message message, Refusal refusal) {
    broker.counters.answered(this, message, new Delivery.Refused(refusal));
    return Delivery.refused(refusal);
  }

  /** What a message from here can be refused for, its size apart, before the policy is asked. */
  private @Nullable Refusal refusalOf(String origin) {
    if (broker.isClosing()) {
      return LocalBroker.shuttingDown();
    }
    return broker.directory.ownerOf(origin) == this ? null : notOfThisChannel();
  }

  private static Refusal notOfThisChannel() {
    return Refusal.of(
        Refusal.Code.UNKNOWN_CHANNEL,
        "The origin is neither this channel, still open, nor one of its sessions.");
  }

  /** Takes a message that was sent to this channel or to a session of it. */
  CompletionStage<Delivery> deliver(Message message) {
    // A slice would keep the whole request alive: many times what it counts for in the queue.
    Event.Received event = new Event.Received(message.compact());
    Outbox.OfferResult answer = connection.outbox.offer(event, null);
    return answer == Outbox.OfferResult.AWAY
        ? deliverLater(event)
        : delivery(answer, /* receipt= */ null);
  }

  /** Takes a message whose reader was away a moment ago. */
  private CompletionStage<Delivery> deliverLater(Event.Received event) {
    Outbox.Receipt receipt =
        new Outbox.Receipt(
            broker.ids.delivery(), broker.directory.ownerOf(event.message().origin()));
    Outbox.OfferResult answer = connection.outbox.offer(event, receipt);
    // Once is enough, but where others are as quick to take the room.
    for (int tries = 0; answer == Outbox.OfferResult.CROWDED && tries < MAX_LET_GO; tries++) {
      if (!broker.letLargestGo(connection.outbox.place(), event.size())) {
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
      case FULL ->
          Delivery.refused(
              new Refusal(
                  Refusal.Code.TARGET_BUSY,
                  "The target has not read what was sent to it before; its queue is full.",
                  SOON));
      case SENDER_FULL ->
          Delivery.refused(
              new Refusal(
                  Refusal.Code.RATE_LIMITED,
                  "This channel has "
                      + broker.limits().maxQueuedBytes()
                      + " bytes waiting for targets that are away, and may have no more.",
                  SOON));
      case OVER_BUDGET, CROWDED, AWAY -> Delivery.refused(overBudget());
      case CLOSED -> Delivery.refused(LocalBroker.unknownTarget());
    };
  }

  /** Counts what this channel has sent to readers who are away, unless it would be too much. */
  boolean reserveWaiting(int bytes) {
    long max = isOwn() ? Long.MAX_VALUE : broker.limits().maxQueuedBytes();
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

  void releaseWaiting(int bytes) {
    WAITING.addAndGet(this, -bytes);
  }

  /** Tells this channel that a message of it has not been delivered, if there is room for that. */
  void notifyUndelivered(Event.Undelivered undelivered) {
    if (connection.outbox.offer(undelivered, null) == Outbox.OfferResult.SENT) {
      connection.wake();
    }
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

  /** Takes no more messages: this is the instant in which the channel and its sessions close. */
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
    Collection<LocalSession> closed = List.of();
    try {
      closed = broker.directory.close(this, reason);
    } finally {
      connection.end(reason);
      notifyClosed(closed);
    }
  }

  private void notifyClosed(Collection<LocalSession> closed) {
    closed.forEach(session -> session.lifecycle.notifyListeners());
    lifecycle.notifyListeners();
  }

  /** Closes a channel whose connection has decided that no client comes back. */
  void closeExpired() {
    expired = broker.directory.close(this, CloseReason.EXPIRED);
  }

  /** Tells those concerned of that. */
  void notifyExpired() {
    try {
      notifyClosed(expired);
    } finally {
      expired = List.of();
      connection.expired();
    }
  }

  Lifecycle lifecycleOf(Session session) {
    return new Lifecycle.OfSession(broker.counters, session, lifecycle);
  }

  private static RefusedException refused(Refusal.Code code, String detail) {
    return new RefusedException(Refusal.of(code, detail));
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
