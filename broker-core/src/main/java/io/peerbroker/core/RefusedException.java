package io.peerbroker.core;

import java.io.Serial;
import java.util.function.Supplier;

/**
 * Thrown when the broker refuses a call that can't return a {@link Refusal}. Its message is {@code
 * code: detail}.
 *
 * <p>It has a stack trace, unless it is created while an adapter serves a client's request ({@link
 * #untraced}). There a refusal is a normal answer on a path that clients can make hot, and the
 * request explains it, not the broker's stack.
 */
public final class RefusedException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  /** Set on a thread that serves a client's request. */
  private static final ThreadLocal<Boolean> UNTRACED = new ThreadLocal<>();

  private final Refusal refusal;

  /** Creates an exception that carries this refusal. */
  public RefusedException(Refusal refusal) {
    super(refusal.code().code() + ": " + refusal.detail(), null, true, UNTRACED.get() == null);
    this.refusal = refusal;
  }

  /** Creates an exception that carries a refusal without advice to retry. */
  public static RefusedException of(Refusal.Code code, String detail) {
    return new RefusedException(Refusal.of(code, detail));
  }

  /**
   * Serves a client's request on this thread: refusals meanwhile have no stack trace. For adapters;
   * calls may nest.
   */
  public static void untraced(Runnable request) {
    untraced(
        () -> {
          request.run();
          return true;
        });
  }

  /** As {@link #untraced(Runnable)}, with a result. */
  static <T> T untraced(Supplier<T> request) {
    if (UNTRACED.get() != null) {
      return request.get();
    }
    UNTRACED.set(true);
    try {
      return request.get();
    } finally {
      UNTRACED.remove();
    }
  }

  /** Returns the refusal. */
  public Refusal refusal() {
    return refusal;
  }
}
