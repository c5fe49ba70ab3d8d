package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.peerbroker.core.Refusal.Code;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A refusal names its code and the place of the call; for a client's request it is cheap. */
class RefusalTest {
  @Test
  void refusalsAreCheapAndSayTheirCode() {
    var e = new RefusedException(Refusal.of(Code.TARGET_BUSY, "the queue is full"));
    assertThat(e).hasMessage("target_busy: the queue is full");
    assertThat(e.refusal().retryAfter()).isNull();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Refusal(Code.TARGET_BUSY, "", Duration.ofSeconds(-1)));
  }

  private static int depth() {
    try {
      TagFilter unused = TagFilter.parse("a,,b");
      throw new AssertionError("Not refused");
    } catch (RefusedException refused) {
      return refused.getStackTrace().length;
    }
  }

  @Test
  @DisplayName("Code in this JVM gets a stack trace with a refusal; a client's request costs none.")
  void onlyCodeInThisJvmGetsAStackTrace() {
    assertThat(depth()).isPositive();
    RefusedException.untraced(
        () -> {
          RefusedException.untraced(() -> assertThat(depth()).isZero());
          assertThat(depth()).isZero();
        });
    assertThat(depth()).isPositive();
    try (Broker broker = Broker.create()) {
      Channel channel = broker.openChannel((to, message) -> {});
      assertThatExceptionOfType(RefusedException.class)
          .isThrownBy(() -> channel.sendOrThrow("nobody", Json.NULL))
          .satisfies(
              refused ->
                  assertThat(refused.getStackTrace())
                      .extracting(StackTraceElement::getClassName)
                      .contains(RefusalTest.class.getName()));
    }
  }
}
