package io.peerbroker.core;

import java.io.Serial;

/**
 * Thrown where the broker refuses a call that can't answer with a {@link Refusal}. Its message is
 * {@code code: detail}.
 *
 * <p>It has no stack trace: a refusal is a normal answer to a stranger's request, on a path that
 * strangers can make hot, and it is the caller's input that explains it, not the broker's stack.
 */
public final class RefusedException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  private final Refusal refusal;

  /** An exception that carries this refusal. */
  public RefusedException(Refusal refusal) {
    super(refusal.code().code() + ": " + refusal.detail(), null, true, false);
    this.refusal = refusal;
  }

  /** What was refused, and why. */
  public Refusal refusal() {
    return refusal;
  }
}
