package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.peerbroker.core.Refusal.Code;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Remote clients' requests as values: answers, refusals, and the order of the checks. */
final class RequestTest {

  private static final Json LARGE = Json.of("x".repeat(100));

  @RegisterExtension final BrokerLog log = new BrokerLog();

  private final ManualTimer timer = new ManualTimer();
  private final AtomicReference<@Nullable RefusedException> no = new AtomicReference<>();

  private final List<CompletableFuture<Delivery>> routed = new ArrayList<>();

  /** What the policy does while it is asked about a message. */
  private Runnable meanwhile = () -> {};

  /** A policy that refuses everything while {@link #no} is set. */
  private final AccessPolicy policy =
      new AccessPolicy() {
        @Override
        public SessionSpec host(Caller caller, Channel channel, SessionSpec spec) {
          ask();
          return spec;
        }

        @Override
        public SessionUpdate update(Caller caller, Session session, SessionUpdate update) {
          ask();
          return update;
        }

        @Override
        public void send(Caller caller, Message message) {
          meanwhile.run();
          ask();
        }

        private void ask() {
          RefusedException refused = no.get();
          if (refused != null) {
            throw refused;
          }
        }
      };

  private final BrokerBuilder builder =
      Broker.builder()
          .timer(timer)
          .accessPolicy(policy)
          .maxMessageBytes(50)
          .maxMetadataBytes(50)
          .messageRate(new Limits.Rate(1, 2))
          .sessionRate(new Limits.Rate(1, 2));

  private @Nullable Broker broker;

  @AfterEach
  void nothingIsLeft() {
    if (broker != null) {
      broker.close();
      LeakAssert.assertNone(broker);
    }
  }

  private Gateway open() {
    broker = builder.build();
    return broker.forCaller(Caller.of(null)).gateway();
  }

  /** Opens a broker whose router answers when a test completes what it has {@link #routed}. */
  private Gateway openWithSlowRouter() {
    builder.router(
        next ->
            message -> {
              CompletableFuture<Delivery> delivery = new CompletableFuture<>();
              routed.add(delivery);
              return delivery;
            });
    return open();
  }

  private static CompletableFuture<Answer> sendTwo(Gateway gateway, Channel sender) {
    return gateway
        .perform(send(actor(sender), "far", Json.of(1), Json.of(2)))
        .toCompletableFuture();
  }

  private Channel remote(Gateway gateway) {
    return gateway
        .openChannel(
            ChannelOptions.none(),
            attachment ->
                new ReceiverTransport(attachment, Runnable::run, null, event -> {}, reason -> {}))
        .toCompletableFuture()
        .join();
  }

  private static Request.Actor actor(String id, @Nullable String key) {
    Request.Actor actor = Request.Actor.of(id);
    return key == null ? actor : actor.withKey(key);
  }

  private static Request.Actor actor(Channel channel) {
    return actor(channel.id(), channel.key());
  }

  private static Answer answer(Gateway gateway, Request request) {
    CompletableFuture<Answer> answer = gateway.perform(request).toCompletableFuture();
    assertThat(answer).isCompleted();
    return answer.join();
  }

  private static void assertRefused(Gateway gateway, Request request, Code code) {
    assertThat(answer(gateway, request))
        .isInstanceOfSatisfying(
            Answer.Refused.class, refused -> assertThat(refused.refusal().code()).isEqualTo(code));
  }

  private static Request.Send send(Request.Actor actor, String target, Json... messages) {
    return new Request.Send(actor, target, List.of(messages));
  }

