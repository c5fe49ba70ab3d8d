package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.peerbroker.core.Refusal.Code;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A refusal is a normal answer: cheap, and it says its code. */
class RefusalTest {
  @Test
  void refusalsAreCheapAndSayTheirCode() {
    var e = new RefusedException(Refusal.of(Code.TARGET_BUSY, "the queue is full"));
    assertThat(e).hasMessage("target_busy: the queue is full");
    assertThat(e.getStackTrace()).isEmpty();
    assertThat(e.refusal().retryAfter()).isNull();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Refusal(Code.TARGET_BUSY, "", Duration.ofSeconds(-1)));
  }
}
