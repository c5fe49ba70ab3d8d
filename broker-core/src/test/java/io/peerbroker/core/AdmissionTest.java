package io.peerbroker.core;

import static io.peerbroker.core.RefusalAssert.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Refusal.Code;
import java.io.IOException;
import java.security.Principal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The application decides what each caller may do, and a failing policy permits nothing. */
final class AdmissionTest {

  /** A caller with a name. */
  private record Named(String name) implements Caller {
    @Override
    public Principal principal() {
      return () -> name;
    }
  }

  /** Permits everything until a test changes that; records its questions. */
  private static final class Policy implements AccessPolicy {

    final List<String> asked = new ArrayList<>();
    Runnable answer = () -> {};

    private void ask(String question, Caller caller) {
      asked.add(question + " " + caller.principal().getName());
      answer.run();
    }

    @Override
    public void open(Caller caller, ChannelOptions options) {
      ask("open", caller);
    }

    /** Sets the caller's tenant, which only the policy can. */
    @Override
    public SessionSpec host(Caller caller, Channel channel, SessionSpec spec) {
      ask("host", caller);
      return spec.withTags(tagsOf(caller, spec.tags()));
    }

    @Override
    public SessionUpdate update(Caller caller, Session session, SessionUpdate update) {
      ask("update", caller);
      return update.tags() == null ? update : update.withTags(tagsOf(caller, update.tags()));
    }

    private static List<String> tagsOf(Caller caller, List<String> tags) {
      return Stream.concat(
              tags.stream().filter(tag -> !tag.startsWith("tenant:")),
              Stream.of("tenant:" + caller.principal().getName()))
          .toList();
    }

    @Override
    public void send(Caller caller, Message message) {
      ask("send", caller);
    }

    @Override
    public Scope scope(Caller caller, TagFilter filter) {
      ask("scope", caller);
      return Scope.tagged("tenant:" + caller.principal().getName());
    }
  }

  @RegisterExtension final BrokerLog log = new BrokerLog();

  private final Policy policy = new Policy();
  private final LocalBroker broker =
      (LocalBroker)
          Broker.builder()
              .accessPolicy(policy)
              .maxTagsPerSession(2)
              .maxMessageBytes(100)
              .messageRate(new Limits.Rate(1, 1))
              .sessionRate(new Limits.Rate(1, 2))
              .timer(new ManualTimer())
              .build();
  private final Broker ada = broker.forCaller(new Named("ada"));
  private final Broker bob = broker.forCaller(new Named("bob"));

  @AfterEach
  void nothingIsLeft() {
    broker.close();
    LeakAssert.assertNone(broker);
  }

  private static void deny() {
    throw AccessPolicy.denied("Ask somebody else.");
  }

  private List<String> listed() {
    return broker.list(TagFilter.all()).sessions().stream()
        .flatMap(session -> session.tags().stream())
        .toList();
  }

  @Test
  void withoutAPolicyAViewPermitsEverything() {
    try (Broker open = Broker.create();
        Broker told = Broker.builder().accessPolicy(AccessPolicy.allowAll()).build()) {
      for (Broker free : List.of(open, told)) {
        Caller caller = new Named("ada");
        assertThat(free.gateway().policy()).isSameAs(AccessPolicy.allowAll());
        Party party = new Party(free.forCaller(caller));
        party.host("a").update(SessionUpdate.nothing().withTags("b"));
        Party.assertSent(party.send(party.id(), "1"));
        free.forCaller(caller).watch(TagFilter.all(), new Replay(), Runnable::run);
        assertThat(free.forCaller(caller).list(TagFilter.all()).sessions()).hasSize(1);
        assertThat(((LocalBroker) free).streams.ownChannels.taken()).isZero();
        assertThat(((LocalBroker) free).streams.ownWatches.taken()).isZero();
      }
    }
  }