  @Test
  @DisplayName("Each kind of request has its answer.")
  void answers() {
    Gateway gateway = open();
    Channel channel = remote(gateway);
    assertThat(answer(gateway, new Request.Ping(actor(channel))))
        .isEqualTo(new Answer.Pong(true, null));
    Answer opened =
        answer(gateway, new Request.OpenSession(actor(channel), SessionSpec.listed("a")));
    String sid = ((Answer.SessionOpened) opened).sid();
    assertThat(channel.session(sid).tags()).containsExactly("a");
    SessionUpdate update = SessionUpdate.nothing().withTags("b");
    assertThat(answer(gateway, new Request.UpdateSession(actor(channel), sid, update)))
        .isEqualTo(new Answer.Done());
    assertThat(channel.session(sid).tags()).containsExactly("b");
    // From the session, with its channel's key.
    Request.Actor session = actor(sid, channel.key());
    assertThat(answer(gateway, send(session, channel.id(), Json.of(1))))
        .isEqualTo(new Answer.Delivered(List.of(new Delivery.Sent())));
    assertThat(answer(gateway, new Request.CloseSession(actor(channel), sid)))
        .isEqualTo(new Answer.Done());
    assertThat(channel.sessions()).isEmpty();
    assertThat(answer(gateway, new Request.CloseChannel(actor(channel))))
        .isEqualTo(new Answer.Done());
    assertThat(channel.isOpen()).isFalse();
  }

  /** The faults of a request: one row of the table for each possible one. */
  private record Wrong(Code code, UnaryOperator<State> make) {}

  /** A request that has yet to be made, and its faults. */
  private record State(
      Gateway gateway, Channel own, Channel other, String id, String key, String to, Json json) {
    State withId(String wrong) {
      return new State(gateway, own, other, wrong, key, to, json);
    }

    State withKey(String wrong) {
      return new State(gateway, own, other, id, wrong, to, json);
    }

    State withTo(String wrong) {
      return new State(gateway, own, other, id, key, wrong, json);
    }

    State withJson(Json wrong) {
      return new State(gateway, own, other, id, key, to, wrong);
    }
  }

  private State denied(State state) {
    no.set(AccessPolicy.denied("Not you."));
    return state;
  }

  /** Each has the fault of its row and all those that are checked after it. */
  private void assertOrder(List<Wrong> order, Function<State, Request> request) {
    for (int first = 0; first < order.size(); first++) {
      no.set(null);
      Gateway gateway = open();
      Channel own = remote(gateway);
      Channel other = remote(gateway);
      State state = new State(gateway, own, other, own.id(), own.key(), other.id(), Json.of(1));
      for (Wrong wrong : order.subList(first, order.size())) {
        state = wrong.make.apply(state);
      }
      assertRefused(gateway, request.apply(state), order.get(first).code);
      no.set(null);
      nothingIsLeft();
    }
  }

  @Test
  @Tag("E4")
  @DisplayName("A message: size, channel, key, policy, target, rate.")
  void orderOfSend() {
    Wrong size = new Wrong(Code.TOO_LARGE, state -> state.withJson(LARGE));
    Wrong channel = new Wrong(Code.UNKNOWN_CHANNEL, state -> state.withId("nobody"));
    Wrong key = new Wrong(Code.WRONG_KEY, state -> state.withKey("wrong"));
    Wrong policy = new Wrong(Code.DENIED, this::denied);
    Wrong target = new Wrong(Code.UNKNOWN_TARGET, state -> state.withTo("nobody"));
    Wrong rate =
        new Wrong(
            Code.RATE_LIMITED,
            state -> {
              RefusedException refused = no.getAndSet(null);
              for (int i = 0; i < 2; i++) {
                Request spent = send(actor(state.own), state.other.id(), Json.of(1));
                assertThat(answer(state.gateway, spent)).isInstanceOf(Answer.Delivered.class);
              }
              no.set(refused);
              return state;
            });
    assertOrder(
        List.of(size, channel, key, policy, target, rate),
        state -> send(actor(state.id, state.key), state.to, state.json));
  }

  @Test
  @Tag("E4")
  @Tag("N5")
  @DisplayName("A numbered request: size, channel, key, number, policy.")
  void orderOfNumberedRequests() {
    Wrong size = new Wrong(Code.TOO_LARGE, state -> state.withJson(LARGE));
    Wrong channel = new Wrong(Code.UNKNOWN_CHANNEL, state -> state.withId("nobody"));
    Wrong key = new Wrong(Code.WRONG_KEY, state -> state.withKey("wrong"));
    Wrong number =
        new Wrong(
            Code.INVALID_REQUEST,
            state -> {
              RefusedException refused = no.getAndSet(null);
              Request spent =
                  new Request.OpenSession(actor(state.own).withSeq(2), SessionSpec.unlisted());
              assertThat(answer(state.gateway, spent)).isInstanceOf(Answer.SessionOpened.class);
              no.set(refused);
              return state;
            });
    Wrong policy = new Wrong(Code.DENIED, this::denied);
    assertOrder(
        List.of(size, channel, key, number, policy),
        state ->
            new Request.OpenSession(
                actor(state.id, state.key).withSeq(1),
                SessionSpec.unlisted().withMetadata(state.json)));
  }

