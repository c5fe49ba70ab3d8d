package io.peerbroker.tck;

import io.peerbroker.core.Event;

/**
 * The reader of a stream that a transport serves, for {@link TransportKit}. It turns what it reads
 * back into the core's events, so that the kit need not know how they came.
 *
 * <p>Each wait is bounded: an event that does not come is an {@link AssertionError}. For one
 * thread.
 */
public interface Reader {

  /**
   * Waits for the next message, or for the next event of a watch. The first event of a channel is
   * not included, and an end that comes instead is an {@link AssertionError}.
   */
  Event next();

  /** Skips events until the stream ends; returns the reason that the stream gave. */
  String awaitEnd();

  /** Takes nothing more until {@link #resume}. */
  void stall();

  /** Reads on. */
  void resume();

  /** Goes away in the worst way: without a word, and without reading what it was sent. */
  void leave();
}
