package io.peerbroker.core;

import java.util.ArrayDeque;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Calls foreign code: after all locks are free, one call after another, never nested.
 *
 * <p>A call that is requested while this thread is inside another one waits until that one has
 * returned. So a chain of streams that wake each other needs no deeper stack than one of them. The
 * turns of receivers wait for each other in the same way. They do not wait for the calls that wake
 * transports, nor the other way round: a message that a receiver sends is on its way before the
 * receiver returns. So a receiver is never called inside another receiver's call, even on an
 * executor that runs its tasks in place. Calls of listeners wait only for each other: a listener is
 * notified before the operation that it is notified of returns.
 */
final class ForeignCalls {

  /** The calls that wait for the one that this thread is in. */
  private static final ThreadLocal<@Nullable ArrayDeque<Runnable>> CALLS = new ThreadLocal<>();

  private static final ThreadLocal<@Nullable ArrayDeque<Runnable>> TURNS = new ThreadLocal<>();

  private static final ThreadLocal<@Nullable ArrayDeque<Runnable>> TELLINGS = new ThreadLocal<>();

  /**
   * The thread is in no call, or in one for which nothing waits, as nearly always. All threads
   * share these two, and nothing is ever put into them: what stays behind on a thread of the
   * container's pool keeps neither a broker nor a class of ours reachable.
   */
  private static final ArrayDeque<Runnable> OUTSIDE = new ArrayDeque<>(0);

  private static final ArrayDeque<Runnable> NOTHING = new ArrayDeque<>(0);

  /** The name of the broker's logger, which applications know. */
  private static final String LOGGER = "io.peerbroker.core.Broker";

  private ForeignCalls() {}

  /** Runs a call now, or after the one that this thread is in. An exception is logged. */
  static void run(Runnable call) {
    run(CALLS, call);
  }

  /** Runs a receiver's turn now, or after the one that this thread is in. */
  static void runTurn(Runnable turn) {
    run(TURNS, turn);
  }

  /** Notifies listeners now, or after the notification that this thread is in. */
  static void runNotification(Runnable telling) {
    run(TELLINGS, telling);
  }

  private static void run(ThreadLocal<@Nullable ArrayDeque<Runnable>> waiting, Runnable call) {
    ArrayDeque<Runnable> queue = waiting.get();
    if (queue != null && queue != OUTSIDE) {
      if (queue == NOTHING) {
        queue = new ArrayDeque<>(4);
        waiting.set(queue);
      }
      queue.add(call);
      return;
    }
    waiting.set(NOTHING);
    try {
      for (Runnable next = call;
          next != null;
          next = Objects.requireNonNull(waiting.get()).poll()) {
        runLogged(next);
      }
    } finally {
      waiting.set(OUTSIDE);
    }
  }

  /** Runs a call now. An exception is logged. */
  static void runLogged(Runnable call) {
    try {
      call.run();
    } catch (Throwable thrown) {
      // Errors too: one that escaped here would reach an unrelated sender, and skip the calls after
      // this one.
      log("A call out of the broker failed; the broker continues", thrown);
    }
  }

  /**
   * Logs an error. An exception from the logger is dropped: its handlers are foreign code too, and
   * the caller must continue.
   */
  static void log(String message, @Nullable Throwable thrown) {
    try {
      System.getLogger(LOGGER).log(System.Logger.Level.ERROR, message, thrown);
    } catch (Throwable unloggable) {
      // There is nowhere left to report it.
    }
  }

  /**
   * Asks the application for a decision.
   *
   * @param what what of the application is asked, for the log
   * @throws RefusedException that of the application; {@code internal} if it fails or returns null
   */
  static <T> T answer(String what, Supplier<@Nullable T> question) {
    try {
      return Objects.requireNonNull(question.get(), () -> "The " + what + " returned null.");
    } catch (RefusedException refused) {
      throw refused;
    } catch (Throwable thrown) {
      // Errors too, and checked exceptions from languages that don't check them: none of them
      // permits.
      log("The application's " + what + " failed", thrown);
      throw RefusedException.of(Refusal.Code.INTERNAL, "The broker failed; its log says more.");
    }
  }
}