  @Test
  @Tag("N2")
  @Tag("N3")
  @Tag("N5")
  @DisplayName("A numbered request is performed once, also if it is refused or fails before.")
  void numberedRequests() {
    Gateway gateway = open();
    Channel channel = remote(gateway);
    Request.Actor actor = actor(channel);
    Request first = new Request.OpenSession(actor.withSeq(1), SessionSpec.unlisted());
    Answer opened = answer(gateway, first);
    assertThat(answer(gateway, first)).isEqualTo(opened);
    assertThat(channel.sessions()).hasSize(1);
    // Refused before its number is looked at: the number is still to be had.
    Request.Send large = send(actor.withSeq(2), channel.id(), LARGE);
    assertRefused(gateway, large, Code.TOO_LARGE);
    Request denied = new Request.OpenSession(actor.withSeq(2), SessionSpec.unlisted());
    no.set(AccessPolicy.denied("Not yet."));
    assertRefused(gateway, denied, Code.DENIED);
    no.set(null);
    assertRefused(gateway, denied, Code.DENIED);
    assertThat(channel.sessions()).hasSize(1);
    Request again = new Request.OpenSession(actor.withSeq(3), SessionSpec.unlisted());
    assertThat(answer(gateway, again)).isInstanceOf(Answer.SessionOpened.class);
    // It does no harm to repeat these two, and their numbers say nothing.
    assertThat(answer(gateway, new Request.Ping(actor.withSeq(1)))).isInstanceOf(Answer.Pong.class);
    assertThat(answer(gateway, new Request.CloseChannel(actor.withSeq(1))))
        .isEqualTo(new Answer.Done());
  }

  @Test
  @Tag("N3")
  @DisplayName("A repeated request waits for the router that the first one waits for.")
  void numberedSendsUnderWay() {
    Gateway gateway = openWithSlowRouter();
    Channel channel = remote(gateway);
    Request.Send send = send(actor(channel).withSeq(1), "far", Json.of(1));
    CompletableFuture<Answer> first = gateway.perform(send).toCompletableFuture();
    CompletableFuture<Answer> repeat = gateway.perform(send).toCompletableFuture();
    assertThat(routed).hasSize(1);
    assertThat(repeat).isNotDone();
    routed.get(0).complete(new Delivery.Queued("q"));
    assertThat(first.join()).isEqualTo(new Answer.Delivered(List.of(new Delivery.Queued("q"))));
    assertThat(repeat.join()).isEqualTo(first.join());
  }

  @Test
  @Tag("E4")
  @DisplayName("A session: size, channel, key, policy, rate.")
  void orderOfOpenSession() {
    Wrong size = new Wrong(Code.TOO_LARGE, state -> state.withJson(LARGE));
    Wrong channel = new Wrong(Code.UNKNOWN_CHANNEL, state -> state.withId("nobody"));
    Wrong key = new Wrong(Code.WRONG_KEY, state -> state.withKey("wrong"));
    Wrong policy = new Wrong(Code.DENIED, this::denied);
    Wrong rate = new Wrong(Code.RATE_LIMITED, this::spendSessions);
    assertOrder(
        List.of(size, channel, key, policy, rate),
        state ->
            new Request.OpenSession(
                actor(state.id, state.key), SessionSpec.unlisted().withMetadata(state.json)));
  }

  private State spendSessions(State state) {
    RefusedException refused = no.getAndSet(null);
    for (int i = 0; i < 2; i++) {
      Request spent = new Request.OpenSession(actor(state.own), SessionSpec.unlisted());
      assertThat(answer(state.gateway, spent)).isInstanceOf(Answer.SessionOpened.class);
    }
    no.set(refused);
    return state;
  }

