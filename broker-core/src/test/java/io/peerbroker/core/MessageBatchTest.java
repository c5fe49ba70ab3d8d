package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Refusal.Code;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The messages of one request, beside routers that take their time. */
final class MessageBatchTest extends RequestFixture {

  private static CompletableFuture<Answer> sendTwo(Gateway gateway, Channel sender) {
    return gateway
        .perform(send(actor(sender), "far", Json.of(1), Json.of(2)))
        .toCompletableFuture();
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
}
