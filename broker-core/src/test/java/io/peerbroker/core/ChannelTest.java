package io.peerbroker.core;

import static io.peerbroker.core.RefusalAssert.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Refusal.Code;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A channel and its sessions, for their owner in this JVM. */
final class ChannelTest {

  private static final String GUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";

  private final Broker broker = Broker.create();
  private final Party ada = new Party(broker);
  private final Party bob = new Party(broker);

  @AfterEach
  void nothingIsLeft() {
    broker.close();
    LeakAssert.assertNone(broker);
  }

  @Test
  void itsIdIsAGuidAndItsKeyALongSecret() {
    assertThat(ada.id()).matches(GUID).isNotEqualTo(bob.id());
    assertThat(ada.channel.key()).matches("[A-Za-z0-9_-]{22,}").isNotEqualTo(bob.channel.key());
    assertThat(ada.host("a").id()).matches(GUID);
    assertThat(
            ada.channel.toString()
                + new Event.Opened(
                    "id", "secret", Duration.ZERO, Duration.ZERO, IceConfiguration.none()))
        .doesNotContain(ada.channel.key())
        .doesNotContain("secret");
  }

  @Test
  void twoPartiesFindEachOtherAndTalk() {
    Session game = ada.host("chess");
    String found = broker.list(TagFilter.parse("chess")).sessions().get(0).id();
    assertThat(found).isEqualTo(game.id());

    Party.assertSent(bob.send(found, "{\"offer\":1}"));
    Message offer = ada.received.get(0);
    assertThat(offer).isEqualTo(new Message(bob.id(), game.id(), Json.parse("{\"offer\":1}")));

    Party.assertSent(Party.answer(ada.channel.send(offer.reply(Json.parse("{\"answer\":1.0}")))));
    assertThat(bob.received)
        .containsExactly(new Message(game.id(), bob.id(), Json.parse("{\"answer\":1.0}")));

    Party.assertSent(Party.answer(game.send(bob.id(), Json.NULL)));
    assertThat(bob.received.get(1).origin()).isEqualTo(game.id());
  }

  @Test
  void messagesArriveOnceAndInOrder() {
    List<String> sent = new ArrayList<>();
    for (int i = 0; i < 150; i++) {
      sent.add(Integer.toString(i));
      Party.assertSent(ada.send(bob.id(), Integer.toString(i)));
    }
    assertThat(bob.texts()).isEqualTo(sent);
  }

  @Test
  @Tag("M7")
  void sendsToItselfAndItsSessions() {
    Session session = ada.channel.openSession(SessionSpec.unlisted());
    Party.assertSent(ada.send(ada.id(), "1"));
    Party.assertSent(ada.send(session.id(), "2"));
    assertThat(ada.texts()).containsExactly("1", "2");
  }

  @Test
  @Tag("M11")
  void sendsOnlyFromItsOwnIds() {
    Session bobs = bob.host("a");
    List<String> foreign =
        List.of(bob.id(), bobs.id(), "", ada.id().toUpperCase(java.util.Locale.ROOT));
    for (String origin : foreign) {
      CompletionStage<Delivery> stage = ada.channel.send(new Message(origin, ada.id(), Json.NULL));
      Party.assertRefused(Party.answer(stage), Code.UNKNOWN_CHANNEL);
    }
    assertThat(ada.received).isEmpty();
  }

  @Test
  @Tag("M13")
  void refusesATargetThatIsNotThere() {
    Session session = bob.host("a");
    session.close();
    Party.assertRefused(ada.send(session.id(), "1"), Code.UNKNOWN_TARGET);
    Party.assertRefused(ada.send("", "1"), Code.UNKNOWN_TARGET);
    bob.channel.close();
    Party.assertRefused(ada.send(bob.id(), "1"), Code.UNKNOWN_TARGET);
  }

  @Test
  void aSessionChangesAndItsHostStays() {
    Session session = ada.host("a");
    assertThat(session.host()).isSameAs(ada.channel);
    session.update(
        SessionUpdate.nothing().withTags("b", "c").withListed(false).withMetadata(Json.of(7)));
    assertThat(session.tags()).containsExactly("b", "c");
    assertThat(session.isListed()).isFalse();
    assertThat(session.metadata()).isEqualTo(Json.of(7));
    session.update(SessionUpdate.nothing().withListed(true));
    assertThat(session.tags()).containsExactly("b", "c");
    assertThat(session.isListed()).isTrue();
    assertThat(session.host()).isSameAs(ada.channel);
  }

