package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.peerbroker.core.Refusal.Code;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Asks: messages whose answer is a stage. */
final class AskTest {

  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Json QUESTION = Json.parse("\"?\"");

  private final ManualTimer timer = new ManualTimer();
  private final Broker broker = Broker.builder().timer(timer).drainTimeout(Duration.ZERO).build();
  private final Party asker = new Party(broker);

  /** What those who answer have been asked, to be answered when a test likes. */
  private final List<Message> questions = new ArrayList<>();

  private final Channel other =
      broker.openChannel((channel, message) -> questions.add(message), Runnable::run);

  @AfterEach
  void nothingIsLeft() {
    broker.close();
    assertThat(timer.scheduled()).isZero();
    LeakAssert.assertNone(broker);
  }

  private CompletableFuture<Message> ask(String target) {
    CompletableFuture<Message> answer = new CompletableFuture<>();
    asker
        .channel
        .ask(target, QUESTION, SECOND)
        .whenComplete(
            (message, failed) -> {
              if (failed == null) {
                answer.complete(message);
              } else {
                answer.completeExceptionally(failed);
              }
            });
    return answer;
  }

  private void answer(int question, String json) {
    other.sendOrThrow(questions.get(question).reply(Json.parse(json)));
  }

  private static RefusedException refusal(CompletableFuture<Message> answer) {
    try {
      throw new AssertionError("answered with " + answer.getNow(null));
    } catch (CompletionException failed) {
      return (RefusedException) failed.getCause();
    }
  }

  private static Code code(CompletableFuture<Message> answer) {
    return refusal(answer).refusal().code();
  }

  @Test
  @DisplayName("The next message of the target is the answer, and all others are the receiver's.")
  void answered() {
    CompletableFuture<Message> answer = ask(other.id());
    Party third = new Party(broker);
    Party.assertSent(third.send(asker.id(), "\"third\""));
    assertThat(answer).isNotDone();
    answer(0, "\"first\"");
    answer(0, "\"second\"");
    assertThat(answer.getNow(null).json()).hasToString("\"first\"");
    assertThat(answer.getNow(null).origin()).isEqualTo(other.id());
    assertThat(asker.texts()).containsExactly("\"third\"", "\"second\"");
    assertThat(timer.scheduled()).isZero();
  }

  @Test
  @DisplayName("A session that is asked answers in its own name; its channel's name is another.")
  void session() {
    Session session = other.openSession(SessionSpec.unlisted());
    CompletableFuture<Message> answer = ask(session.id());
    other.sendOrThrow(asker.id(), Json.parse("\"channel\""));
    assertThat(answer).isNotDone();
    answer(0, "\"session\"");
    assertThat(answer.getNow(null).json()).hasToString("\"session\"");
    assertThat(asker.texts()).containsExactly("\"channel\"");
  }

  @Test
  @DisplayName("A message to a session of the asker is no answer.")
  void toAnotherAddress() {
    Session mine = asker.host("a");
    CompletableFuture<Message> answer = ask(other.id());
    other.sendOrThrow(mine.id(), Json.parse("\"to the session\""));
    assertThat(answer).isNotDone();
    assertThat(asker.texts()).containsExactly("\"to the session\"");
  }

  @Test
  @DisplayName("Several asks to one target are answered in the order in which they were sent.")
  void inOrder() {
    List<CompletableFuture<Message>> answers = List.of(ask(other.id()), ask(other.id()));
    answer(1, "1");
    answer(0, "2");
    assertThat(answers)
        .extracting(each -> each.getNow(null).json().toString())
        .containsExactly("1", "2");
  }

  @Test
  @DisplayName("An answer that comes at once, from within the send, is the answer.")
  void atOnce() {
    Channel echo =
        broker.openChannel(
            (channel, message) -> channel.sendOrThrow(message.reply(message.json())),
            Runnable::run);
    assertThat(ask(echo.id()).getNow(null).json()).isEqualTo(QUESTION);
    assertThat(asker.texts()).isEmpty();
  }

  @Test
  @DisplayName("Without an answer the stage fails in time; a late answer is the receiver's.")
  void timeout() {
    CompletableFuture<Message> answer = ask(other.id());
    timer.advance(SECOND.minusNanos(1));
    assertThat(answer).isNotDone();
    timer.advance(Duration.ofNanos(1));
    assertThatExceptionOfType(CompletionException.class)
        .isThrownBy(answer::join)
        .withCauseInstanceOf(TimeoutException.class)
        .withMessageContaining(other.id())
        .withMessageContaining("PT1S");
    answer(0, "\"late\"");
    assertThat(asker.texts()).containsExactly("\"late\"");
  }

  @Test
  @DisplayName("What is refused fails the stage at once, and leaves nothing behind.")
  void refused() {
    CompletableFuture<Message> answer = ask("nobody");
    assertThat(code(answer)).isEqualTo(Code.UNKNOWN_TARGET);
    assertThat(timer.scheduled()).isZero();
  }

  @Test
  @DisplayName("A queued message that is not delivered fails the stage.")
  void undelivered() {
    ManualTransport line =
        ManualTransport.open(broker, ChannelOptions.none().withResume(SECOND.multipliedBy(60)));
    line.cut();
    CompletableFuture<Message> answer = ask(line.channel.id());
    CompletableFuture<Message> another = ask(other.id());
    assertThat(answer).isNotDone();
    line.channel.close();
    assertThat(code(answer)).isEqualTo(Code.UNKNOWN_TARGET);
    assertThat(refusal(answer)).hasMessageContaining("not delivered");
    assertThat(another).isNotDone();
    assertThat(asker.received).isEmpty();
  }

