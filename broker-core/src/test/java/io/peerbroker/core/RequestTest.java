package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.peerbroker.core.Refusal.Code;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Remote clients' requests as values, and their answers. */
final class RequestTest extends RequestFixture {

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