  @Test
  void aSessionEndsAlone() {
    Session first = ada.host("a");
    Session second = ada.host("a");
    first.close();
    first.close();
    assertThat(first.isOpen()).isFalse();
    assertThat(second.isOpen()).isTrue();
    assertThat(ada.channel.sessions()).containsExactly(second);
    assertRefused(() -> first.update(SessionUpdate.nothing().withTags("b")), Code.UNKNOWN_SESSION);
    Party.assertRefused(Party.answer(first.send(bob.id(), Json.NULL)), Code.UNKNOWN_CHANNEL);
  }

  @Test
  void findsItsOwnSessionsById() {
    Session first = ada.host("a");
    Session second = ada.host("b");
    Session bobs = bob.host("c");
    assertThat(ada.channel.sessions()).containsExactly(first, second);
    assertThat(ada.channel.session(second.id())).isSameAs(second);
    assertRefused(() -> ada.channel.session(bobs.id()), Code.WRONG_KEY);
    assertRefused(() -> ada.channel.session(ada.id()), Code.UNKNOWN_SESSION);
    first.close();
    assertRefused(() -> ada.channel.session(first.id()), Code.UNKNOWN_SESSION);
  }

  @Test
  @Tag("C14")
  void closesWithAllItHosts() {
    Session session = ada.host("a");
    ada.channel.close();
    ada.channel.close();
    assertThat(ada.closed).containsExactly(CloseReason.CLOSED);
    assertThat(ada.channel.isOpen()).isFalse();
    assertThat(session.isOpen()).isFalse();
    assertThat(ada.channel.sessions()).isEmpty();
    assertThat(broker.list(TagFilter.all()).sessions()).isEmpty();
    Party.assertRefused(bob.send(session.id(), "1"), Code.UNKNOWN_TARGET);
    Party.assertRefused(ada.send(bob.id(), "1"), Code.UNKNOWN_CHANNEL);
    assertRefused(() -> ada.host("b"), Code.UNKNOWN_CHANNEL);
    assertRefused(
        () -> session.update(SessionUpdate.nothing().withListed(false)), Code.UNKNOWN_SESSION);
    session.close();
  }

  @Test
  void whoIsToldOfTheCloseFindsItClosed() {
    List<Boolean> open = new ArrayList<>();
    Receiver asking =
        new Receiver() {
          @Override
          public void received(Channel to, Message message) {}

          @Override
          public void closed(Channel to, CloseReason reason) {
            open.add(to.isOpen());
          }
        };
    broker.openChannel(asking, Runnable::run).close();
    assertThat(open).containsExactly(false);
  }

  @Test
  void whatWasQueuedBeforeTheCloseStillArrives() {
    ManualExecutor hands = new ManualExecutor();
    Party slow = new Party(broker, hands);
    Party.assertSent(ada.send(slow.id(), "1"));
    Party.assertSent(ada.send(slow.id(), "2"));
    slow.channel.close();
    Party.assertRefused(ada.send(slow.id(), "3"), Code.UNKNOWN_TARGET);
    assertThat(slow.received).isEmpty();
    hands.runAll();
    assertThat(slow.texts()).containsExactly("1", "2");
    assertThat(slow.closed).containsExactly(CloseReason.CLOSED);
  }

  @Test
  void mayBeClosedByItsOwnReceiver() {
    List<Object> told = new ArrayList<>();
    Channel channel =
        broker.openChannel(
            new Receiver() {
              @Override
              public void received(Channel to, Message message) {
                told.add(message.json().toString());
                to.close();
              }

              @Override
              public void closed(Channel to, CloseReason reason) {
                told.add(reason);
              }
            },
            Runnable::run);
    ada.send(channel.id(), "1");
    Party.assertRefused(ada.send(channel.id(), "2"), Code.UNKNOWN_TARGET);
    assertThat(told).containsExactly("1", CloseReason.CLOSED);
  }
}
