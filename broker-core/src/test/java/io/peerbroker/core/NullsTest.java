package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A null that is not permitted is refused at once, with the parameter's name. */
final class NullsTest {

  private static final TagFilter ALL = TagFilter.all();
  private static final Executor IN_PLACE = Runnable::run;
  private static final Receiver RECEIVER = (channel, message) -> {};
  private static final Transport.Opener OPENER = attachment -> new ManualTransport();

  private final Broker broker =
      Broker.builder()
          .drainTimeout(Duration.ZERO)
          .accessPolicy(
              new AccessPolicy() {
                @Override
                public Scope scope(Caller caller, TagFilter filter) {
                  // It would fail on a null, and get the blame.
                  return Scope.of(filter.and(filter));
                }
              })
          .build();
  private final Broker acting = broker.forCaller(() -> null);

  @AfterEach
  void nothingIsLeft() {
    assertThat(broker.stats().callsRefused().values()).allMatch(count -> count == 0);
    broker.close();
    LeakAssert.assertNone(broker);
  }

  private static void refuses(String name, Runnable call) {
    assertThatNullPointerException()
        .as(name)
        .isThrownBy(call::run)
        .satisfies(thrown -> assertThat(thrown.getMessage()).isEqualTo(name));
  }

  @Test
  @DisplayName("The broker, and a view of it.")
  void brokers() {
    for (Broker door : List.of(broker, acting)) {
      refuses("receiver", () -> door.openChannel((Receiver) null));
      refuses("receiver", () -> door.openChannel(null, IN_PLACE));
      refuses("executor", () -> door.openChannel(RECEIVER, null));
      Gateway gateway = door.gateway();
      refuses("options", () -> gateway.openChannel(null, OPENER));
      refuses("opener", () -> gateway.openChannel(ChannelOptions.none(), null));
      refuses("filter", () -> gateway.watch(null, OPENER));
      refuses("opener", () -> gateway.watch(ALL, null));
      refuses("filter", () -> gateway.readPage(null, 1, null));
      refuses("request", () -> gateway.perform(null));
      refuses("filter", () -> door.list(null));
      refuses("filter", () -> door.list(null, 1, null));
      refuses("filter", () -> door.watch(null, new Replay()));
      refuses("watcher", () -> door.watch(ALL, (Watcher) null));
      refuses("filter", () -> door.watch(null, new Replay(), IN_PLACE));
      refuses("watcher", () -> door.watch(ALL, null, IN_PLACE));
      refuses("executor", () -> door.watch(ALL, new Replay(), null));
      refuses("filter", () -> door.keepWatching(null, new Replay()));
      refuses("watcher", () -> door.keepWatching(ALL, null));
      refuses("filter", () -> door.keepWatching(null, new Replay(), IN_PLACE));
      refuses("watcher", () -> door.keepWatching(ALL, null, IN_PLACE));
      refuses("executor", () -> door.keepWatching(ALL, new Replay(), null));
      refuses("caller", () -> door.forCaller(null));
      assertThat(door.stats().streams()).isZero();
    }
  }

  private static void ignore(CompletionStage<Message> stage) {
    assertThat(stage).isNotNull();
  }

  @Test
  @DisplayName("A channel and a session, and those of a view.")
  void channels() {
    for (Broker door : List.of(broker, acting)) {
      Channel channel = door.openChannel(RECEIVER, IN_PLACE);
      Session session = channel.openSession(SessionSpec.unlisted());
      refuses("spec", () -> channel.openSession(null));
      refuses("sid", () -> channel.session(null));
      refuses("message", () -> Party.answer(channel.send(null)));
      refuses("target", () -> Party.answer(channel.send(null, Json.NULL)));
      refuses("json", () -> Party.answer(channel.send("target", null)));
      refuses("target", () -> ignore(channel.ask(null, Json.NULL, Duration.ofSeconds(1))));
      refuses("json", () -> ignore(channel.ask("target", null, Duration.ofSeconds(1))));
      refuses("timeout", () -> ignore(channel.ask("target", Json.NULL, null)));
      refuses("eventId", () -> channel.confirm(null));
      refuses("eventId", () -> channel.confirm(null, Duration.ZERO));
      refuses("patience", () -> channel.confirm("event", null));
      refuses("update", () -> session.update(null));
      refuses("target", () -> Party.answer(session.send(null, Json.NULL)));
      channel.close();
    }
  }