  @Test
  @Tag("E4")
  @Tag("A2")
  @DisplayName("An update: size, channel, key, session, its host, policy, rate.")
  void orderOfUpdateSession() {
    Wrong size = new Wrong(Code.TOO_LARGE, state -> state.withJson(LARGE));
    Wrong channel = new Wrong(Code.UNKNOWN_CHANNEL, state -> state.withId("nobody"));
    Wrong key = new Wrong(Code.WRONG_KEY, state -> state.withKey("wrong"));
    Wrong session = new Wrong(Code.UNKNOWN_SESSION, state -> state.withTo("nobody"));
    Wrong owner =
        new Wrong(
            Code.WRONG_KEY,
            state -> {
              Request foreign = new Request.OpenSession(actor(state.other), SessionSpec.unlisted());
              RefusedException refused = no.getAndSet(null);
              String sid = ((Answer.SessionOpened) answer(state.gateway, foreign)).sid();
              no.set(refused);
              return state.withTo(sid);
            });
    assertOrder(
        List.of(size, channel, key, session),
        state ->
            new Request.UpdateSession(
                actor(state.id, state.key),
                state.to,
                SessionUpdate.nothing().withMetadata(state.json)));
    Wrong policy = new Wrong(Code.DENIED, this::denied);
    assertOrder(
        List.of(owner, policy),
        state ->
            new Request.UpdateSession(
                actor(state.id, state.key),
                no.get() != null && state.to.equals(state.other.id()) ? own(state) : state.to,
                SessionUpdate.nothing()));
  }

  /** A session of the acting channel's own. */
  private String own(State state) {
    RefusedException refused = no.getAndSet(null);
    Request request = new Request.OpenSession(actor(state.own), SessionSpec.unlisted());
    String sid = ((Answer.SessionOpened) answer(state.gateway, request)).sid();
    no.set(refused);
    return sid;
  }

  @Test
  @DisplayName("The id of a session is no channel's, with any key.")
  void sessionsAreNoChannels() {
    Gateway gateway = open();
    Channel channel = remote(gateway);
    Session session = channel.openSession(SessionSpec.unlisted());
    for (String key : List.of(channel.key(), "wrong")) {
      Request.Actor actor = actor(session.id(), key);
      assertRefused(gateway, new Request.Ping(actor), Code.UNKNOWN_CHANNEL);
      assertRefused(gateway, new Request.CloseChannel(actor), Code.UNKNOWN_CHANNEL);
      assertRefused(gateway, new Request.CloseSession(actor, session.id()), Code.UNKNOWN_CHANNEL);
      assertRefused(
          gateway, new Request.OpenSession(actor, SessionSpec.unlisted()), Code.UNKNOWN_CHANNEL);
    }
    assertThat(session.isOpen()).isTrue();
  }

  @Test
  @DisplayName("A closed broker is reported after the sizes.")
  void shuttingDown() {
    Gateway gateway = open();
    Channel channel = remote(gateway);
    broker.close();
    assertRefused(gateway, new Request.Ping(actor(channel)), Code.SHUTTING_DOWN);
    assertRefused(gateway, send(actor(channel), "x", Json.of(1)), Code.SHUTTING_DOWN);
    assertRefused(gateway, send(actor(channel), "x", LARGE), Code.TOO_LARGE);
  }

  @Test
  @DisplayName("A client's seen counts once its key was right, even if the request is refused.")
  void seenIsNoted() {
    Gateway gateway = open();
    ManualTransport line =
        ManualTransport.open(broker, ChannelOptions.none().withResume(Duration.ofMinutes(1)));
    Channel channel = line.channel;
    Party.assertSent(new Party(broker).send(channel.id(), "1"));
    line.readAll();
    LocalBroker local = (LocalBroker) broker;
    long kept = local.budgets.replay.used();
    assertThat(kept).isPositive();
    String seen = line.lastId();
    Request.Actor forged = actor(channel.id(), "wrong").withSeen(seen, Duration.ofSeconds(30));
    assertRefused(gateway, send(forged, "nobody", Json.of(1)), Code.WRONG_KEY);
    assertThat(local.budgets.replay.used()).isEqualTo(kept);
    Request.Actor actor = actor(channel).withSeen(seen, Duration.ofSeconds(30));
    assertRefused(gateway, send(actor, "nobody", Json.of(1)), Code.UNKNOWN_TARGET);
    assertThat(local.budgets.replay.used()).isZero();
  }