  @Test
  void whoIsTrustedIsNotAskedAbout() {
    policy.answer = AdmissionTest::deny;
    assertThat(ada.forCaller(Caller.trusted())).isSameAs(broker);
    assertThat(Caller.trusted().principal()).isNull();
    Party party = new Party(broker);
    party.host("a").update(SessionUpdate.nothing().withTags("b"));
    Party.assertSent(party.send(party.id(), "1"));
    broker.watch(TagFilter.all(), new Replay(), Runnable::run);
    broker.recheck();
    assertThat(listed()).containsExactly("b");
    assertThat(policy.asked).isEmpty();
  }

  @Test
  void aViewIsTheSameBroker() {
    assertThat(ada.gateway().timer()).isSameAs(broker.gateway().timer());
    assertThat(ada.limits()).isSameAs(broker.limits());
    assertThat(ada.gateway().policy()).isSameAs(broker.gateway().policy());
    Party party = new Party(bob.forCaller(new Named("ada")));
    assertThat(policy.asked).containsExactly("open ada");
    ada.close();
    assertThat(party.channel.isOpen()).isFalse();
    assertRefused(() -> ada.openChannel((to, message) -> {}), Code.SHUTTING_DOWN);
    assertRefused(() -> ada.list(TagFilter.all()), Code.SHUTTING_DOWN);
    assertThat(policy.asked).hasSize(1);
  }

  @Test
  void whoIsRefusedOpensNothing() {
    policy.answer = AdmissionTest::deny;
    assertRefused(() -> ada.openChannel((to, message) -> {}), Code.DENIED)
        .isEqualTo("Ask somebody else.");
    assertRefused(
        () ->
            Wired.openChannel(
                ada,
                ChannelOptions.none(),
                attachment -> {
                  throw new AssertionError("A stream was made");
                }),
        Code.DENIED);
    assertThat(LeakAssert.permitsTaken(broker)).isZero();
  }

  @Test
  void aRefusedReturnLeavesTheChannelWaiting() {
    ChannelOptions resumable = ChannelOptions.none().withResume(Duration.ofMinutes(1));
    ManualTransport first = ManualTransport.open(ada, resumable);
    first.readAll();
    ChannelOptions back = resumable.after(first.lastId());
    policy.answer = AdmissionTest::deny;
    // First its stream is still there, and then it is not.
    assertRefused(() -> ManualTransport.open(ada, back), Code.DENIED);
    assertThat(first.told).isEmpty();
    first.cut();
    assertRefused(() -> ManualTransport.open(ada, back), Code.DENIED);
    assertThat(LeakAssert.permitsTaken(broker)).isOne();
    Party sender = new Party(broker);
    assertThat(sender.send(first.channel.id(), "1")).isInstanceOf(Delivery.Queued.class);
    policy.answer = () -> {};
    ManualTransport second = ManualTransport.open(ada, back);
    assertThat(second.channel.id()).isEqualTo(first.channel.id());
    assertThat(second.readAll()).containsExactly("1");
    assertThat(policy.asked).hasSize(4).containsOnly("open ada");
    second.cut();
    second.channel.close();
  }

  @Test
  void tagsThatThePolicySetsCannotBeClaimed() {
    Party party = new Party(ada);
    Session session = party.host("tenant:bob");
    assertThat(session.tags()).containsExactly("tenant:ada");
    session.update(SessionUpdate.nothing().withTags("x", "tenant:bob"));
    assertThat(session.tags()).containsExactly("x", "tenant:ada");
    assertThat(bob.list(TagFilter.all()).sessions()).isEmpty();
    assertThat(ada.list(TagFilter.parse("x")).sessions()).hasSize(1);
    assertThat(ada.list(TagFilter.parse("tenant:bob")).sessions()).isEmpty();
  }

  @Test
  void whatThePolicyAddsCountsAgainstTheLimits() {
    Party party = new Party(ada);
    assertRefused(() -> party.host("a", "b"), Code.INVALID_REQUEST).contains("2").contains("3");
    Session session = party.host("a");
    assertRefused(
        () -> session.update(SessionUpdate.nothing().withTags("b", "c")), Code.INVALID_REQUEST);
    assertThat(listed()).containsExactly("a", "tenant:ada");
  }