  @Test
  @DisplayName("The arguments: filters, messages, sessions, options.")
  void values() {
    refuses("text", () -> TagFilter.parse(null));
    refuses("tags", () -> TagFilter.requiring((String[]) null));
    refuses("tags", () -> ALL.matches(null));
    refuses("other", () -> ALL.and(null));
    refuses("resume", () -> ChannelOptions.none().withResume(null));
    refuses("lease", () -> ChannelOptions.none().withLease(null));
    refuses("lastEventId", () -> ChannelOptions.none().after(null));
    refuses("origin", () -> new Message(null, "target", Json.NULL));
    refuses("target", () -> new Message("origin", null, Json.NULL));
    refuses("json", () -> new Message("origin", "target", null));
    refuses("tags", () -> SessionSpec.listed((String[]) null));
    refuses("tags", () -> SessionSpec.listed().withTags((List<String>) null));
    refuses("metadata", () -> SessionSpec.listed().withMetadata(null));
    refuses("filter", () -> Scope.of(null));
    refuses("refusal", () -> new Delivery.Refused(null));
    refuses("id", () -> new Delivery.Queued(null));
    Request.Actor actor = Request.Actor.of("cid").withKey("key");
    refuses("id", () -> Request.Actor.of(null));
    refuses("key", () -> actor.withKey(null));
    refuses("seen", () -> actor.withSeen(null, Duration.ZERO));
    refuses("patience", () -> actor.withSeen("event", null));
    refuses("actor", () -> new Request.Ping(null));
    refuses("actor", () -> new Request.Watch(null, "name", ALL));
    refuses("name", () -> new Request.Watch(actor, null, ALL));
    refuses("filter", () -> new Request.Watch(actor, "name", null));
    refuses("name", () -> new Request.Unwatch(actor, null));
    refuses("watch", () -> new Event.Unwatched(null, CloseReason.CLOSED));
    refuses("reason", () -> new Event.Unwatched("name", null));
    refuses("shared", () -> new Event.Watched("name", null));
    refuses("actor", () -> new Request.OpenSession(null, SessionSpec.unlisted()));
    refuses("spec", () -> new Request.OpenSession(actor, null));
    refuses("sid", () -> new Request.CloseSession(actor, null));
    refuses("update", () -> new Request.UpdateSession(actor, "sid", null));
    refuses("target", () -> new Request.Send(actor, null, List.of(Json.NULL)));
    refuses("refusal", () -> new Answer.Refused(null));
    refuses("sid", () -> new Answer.SessionOpened(null));
    refuses("configuration", () -> new Answer.IceServersGiven(null));
    refuses("ttl", () -> new IceConfiguration(List.of(), null));
    refuses("username", () -> IceServer.turn(null, "word", "turn:a"));
    refuses("credential", () -> IceServer.turn("user", null, "turn:a"));
  }

  @Test
  @DisplayName("The builder.")
  void builders() {
    BrokerBuilder builder = Broker.builder();
    refuses("timer", () -> builder.timer(null));
    refuses("policy", () -> builder.accessPolicy(null));
    refuses("servers", () -> builder.iceServers(null));
    refuses("router", () -> builder.router(null));
    refuses("listener", () -> builder.listener(null));
    refuses("executor", () -> builder.receiverExecutor(null));
    refuses("rate", () -> builder.messageRate(null));
    refuses("rate", () -> builder.sessionRate(null));
    refuses("resume", () -> builder.maxResume(null));
    refuses("shortest", () -> builder.leaseBounds(null, Duration.ZERO));
    refuses("longest", () -> builder.leaseBounds(Duration.ZERO, null));
    refuses("timeout", () -> builder.drainTimeout(null));
  }

  @Test
  @DisplayName("The system's timer.")
  void timers() {
    try (Timer.SystemTimer timer = Timer.system()) {
      refuses("delay", () -> timer.schedule(null, () -> {}));
      refuses("task", () -> timer.schedule(Duration.ZERO, null));
    }
  }
}