  // Several messages

  @Test
  @Tag("M19")
  @DisplayName("After the first message that is refused, none is sent.")
  void takenIsTheBeginning() {
    Gateway gateway = open();
    Channel sender = remote(gateway);
    Party target = new Party(broker);
    Json[] three = {Json.of(1), Json.of(2), Json.of(3)};
    Answer answer = answer(gateway, send(actor(sender), target.id(), three));
    List<Delivery> deliveries = ((Answer.Delivered) answer).deliveries();
    assertThat(deliveries.subList(0, 2)).containsOnly(new Delivery.Sent());
    Party.assertRefused(deliveries.get(2), Code.RATE_LIMITED);
    assertThat(target.texts()).containsExactly("1", "2");
    assertRefused(gateway, send(actor(sender), target.id(), three), Code.RATE_LIMITED);
    Json[] oneIsLarge = {Json.of(1), LARGE};
    assertRefused(gateway, send(actor(sender), target.id(), oneIsLarge), Code.TOO_LARGE);
    assertThat(target.received).hasSize(2);
  }

  @Test
  @DisplayName("Messages behind a slow one wait for it, on no thread.")
  void waitsForTheRouter() {
    Gateway gateway = openWithSlowRouter();
    Channel sender = remote(gateway);
    CompletableFuture<Answer> answer = sendTwo(gateway, sender);
    assertThat(routed).hasSize(1);
    routed.get(0).complete(new Delivery.Queued("q"));
    assertThat(routed).hasSize(2);
    assertThat(answer).isNotDone();
    sender.close();
    routed.get(1).complete(new Delivery.Sent());
    assertThat(answer)
        .isCompletedWithValue(
            new Answer.Delivered(List.of(new Delivery.Queued("q"), new Delivery.Sent())));
    assertThat(timer.scheduled()).isZero();
  }

  @Test
  @DisplayName("A channel that closes meanwhile sends no further message.")
  void closesMeanwhile() {
    Gateway gateway = openWithSlowRouter();
    Channel sender = remote(gateway);
    CompletableFuture<Answer> answer = sendTwo(gateway, sender);
    sender.close();
    routed.get(0).complete(new Delivery.Sent());
    assertThat(routed).hasSize(1);
    List<Delivery> deliveries = ((Answer.Delivered) answer.join()).deliveries();
    Party.assertRefused(deliveries.get(1), Code.UNKNOWN_CHANNEL);
  }

  @Test
  @DisplayName("A router that does not answer is not waited for, and nothing is sent behind it.")
  void givesTheRouterUp() {
    Gateway gateway = openWithSlowRouter();
    Channel sender = remote(gateway);
    CompletableFuture<Answer> answer = sendTwo(gateway, sender);
    timer.advance(Duration.ofSeconds(29));
    assertThat(answer).isNotDone();
    timer.advance(Duration.ofSeconds(1));
    assertThat(((Answer.Refused) answer.join()).refusal().code()).isEqualTo(Code.INTERNAL);
    routed.get(0).complete(new Delivery.Sent());
    assertThat(routed).hasSize(1);
    log.assertSize(1);
  }

  @Test
  @DisplayName("A router's failure is the broker's, and each message is looked at once.")
  void routersFailure() {
    builder.router(
        next ->
            message -> {
              throw new IllegalStateException("no");
            });
    Gateway gateway = open();
    Channel sender = remote(gateway);
    assertRefused(gateway, send(actor(sender), "far", Json.of(1)), Code.INTERNAL);
    log.assertSize(1);
  }

  @Test
  @DisplayName("What closes while the policy is asked sends nothing.")
  void closesWhileThePolicyIsAsked() {
    Gateway gateway = open();
    Channel sender = remote(gateway);
    Channel target = remote(gateway);
    Session session = sender.openSession(SessionSpec.listed());
    meanwhile = session::close;
    Request send =
        new Request.Send(actor(session.id(), sender.key()), target.id(), List.of(Json.of(1)));
    assertRefused(gateway, send, Code.UNKNOWN_CHANNEL);
    meanwhile = () -> Objects.requireNonNull(broker).close();
    assertRefused(gateway, send(actor(sender), target.id(), Json.of(1)), Code.SHUTTING_DOWN);
  }