  @Test
  void whatWasDeniedHasNotHappenedAndCostsNothing() {
    Party party = new Party(ada);
    Session session = party.host("a");
    policy.answer = AdmissionTest::deny;
    for (int i = 0; i < 5; i++) {
      assertRefused(() -> party.host("b"), Code.DENIED);
      assertRefused(() -> session.update(SessionUpdate.nothing().withListed(false)), Code.DENIED);
      Party.assertRefused(party.send(party.id(), "1"), Code.DENIED);
    }
    assertThat(listed()).containsExactly("a", "tenant:ada");
    assertThat(party.received).isEmpty();
    policy.answer = () -> {};
    Party.assertSent(party.send(party.id(), "2"));
    // The second of two at once; every caller may end it, but the rate still counts.
    session.update(SessionUpdate.nothing().withListed(false));
    assertThat(listed()).isEmpty();
    assertRefused(
        () -> session.update(SessionUpdate.nothing().withListed(true)), Code.RATE_LIMITED);
    session.close();
    assertThat(session.isOpen()).isFalse();
  }

  @Test
  void anotherRefusalIsToldAsItIs() {
    Party party = new Party(ada);
    Refusal later = new Refusal(Code.RATE_LIMITED, "Once a day.", Duration.ofHours(7));
    policy.answer =
        () -> {
          throw new RefusedException(later);
        };
    assertThat(Party.answer(party.channel.send(party.id(), Json.NULL)))
        .isEqualTo(new Delivery.Refused(later));
    assertRefused(() -> party.host("a"), Code.RATE_LIMITED).isEqualTo("Once a day.");
    log.assertSize(0);
  }

  @Test
  void callersOwnMistakesComeBeforeThePolicy() {
    Party party = new Party(ada);
    Session session = party.host("a");
    Party gone = new Party(ada);
    Session closed = gone.host("b");
    gone.channel.close();
    policy.asked.clear();
    policy.answer = AdmissionTest::deny;
    assertRefused(() -> Wired.claim(ada, party.id(), "wrong"), Code.WRONG_KEY);
    assertRefused(() -> Wired.claimHost(ada, party.id(), "wrong"), Code.WRONG_KEY);
    assertRefused(() -> Wired.claim(ada, "nobody", "wrong"), Code.UNKNOWN_CHANNEL);
    assertRefused(() -> party.host("a", "b", "c"), Code.INVALID_REQUEST);
    assertRefused(() -> gone.host("a"), Code.UNKNOWN_CHANNEL);
    assertRefused(
        () -> session.update(SessionUpdate.nothing().withTags("a", "b", "c")),
        Code.INVALID_REQUEST);
    assertRefused(() -> closed.update(SessionUpdate.nothing().withTags("a")), Code.UNKNOWN_SESSION);
    assertRefused(() -> party.channel.session("nobody"), Code.UNKNOWN_SESSION);
    Party.assertRefused(party.send(party.id(), "\"" + "x".repeat(100) + "\""), Code.TOO_LARGE);
    Party.assertRefused(gone.send(party.id(), "1"), Code.UNKNOWN_CHANNEL);
    assertRefused(() -> ada.list(TagFilter.all(), 0, null), Code.INVALID_REQUEST);
    assertRefused(() -> ada.list(TagFilter.all(), 1, "x"), Code.INVALID_REQUEST);
    assertThat(policy.asked).isEmpty();
  }

  @Test
  void denialRevealsNeitherTargetsNorRoom() {
    Party party = new Party(ada);
    Party.assertSent(party.send(party.id(), "1"));
    Party.assertRefused(party.send(party.id(), "2"), Code.RATE_LIMITED);
    policy.answer = AdmissionTest::deny;
    Party.assertRefused(party.send(party.id(), "3"), Code.DENIED);
    Party.assertRefused(party.send("nobody", "4"), Code.DENIED);
  }

