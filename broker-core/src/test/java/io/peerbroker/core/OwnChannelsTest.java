package io.peerbroker.core;

import static io.peerbroker.core.RefusalAssert.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.peerbroker.core.Refusal.Code;
import java.security.Principal;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What only the application may do, and what no client can take from it. */
final class OwnChannelsTest {

  private final BrokerBuilder builder = Broker.builder().timer(new ManualTimer());
  private Broker broker;
  private Broker strangers;

  private Broker open() {
    broker = builder.build();
    strangers = broker.forCaller(Caller.of(null));
    return broker;
  }

  @AfterEach
  void nothingIsLeft() {
    broker.close();
    LeakAssert.assertNone(broker);
  }

  @Test
  void everyQuestionIsAnsweredHoweverManyThereAre() {
    Broker all = open();
    Channel clock =
        all.openChannel(
            (channel, message) -> channel.sendOrThrow(message.reply(Json.of("noon"))),
            Runnable::run);
    Session session = clock.openSession(SessionSpec.listed("clock"));
    List<Party> asking = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      asking.add(new Party(all));
    }
    for (int i = 0; i < 1_000; i++) {
      asking.get(i % 50).channel.sendOrThrow(session.id(), Json.of(i));
    }
    assertThat(asking).allSatisfy(party -> assertThat(party.received).hasSize(20));
    assertThat(all.stats().messagesRefused().values()).containsOnly(0L);
  }

  @Test
  void hasNoRateAndNoBoundOfSessions() {
    Broker all = builder.sessionRate(new Limits.Rate(1, 1)).maxSessionsPerChannel(2).build();
    broker = all;
    Party party = new Party(all);
    for (int i = 0; i < 300; i++) {
      party.host("a").update(SessionUpdate.nothing().withTags("b"));
    }
    assertThat(party.channel.sessions()).hasSize(300);
    // A channel on behalf of another party counts as a client's, with a policy or without.
    Party guest = new Party(all.forCaller(Caller.of(null)));
    try (Session session = guest.host("a")) {
      assertRefused(() -> guest.host("b"), Code.RATE_LIMITED);
      assertThat(session.isOpen()).isTrue();
    }
    assertThat(guest.channel.sessions()).isEmpty();
  }

  @Test
  @Tag("X9")
  @Tag("X10")
  @DisplayName("No client takes the application's permits.")
  void hasPermitsOfItsOwn() {
    builder.maxChannels(1).maxWatches(1);
    open();
    Party stranger = new Party(strangers);
    assertRefused(() -> new Party(strangers), Code.AT_CAPACITY);
    Watch theirs = strangers.watch(TagFilter.all(), new Replay(), Runnable::run);
    assertRefused(
        () -> strangers.watch(TagFilter.all(), new Replay(), Runnable::run), Code.AT_CAPACITY);
    Party own = new Party(broker);
    Watch watch = broker.watch(TagFilter.all(), new Replay(), Runnable::run);
    assertRefused(() -> new Party(broker), Code.AT_CAPACITY).contains("1 channels");
    assertRefused(
        () -> broker.watch(TagFilter.all(), new Replay(), Runnable::run), Code.AT_CAPACITY);
    assertThat(broker.stats().channels()).isEqualTo(2);
    assertThat(broker.stats().watches()).isEqualTo(2);
    own.channel.close();
    watch.close();
    theirs.close();
    new Party(broker);
    assertThat(stranger.channel.isOpen()).isTrue();
  }

  @Test
  @Tag("X8")
  @Tag("X16")
  @DisplayName(
      "Clients leave room for the application's messages and sessions, even if they fill "
          + "all of theirs.")
  void hasRoomOfItsOwn() {
    builder.maxTotalSessionBytes(1_000).maxTotalQueuedBytes(8_000).maxChannels(1_000);
    open();
    Party stranger = new Party(strangers);
    Session theirs = stranger.host("a");
    assertRefused(() -> stranger.host("b"), Code.AT_CAPACITY);
    ManualExecutor hands = new ManualExecutor();
    Party stalled = new Party(strangers, hands);
    Json large = Json.of("x".repeat(600));
    Party.assertSent(Party.answer(stranger.channel.send(stalled.id(), large)));
    Party.assertRefused(Party.answer(stranger.channel.send(stalled.id(), large)), Code.AT_CAPACITY);
    Party own = new Party(broker, hands);
    for (int i = 0; i < 20; i++) {
      own.host("c");
      Party.assertSent(Party.answer(stranger.channel.send(own.id(), large)));
    }
    hands.runAll();
    assertThat(own.received).hasSize(20);
    assertThat(theirs.isOpen()).isTrue();
    own.channel.close();
    stalled.channel.close();
    hands.runAll();
  }

  // From a login to its channels

  private static Caller login(String name) {
    return Caller.of((Principal) () -> name);
  }

  @Test
  void findsWhatIsThere() {
    open();
    Party party = new Party(strangers);
    Session session = party.host("a");
    assertThat(broker.findChannel(party.id())).isSameAs(broker.findChannel(session.id()));
    assertThat(broker.findChannel(party.id()).id()).isEqualTo(party.id());
    assertThat(broker.findSession(session.id()).tags()).containsExactly("a");
    assertThat(broker.findSession(party.id())).isNull();
    session.close();
    assertThat(broker.findSession(session.id())).isNull();
    party.channel.close();
    assertThat(broker.findChannel(party.id())).isNull();
    assertThatExceptionOfType(UnsupportedOperationException.class)
        .isThrownBy(() -> strangers.findChannel(party.id()));
    assertThatExceptionOfType(UnsupportedOperationException.class)
        .isThrownBy(() -> strangers.findSession(session.id()));
    assertThatExceptionOfType(UnsupportedOperationException.class)
        .isThrownBy(() -> strangers.channelsOf("ada"));
    assertThat(strangers.isOpen()).isTrue();
    broker.close();
    assertThat(strangers.isOpen()).isFalse();
  }

  @Test
  @Tag("C27")
  @DisplayName("A login that may no longer be here gets revoked, and its messages go nowhere.")
  void revokesALogin() {
    open();
    ManualTransport[] ada = {new ManualTransport(), new ManualTransport()};
    for (ManualTransport line : ada) {
      line.channel =
          Wired.openChannel(broker.forCaller(login("ada")), ChannelOptions.none(), line::attach);
    }
    Party bob = new Party(broker.forCaller(login("bob")));
    Party own = new Party(broker);
    assertThat(broker.channelsOf("ada"))
        .extracting(Channel::id)
        .containsExactlyInAnyOrder(ada[0].channel.id(), ada[1].channel.id());
    assertThat(bob.channel.owner()).isEqualTo("bob");
    assertThat(own.channel.owner()).isNull();
    broker.channelsOf("ada").forEach(Channel::revoke);
    for (ManualTransport line : ada) {
      assertThat(line.told).containsExactly("revoked");
      assertThat(line.channel.isOpen()).isFalse();
      Party.assertRefused(bob.send(line.channel.id(), "1"), Code.UNKNOWN_TARGET);
      line.cut();
    }
    assertThat(CloseReason.REVOKED.mayReturn()).isFalse();
    assertThat(broker.channelsOf("ada")).isEmpty();
    assertThat(bob.channel.isOpen()).isTrue();
    assertThat(broker.stats().channelsClosed().get(CloseReason.REVOKED)).isEqualTo(2);
  }

  /**
   * Tenants are the part of a login before the at sign; no caller reaches another tenant, or learns
   * of its sessions.
   */
  private static final class Tenants implements AccessPolicy {
    private static @Nullable String of(@Nullable String login) {
      return login == null ? null : login.substring(login.indexOf('@') + 1);
    }

    @Override
    public void send(Caller caller, Message message, @Nullable Target target) {
      String mine = of(caller.principal().getName());
      if (target == null || !mine.equals(of(target.channel().owner()))) {
        throw AccessPolicy.denied("There is no such target in your tenant.");
      }
    }
  }

  @Test
  void aPolicyKeepsTenantsApart() {
    builder.accessPolicy(new Tenants());
    open();
    Party ada = new Party(broker.forCaller(login("ada@red")));
    Party bob = new Party(broker.forCaller(login("bob@red")));
    Party eve = new Party(broker.forCaller(login("eve@blue")));
    Party.assertSent(ada.send(bob.id(), "1"));
    Party.assertSent(ada.send(bob.host("a").id(), "2"));
    Delivery across = eve.send(bob.id(), "3");
    Party.assertRefused(across, Code.DENIED);
    Party.assertRefused(eve.send(bob.channel.sessions().get(0).id(), "4"), Code.DENIED);
    assertThat(eve.send("nobody", "5")).isEqualTo(across);
    assertThat(bob.texts()).containsExactly("1", "2");
  }

  @Test
  void thePolicyIsToldOfTheSessionThatIsSentTo() {
    AtomicReference<AccessPolicy.Target> asked = new AtomicReference<>();
    builder.accessPolicy(
        new AccessPolicy() {
          @Override
          public void send(Caller caller, Message message, @Nullable Target target) {
            asked.set(target);
          }
        });
    open();
    Party party = new Party(strangers);
    Session session = party.host("tenant:red");
    Party.assertSent(party.send(session.id(), "1"));
    assertThat(asked.get().session().tags()).containsExactly("tenant:red");
    assertThat(asked.get().channel().id()).isEqualTo(party.id());
    Party.assertSent(party.send(party.id(), "2"));
    assertThat(asked.get().session()).isNull();
    Party.assertRefused(party.send("nobody", "3"), Code.UNKNOWN_TARGET);
    assertThat(asked.get()).isNull();
  }
}
