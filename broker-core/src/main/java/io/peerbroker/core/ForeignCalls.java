package io.peerbroker.core;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Where the broker calls foreign code: after all locks are free, one call after another, never one
 * inside another.
 *
 * <p>A call that is asked for while this thread is inside another waits until that one has
 * returned. So a chain of streams that wake each other needs no deeper stack than one of them, and
 * a receiver never finds itself inside another's call, even on an executor that runs its tasks in
 * place.
 */
final class ForeignCalls {

  private static final System.Logger LOG = System.getLogger(Broker.class.getName());

  /**
   * What waits for the call that this thread is in; null outside of calls, so nothing is left
   * behind.
   */
  private static final ThreadLocal<@Nullable ArrayDeque<Runnable>> WAITING = new ThreadLocal<>();

  private ForeignCalls() {}

  /** Runs a call now, or after the one that this thread is in. What it throws is logged. */
  static void run(Runnable call) {
    ArrayDeque<Runnable> queue = WAITING.get();
    if (queue != null) {
      queue.add(call);
      return;
    }
    queue = new ArrayDeque<>(4);
    WAITING.set(queue);
    try {
      for (Runnable next = call; next != null; next = queue.poll()) {
        runLogged(next);
      }
    } finally {
      // Left behind, it would pin the broker to threads of the container's pool.
      WAITING.remove();
    }
  }

  static void runLogged(Runnable call) {
    try {
      call.run();
    } catch (Exception | LinkageError | AssertionError | StackOverflowError thrown) {
      LOG.log(
          System.Logger.Level.ERROR, "A call out of the broker failed; the broker goes on", thrown);
    }
  }
}
