package io.peerbroker.tck;

import io.peerbroker.core.Event;

/**
 * Whoever reads a stream that a transport serves, for {@link TransportKit}. What it reads it turns
 * back into the core's events, so that the kit need not know how they came.
 *
 * <p>Each wait is bounded: what does not come is an {@link AssertionError}. For one thread.
 */
public interface Reader {

  /**
   * Waits for the next message, or for the next event of a watch. The first event of a channel is
   * no part of it, and an end that comes instead is an {@link AssertionError}.
   */
  Event next();

  /** Passes over what comes, until the stream ends; answers the reason it was told for that. */
  String awaitEnd();

  /** Takes nothing more until {@link #resume}. */
  void stall();

  /** Reads on. */
  void resume();

  /** Goes away in the worst way it can: without a word, what it was sent unread. */
  void leave();
}