  @Test
  void whatAViewHasGivenActsForItsCaller() {
    List<Delivery> replies = new ArrayList<>();
    Channel[] heard = new Channel[2];
    Channel channel =
        ada.openChannel(
            new Receiver() {
              @Override
              public void received(Channel to, Message message) {
                heard[0] = to;
                replies.add(Party.answer(to.send(message.reply(Json.NULL))));
              }

              @Override
              public void closed(Channel which, CloseReason reason) {
                heard[1] = which;
              }
            },
            Runnable::run);
    Session session = channel.openSession(SessionSpec.listed());
    Party sender = new Party(broker);
    policy.answer = AdmissionTest::deny;
    Channel claimed = Wired.claim(bob, session.id(), channel.key());
    Channel host = Wired.claimHost(bob, channel.id(), channel.key());
    List<Channel> all =
        List.of(channel, session.host(), claimed, host, claimed.session(session.id()).host());
    for (Channel acting : all) {
      assertThat(acting.id()).isEqualTo(channel.id());
      assertThat(acting.key()).isEqualTo(channel.key());
      assertThat(acting.isOpen()).isTrue();
      assertThat(acting).hasToString("Channel[" + channel.id() + "]");
      assertRefused(() -> acting.openSession(SessionSpec.listed()), Code.DENIED);
      Party.assertRefused(Party.answer(acting.send(sender.id(), Json.NULL)), Code.DENIED);
      for (Session own : acting.sessions()) {
        assertThat(own.id()).isEqualTo(session.id());
        assertThat(own).hasToString("Session[" + session.id() + "]");
        assertThat(own.isListed() && own.isOpen()).isTrue();
        assertThat(own.metadata()).isEqualTo(Json.NULL);
        assertRefused(() -> own.update(SessionUpdate.nothing()), Code.DENIED);
        Party.assertRefused(Party.answer(own.send(sender.id(), Json.NULL)), Code.DENIED);
      }
    }
    Party.assertSent(sender.send(channel.id(), "1"));
    assertThat(replies).singleElement().isInstanceOf(Delivery.Refused.class);
    assertThat(heard[0]).isSameAs(channel);
    assertThat(policy.asked).contains("send bob", "host bob", "update bob").endsWith("send ada");
    claimed.sessions().get(0).close();
    assertThat(session.isOpen()).isFalse();
    claimed.close();
    assertThat(channel.isOpen()).isFalse();
    assertThat(heard[1]).isSameAs(channel);
  }

  @Test
  void aMessageThatIsPermittedIsSent() {
    Party ofAda = new Party(ada);
    Party ofBob = new Party(bob);
    Party.assertSent(ofAda.send(ofBob.id(), "1"));
    assertThat(ofBob.texts()).containsExactly("1");
    Party.assertRefused(ofBob.send("nobody", "1"), Code.UNKNOWN_TARGET);
    assertThat(policy.asked).containsExactly("open ada", "open bob", "send ada", "send bob");
  }

  @Test
  void thePolicyMayUseTheBroker() {
    Party party = new Party(ada);
    policy.answer =
        () -> {
          if (!broker.list(TagFilter.parse("closed")).sessions().isEmpty()) {
            deny();
          }
        };
    party.host("closed");
    assertRefused(() -> party.host("a"), Code.DENIED);
  }

