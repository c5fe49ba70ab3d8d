package io.peerbroker.core;

/**
 * A reader of a watch in this JVM.
 *
 * <p>Called one event at a time, in order, on the executor given at {@link Broker#watch(TagFilter,
 * Watcher, java.util.concurrent.Executor)}. Applying the calls in order to an empty set always ends
 * in the current list. An exception from it is logged and affects nothing else; the next event
 * comes as usual.
 */
public interface Watcher {

  /** Reports a session that is in the list, or its new state if it was there before. */
  void added(ListedSession session);

  /** Reports that a session that was added is no longer there, or no longer passes the filter. */
  void removed(String sid);

  /**
   * Reports that all sessions that were there when the watch began have been added; {@code count}
   * of them are in the list by now.
   */
  default void ready(int count) {}

  /**
   * Reports that the list starts anew, and that what was added before no longer counts. Only a
   * watch of {@link Broker#keepWatching} does this, before the first event of its new list.
   */
  default void restarted() {}

  /**
   * Reports that the watch has ended. Called once, last; not at all if the executor has rejected a
   * task.
   */
  default void closed(CloseReason reason) {}
}
