package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.peerbroker.core.Refusal.Code;
import org.assertj.core.api.AbstractStringAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** For calls that must be refused. */
final class RefusalAssert {
  private RefusalAssert() {}

  /** The call is refused with this code; goes on with the detail. */
  static AbstractStringAssert<?> assertRefused(ThrowingCallable call, Code code) {
    RefusedException e = catchThrowableOfType(RefusedException.class, call);
    assertThat(e).isNotNull();
    assertThat(e.refusal().code()).isEqualTo(code);
    return assertThat(e.refusal().detail());
  }
}
