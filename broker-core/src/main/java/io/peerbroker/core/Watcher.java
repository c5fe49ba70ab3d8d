package io.peerbroker.core;

/**
 * A party in this JVM that watches the list live.
 *
 * <p>Called one event at a time, in order, on the executor given at {@link Broker#watch(TagFilter,
 * Watcher, java.util.concurrent.Executor)}. Applying the calls in order to an empty set always ends
 * in the true list. What it throws is logged and hurts nobody; the next event comes all the same.
 */
public interface Watcher {

  /** Learns that a session is there, or how it is now if it was there before. */
  void added(ListedSession session);

  /** Learns that a session that was added is there no more, or passes the filter no more. */
  void removed(String sid);

  /**
   * Learns that all that was there when the watch began has been told; {@code count} sessions are
   * held by now.
   */
  default void ready(int count) {}

  /**
   * Learns that the watch has ended. Called once, last; not at all where the executor has rejected
   * a task.
   */
  default void closed(CloseReason reason) {}
}