  @Test
  @DisplayName("A timer that refuses the time-out ends the request, and nothing is sent behind it.")
  void timerRefuses() {
    AtomicBoolean refusing = new AtomicBoolean();
    builder.timer(
        new Timer() {
          @Override
          public long nanoTime() {
            return timer.nanoTime();
          }

          @Override
          public Scheduled schedule(Duration delay, Runnable task) {
            if (refusing.get()) {
              throw new RejectedExecutionException("The timer is full.");
            }
            return timer.schedule(delay, task);
          }
        });
    Gateway gateway = openWithSlowRouter();
    Channel sender = remote(gateway);
    refusing.set(true);
    CompletableFuture<Answer> answer = sendTwo(gateway, sender);
    assertThat(answer).isCompletedExceptionally();
    refusing.set(false);
    routed.get(0).complete(new Delivery.Sent());
    assertThat(routed).hasSize(1);
  }

  @Test
  @DisplayName("A refusal that a client brings about has no stack trace.")
  void refusalsAreNotTraced() {
    Gateway gateway = open();
    Channel sender = remote(gateway);
    AtomicReference<@Nullable RefusedException> thrown = new AtomicReference<>();
    meanwhile =
        () -> {
          RefusedException denied = AccessPolicy.denied("no");
          thrown.set(denied);
          throw denied;
        };
    assertRefused(gateway, send(actor(sender), sender.id(), Json.of(1)), Code.DENIED);
    assertThat(Objects.requireNonNull(thrown.get()).getStackTrace()).isEmpty();
  }

  @Test
  @DisplayName("A request carries 1 to 64 messages.")
  void howManyMessages() {
    Request.Actor actor = actor("cid", "key");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Request.Send(actor, "far", List.of()));
    List<Json> most = Collections.nCopies(Request.Send.MAX_MESSAGES, Json.NULL);
    assertThat(new Request.Send(actor, "far", most).messages()).hasSize(64);
    List<Json> more = Collections.nCopies(Request.Send.MAX_MESSAGES + 1, Json.NULL);
    assertThatIllegalArgumentException().isThrownBy(() -> new Request.Send(actor, "far", more));
  }

  @Test
  @DisplayName("No text shows a key, an event's id or a message.")
  void texts() {
    Request.Actor actor = actor("cid", "KEY").withSeen("SEEN", Duration.ZERO);
    for (Request request :
        List.of(
            new Request.Ping(actor),
            new Request.AskIceServers(actor),
            new Request.CloseChannel(actor),
            new Request.OpenSession(actor, SessionSpec.listed("a").withMetadata(Json.of("SECRET"))),
            new Request.UpdateSession(
                actor, "sid", SessionUpdate.nothing().withMetadata(Json.of("SECRET"))),
            new Request.CloseSession(actor, "sid"),
            send(actor, "target", Json.of("SECRET")))) {
      assertThat(request.toString())
          .contains("cid")
          .doesNotContain("KEY")
          .doesNotContain("SEEN")
          .doesNotContain("SECRET");
    }
    assertThat(new Answer.Pong(true, "EVENT").toString()).doesNotContain("EVENT");
  }

  @Test
  @DisplayName(
      "A request to send has a message, and every other request except one to host has a key.")
  void parts() {
    Request.Actor keyless = actor("cid", null);
    assertThatExceptionOfType(NullPointerException.class)
        .isThrownBy(() -> new Request.Ping(keyless))
        .withMessage("key");
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> send(actor("cid", "key"), "target"));
    assertThat(new Request.OpenSession(keyless, SessionSpec.unlisted()).actor().key()).isNull();
    Request.Actor numbered = keyless.withSeq(1);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Request.OpenSession(numbered, SessionSpec.unlisted()));
    assertThatIllegalArgumentException().isThrownBy(() -> keyless.withSeq(0));
  }
}