  static Stream<Throwable> failures() {
    return Stream.of(
        new IllegalStateException("secret"),
        new StackOverflowError("secret"),
        new NoClassDefFoundError("secret"),
        new IOException("secret"));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void whatAPolicyThrowsIsNoYes(Throwable failure) {
    Party party = new Party(ada);
    Session session = party.host("a");
    policy.answer = () -> AdmissionTest.<RuntimeException>throwAny(failure);
    assertInternal(() -> ada.openChannel((to, message) -> {}));
    assertInternal(() -> party.host("b"));
    assertInternal(() -> session.update(SessionUpdate.nothing().withTags("b")));
    assertInternal(() -> ada.list(TagFilter.all()));
    assertInternal(() -> ada.watch(TagFilter.all(), new Replay()));
    Delivery delivery = party.send(party.id(), "1");
    assertThat(delivery).hasToString("Refused[refusal=" + internal() + "]");
    assertThat(listed()).containsExactly("a", "tenant:ada");
    assertThat(party.received).isEmpty();
    assertThat(LeakAssert.permitsTaken(broker)).isOne();
    log.assertHas(failure);
    log.assertSize(6);
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <T extends Throwable> void throwAny(Throwable thrown) throws T {
    throw (T) thrown;
  }

  private static Refusal internal() {
    return Refusal.of(Code.INTERNAL, "The broker failed; its log says more.");
  }

  private static void assertInternal(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertRefused(call, Code.INTERNAL).isEqualTo(internal().detail());
  }

  @Test
  void nullIsNoYes() {
    AccessPolicy silent =
        new AccessPolicy() {
          @Override
          public SessionSpec host(Caller caller, Channel channel, SessionSpec spec) {
            return null;
          }

          @Override
          public SessionUpdate update(Caller caller, Session session, SessionUpdate update) {
            return null;
          }

          @Override
          public Scope scope(Caller caller, TagFilter filter) {
            return null;
          }
        };
    try (Broker quiet = Broker.builder().accessPolicy(silent).build()) {
      Party party = new Party(quiet);
      Session session = party.host("a");
      Broker acting = quiet.forCaller(new Named("ada"));
      Channel claimed = Wired.claim(acting, party.id(), party.channel.key());
      assertInternal(() -> claimed.openSession(SessionSpec.listed("b")));
      assertInternal(
          () -> claimed.session(session.id()).update(SessionUpdate.nothing().withTags("b")));
      assertInternal(() -> acting.list(TagFilter.all()));
      assertInternal(() -> acting.watch(TagFilter.all(), new Replay()));
      log.assertSize(4);
      // Methods that are not overridden permit.
      Party.assertSent(Party.answer(claimed.send(party.id(), Json.NULL)));
      new Party(acting).channel.close();
      assertThat(session.tags()).containsExactly("a");
      assertThat(quiet.list(TagFilter.all()).sessions()).hasSize(1);
    }
  }

  @Test
  void byDefaultEverythingIsPermitted() {
    try (Broker checked = Broker.builder().accessPolicy(new AccessPolicy() {}).build()) {
      Broker acting = checked.forCaller(new Named("ada"));
      assertThat(acting).isNotSameAs(checked);
      Party party = new Party(acting);
      Session session = party.host("a");
      session.update(SessionUpdate.nothing().withTags("b"));
      Party.assertSent(party.send(party.id(), "1"));
      Replay replay = new Replay();
      acting.watch(TagFilter.all(), replay, Runnable::run);
      assertThat(replay.told()).containsExactly("add [b]", "ready 1");
      assertThat(acting.list(TagFilter.all())).isEqualTo(checked.list(TagFilter.all()));
    }
  }

  @Test
  void whatAnswersAreMadeOf() {
    Supplier<Scope> none = () -> Scope.of(TagFilter.parse("a,!b"));
    assertThat(none.get().filter()).hasToString("a,!b");
    assertThat(none.get().visible()).isNull();
    assertThat(Scope.all()).isEqualTo(Scope.of(TagFilter.all()));
    assertThat(Scope.tagged("b", "a")).isEqualTo(Scope.of(TagFilter.parse("a,b")));
    Scope both =
        Scope.tagged("a")
            .where(session -> session.tags().contains("b"))
            .where(session -> session.tags().contains("c"));
    assertThat(both.filter()).hasToString("a");
    for (String tags : List.of("a", "a,b", "a,c")) {
      List<String> list = Arrays.asList(tags.split(","));
      assertThat(both.visible().test(new ListedSession("x", list, Json.NULL))).isFalse();
    }
    assertThat(both.visible().test(new ListedSession("x", List.of("b", "c"), Json.NULL))).isTrue();
    assertThat(AccessPolicy.denied("No.").refusal()).isEqualTo(Refusal.of(Code.DENIED, "No."));
  }
}
