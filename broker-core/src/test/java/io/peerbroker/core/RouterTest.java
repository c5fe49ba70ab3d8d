package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.peerbroker.core.Refusal.Code;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A router of the application, which may fail in every way without harm to others. */
final class RouterTest {

  @RegisterExtension final BrokerLog log = new BrokerLog();

  private static final Limits.Rate ONE = new Limits.Rate(1, 1);

  private Router ownRouter;
  private Broker broker;
  private Party party;

  private void route(Router router) {
    broker =
        Broker.builder()
            .timer(new ManualTimer())
            .messageRate(ONE)
            .router(
                own -> {
                  ownRouter = own;
                  return router;
                })
            .build();
    party = new Party(broker.forCaller(Caller.of(null)));
  }

  @AfterEach
  void nothingIsLeft() {
    if (broker != null) {
      broker.close();
      LeakAssert.assertNone(broker);
    }
  }

  /** Refused as internal, any number of times: nothing of it counts against the rate. */
  private void assertFailsInside() {
    for (int i = 0; i < 3; i++) {
      Delivery delivery = party.send(party.id(), "1");
      Party.assertRefused(delivery, Code.INTERNAL);
      assertThat(((Delivery.Refused) delivery).refusal().detail()).doesNotContain("secret");
    }
    assertThat(party.received).isEmpty();
    log.assertSize(3);
  }

  @Test
  void mayStandInFrontOfTheBrokersOwn() {
    List<Message> seen = new ArrayList<>();
    route(
        message -> {
          seen.add(message);
          return ownRouter.route(message);
        });
    Party.assertSent(party.send(party.id(), "1"));
    assertThat(seen).isEqualTo(party.received).hasSize(1);
  }

  @Test
  void isNotAskedForWhatIsRefusedBefore() {
    route(
        message -> {
          throw new AssertionError();
        });
    Party.assertRefused(
        Party.answer(party.channel.send(new Message("other", party.id(), Json.NULL))),
        Code.UNKNOWN_CHANNEL);
  }

  @Test
  void mayCarryAMessageElsewhere() {
    route(message -> Delivery.sent());
    Party.assertSent(party.send("somewhere else", "1"));
  }

  @Test
  void mayThrow() {
    route(
        message -> {
          throw new IllegalStateException("secret");
        });
    assertFailsInside();
  }

  @Test
  void mayThrowAnError() {
    route(
        message -> {
          throw new Error("secret");
        });
    assertFailsInside();
  }

  @Test
  void mayThrowWhatItDoesNotDeclare() {
    route(message -> sneak(new Exception("secret")));
    assertFailsInside();
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <T extends Throwable, R> R sneak(Throwable thrown) throws T {
    throw (T) thrown;
  }

  @Test
  void mayAnswerNothing() {
    route(message -> null);
    assertFailsInside();
  }

  @Test
  void mayCompleteWithNothing() {
    route(message -> CompletableFuture.completedFuture(null));
    assertFailsInside();
  }

  @Test
  void mayCompleteWithWhatItThrew() {
    route(message -> CompletableFuture.failedFuture(new Error("secret")));
    assertFailsInside();
  }

  @Test
  void mayRefuseAtOnce() {
    route(message -> Delivery.refused(Refusal.of(Code.DENIED, "Not today.")));
    for (int i = 0; i < 3; i++) {
      Party.assertRefused(party.send(party.id(), "1"), Code.DENIED);
    }
  }

  @Test
  void aLateRefusalDoesNotCountAgainstTheRate() {
    CompletableFuture<Delivery> later = new CompletableFuture<>();
    route(message -> later);
    CompletionStage<Delivery> stage = party.channel.send(party.id(), Json.NULL);
    assertThat(stage.toCompletableFuture()).isNotDone();
    Party.assertRefused(party.send(party.id(), "1"), Code.RATE_LIMITED);
    later.complete(new Delivery.Refused(Refusal.of(Code.DENIED, "Not today.")));
    Party.assertRefused(Party.answer(stage), Code.DENIED);
    Party.assertRefused(party.send(party.id(), "1"), Code.DENIED);
  }

  @Test
  @Tag("E4")
  @DisplayName("Above the rate, a target that only the router knows is not reported as unknown.")
  void knowsTargetsThatTheBrokerDoesNot() {
    route(message -> Delivery.sent());
    Party.assertSent(party.send("elsewhere", "1"));
    Party.assertRefused(party.send("elsewhere", "2"), Code.RATE_LIMITED);
  }

  @Test
  void mayNeverAnswerAndHoldsUpNobody() {
    CompletableFuture<Delivery> never = new CompletableFuture<>();
    route(message -> message.json().isNull() ? never : ownRouter.route(message));
    Party other = new Party(broker);
    assertThat(party.channel.send(other.id(), Json.NULL).toCompletableFuture()).isNotDone();
    Party.assertSent(other.send(party.id(), "1"));
    party.channel.close();
  }

  @Test
  void isAskedOutsideOfAllLocks() {
    route(
        message -> {
          assertThat(Thread.holdsLock(party.channel)).isFalse();
          party.host("a").close();
          party.channel.close();
          return ownRouter.route(message);
        });
    Party.assertRefused(party.send(party.id(), "1"), Code.UNKNOWN_TARGET);
    assertThat(party.closed).containsExactly(CloseReason.CLOSED);
  }

  @Test
  void mustBeThere() {
    assertThatNullPointerException()
        .isThrownBy(() -> Broker.builder().router(own -> null).build())
        .withMessage("router");
  }
}
