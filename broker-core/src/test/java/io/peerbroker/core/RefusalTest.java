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

  @Test
  @DisplayName("A client's text is quoted without characters that break a line or turn it around.")
  void quotesAClientsText() {
    assertThat(Refusal.quote("sch\u00f6n \ud83d\ude00")).isEqualTo("\"sch\u00f6n \ud83d\ude00\"");
    assertThat(Refusal.quote("a\0\r\n\u0085\u202e\u2066\u2028\u2029\ud800b"))
        .isEqualTo("\"a\\u0000\\u000d\\u000a\\u0085\\u202e\\u2066\\u2028\\u2029\\ud800b\"");
    // A tag character, outside the basic plane.
    assertThat(Refusal.quote("\udb40\udc41")).isEqualTo("\"\\udb40\\udc41\"");
  }

  @Test
  @DisplayName("64 code points of a client's text are quoted.")
  void quotesNoMoreThanNeeded() {
    String longest = "\ud83d\ude00".repeat(64);
    assertThat(Refusal.quote(longest)).isEqualTo('"' + longest + '"');
    assertThat(Refusal.quote(longest + "x")).isEqualTo('"' + longest + "\u2026\"");
    assertThat(Refusal.quote("")).isEqualTo("\"\"");
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
