package io.peerbroker.core;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Where the broker calls foreign code: after all locks are free, one call after another, never one
 * inside another.
 *
 * <p>A call that is asked for while this thread is inside another waits until that one has
 * returned. So a chain of streams that wake each other needs no deeper stack than one of them. The
 * turns of receivers wait for each other in the same way, but not for the calls that wake
 * transports, nor these for them: a message that a receiver sends is on its way before the receiver
 * returns. So a receiver never finds itself inside another's call, even on an executor that runs
 * its tasks in place. Calls of listeners, too, wait for each other and for nothing else: a listener
 * learns of something before whoever did it goes on.
 */
final class ForeignCalls {

  /**
   * What waits for the call, or the turn, that this thread is in; null outside of them, so nothing
   * is left behind.
   */
  private static final ThreadLocal<@Nullable ArrayDeque<Runnable>> CALLS = new ThreadLocal<>();

  private static final ThreadLocal<@Nullable ArrayDeque<Runnable>> TURNS = new ThreadLocal<>();

  private static final ThreadLocal<@Nullable ArrayDeque<Runnable>> TELLINGS = new ThreadLocal<>();

  private ForeignCalls() {}

  /** Runs a call now, or after the one that this thread is in. What it throws is logged. */
  static void run(Runnable call) {
    run(CALLS, call);
  }

  /** Runs a receiver's turn now, or after the one that this thread is in. */
  static void runTurn(Runnable turn) {
    run(TURNS, turn);
  }

  /** Tells listeners something now, or after what this thread is telling them. */
  static void runNotification(Runnable telling) {
    run(TELLINGS, telling);
  }

  private static void run(ThreadLocal<@Nullable ArrayDeque<Runnable>> waiting, Runnable call) {
    ArrayDeque<Runnable> queue = waiting.get();
    if (queue != null) {
      queue.add(call);
      return;
    }
    queue = new ArrayDeque<>(4);
    waiting.set(queue);
    try {
      for (Runnable next = call; next != null; next = queue.poll()) {
        runLogged(next);
      }
    } finally {
      // Left behind, it would pin the broker to threads of the container's pool.
      waiting.remove();
    }
  }

  /** Runs a call here and now. What it throws is logged. */
  static void runLogged(Runnable call) {
    try {
      call.run();
    } catch (Throwable thrown) {
      // Errors too: one that came out here would be thrown at whoever happened to send, and leave
      // the calls behind it undone.
      log("A call out of the broker failed; the broker goes on", thrown);
    }
  }

  /**
   * Logs an error. What the logger throws goes nowhere: its handlers are foreign code too, and what
   * is about to be done after this must be done.
   */
  static void log(String message, @Nullable Throwable thrown) {
    try {
      System.getLogger(Broker.class.getName()).log(System.Logger.Level.ERROR, message, thrown);
    } catch (Throwable unloggable) {
      // There is nowhere left to say so.
    }
  }
}