  @Test
  @DisplayName("A message that was lost before its sender knew it queued fails the stage.")
  void lostBeforeItWasQueued() {
    OpenAsks asks = new OpenAsks("me", timer);
    CompletableFuture<Delivery> delivery = new CompletableFuture<>();
    CompletionStage<Message> stage =
        asks.ask(new Message("me", "you", QUESTION), SECOND, message -> delivery);
    asks.takes(new Event.Undelivered("1", "you", CloseReason.EXPIRED));
    asks.takes(new Event.Undelivered("2", "you", CloseReason.EXPIRED));
    assertThat(stage.toCompletableFuture()).isNotDone();
    delivery.complete(new Delivery.Queued("1"));
    assertThat(stage.toCompletableFuture()).isCompletedExceptionally();
    assertThat(timer.scheduled()).isZero();
  }

  @Test
  @DisplayName("A sender that fails, by a throw or in its stage, fails the ask.")
  void failing() {
    OpenAsks asks = new OpenAsks("me", timer);
    Message message = new Message("me", "you", QUESTION);
    IllegalStateException broken = new IllegalStateException("broken");
    assertThat(
            asks.ask(
                    message,
                    SECOND,
                    each -> {
                      throw broken;
                    })
                .toCompletableFuture())
        .isCompletedExceptionally();
    assertThat(
            asks.ask(message, SECOND, each -> CompletableFuture.failedStage(broken))
                .toCompletableFuture())
        .isCompletedExceptionally();
    assertThat(asks.takes(new Event.Received(new Message("you", "me", QUESTION)))).isFalse();
  }

  @Test
  @DisplayName("The asks of a channel that closes fail, and a closed one asks nothing.")
  void closing() {
    CompletableFuture<Message> answer = ask(other.id());
    asker.channel.close();
    assertThat(code(answer)).isEqualTo(Code.UNKNOWN_CHANNEL);
    assertThat(refusal(answer)).hasMessageContaining("closed");
    assertThat(asker.closed).containsExactly(CloseReason.CLOSED);
    assertThat(code(ask(other.id()))).isEqualTo(Code.UNKNOWN_CHANNEL);
  }

  @Test
  @DisplayName("A broker that shuts down fails all asks.")
  void shutdown() {
    CompletableFuture<Message> answer = ask(other.id());
    broker.close();
    assertThat(code(answer)).isEqualTo(Code.UNKNOWN_CHANNEL);
    assertThat(refusal(answer)).hasMessageContaining("shutting_down");
    assertThat(code(ask(other.id()))).isIn(Code.UNKNOWN_CHANNEL, Code.SHUTTING_DOWN);
  }

  @Test
  @DisplayName("At most 1,024 asks are open at one time.")
  void bounded() {
    Channel busy = broker.openChannel((channel, message) -> {}, Runnable::run);
    CompletableFuture<Message> first = ask(busy.id());
    for (int i = 1; i < 1_024; i++) {
      assertThat(ask(busy.id())).isNotDone();
    }
    assertThat(code(ask(busy.id()))).isEqualTo(Code.RATE_LIMITED);
    busy.sendOrThrow(asker.id(), Json.NULL);
    assertThat(first).isDone();
    assertThat(ask(busy.id())).isNotDone();
  }

  @Test
  @DisplayName("A caller's ask is authorized like each of its messages.")
  void authorized() {
    AccessPolicy policy =
        new AccessPolicy() {
          @Override
          public void send(Caller caller, Message message) {
            throw AccessPolicy.denied("No questions.");
          }
        };
    try (Broker strict =
        Broker.builder().timer(timer).drainTimeout(Duration.ZERO).accessPolicy(policy).build()) {
      Party caller = new Party(strict.forCaller(Caller.of(null)));
      Party target = new Party(strict);
      CompletionStage<Message> stage = caller.channel.ask(target.id(), QUESTION, SECOND);
      assertThatExceptionOfType(CompletionException.class)
          .isThrownBy(() -> stage.toCompletableFuture().getNow(null))
          .withCauseInstanceOf(RefusedException.class)
          .withMessageContaining("No questions.");
      assertThat(target.received).isEmpty();
      CompletionStage<Message> own = target.channel.ask(caller.id(), QUESTION, SECOND);
      assertThat(own.toCompletableFuture()).isNotDone();
    }
  }

  @Test
  @DisplayName("A timeout out of bounds is refused, and so is a channel with a client behind it.")
  void wrong() {
    for (Duration timeout :
        List.of(Duration.ZERO, SECOND.negated(), Duration.ofHours(1).plusNanos(1))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> ignore(asker.channel.ask(other.id(), QUESTION, timeout)))
          .withMessageContaining("1 hour");
    }
    ManualTransport line = ManualTransport.open(broker, ChannelOptions.none());
    assertThatExceptionOfType(UnsupportedOperationException.class)
        .isThrownBy(() -> ignore(line.channel.ask(other.id(), QUESTION, SECOND)))
        .withMessageContaining("receiver");
    assertThat(questions).isEmpty();
  }

  private static void ignore(CompletionStage<Message> stage) {
    assertThat(stage).isNotNull();
  }
}
