package io.peerbroker.core;

import java.io.Serial;

/**
 * Thrown where the broker refuses a call that can't answer with a {@link Refusal}. Its message is
 * {@code code: detail}.
 *
 * <p>It has a stack trace, unless it is made while an adapter serves a stranger's request ({@link
 * #untraced}): there a refusal is a normal answer, on a path that strangers can make hot, and it is
 * the request that explains it, not the broker's stack.
 */
public final class RefusedException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  /** Set on a thread that serves a stranger's request. */
  private static final ThreadLocal<Boolean> UNTRACED = new ThreadLocal<>();

  private final Refusal refusal;

  /** An exception that carries this refusal. */
  public RefusedException(Refusal refusal) {
    super(refusal.code().code() + ": " + refusal.detail(), null, true, UNTRACED.get() == null);
    this.refusal = refusal;
  }

  /**
   * Serves a stranger's request on this thread: what is refused meanwhile has no stack trace. For
   * adapters; calls may nest.
   */
  public static void untraced(Runnable request) {
    Boolean before = UNTRACED.get();
    UNTRACED.set(true);
    try {
      request.run();
    } finally {
      if (before == null) {
        UNTRACED.remove();
      }
    }
  }

  /** What was refused, and why. */
  public Refusal refusal() {
    return refusal;
  }
}
