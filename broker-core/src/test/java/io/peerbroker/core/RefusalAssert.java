package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.peerbroker.core.Refusal.Code;
import org.assertj.core.api.AbstractStringAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** Assertions for calls that must be refused. */
final class RefusalAssert {
  private RefusalAssert() {}

  /** Asserts that the call is refused with this code; returns an assertion on the detail. */
  static AbstractStringAssert<?> assertRefused(ThrowingCallable call, Code code) {
    RefusedException e = catchThrowableOfType(RefusedException.class, call);
    assertThat(e).isNotNull();
    assertThat(e.refusal().code()).isEqualTo(code);
    return assertThat(e.refusal().detail());
  }
}
