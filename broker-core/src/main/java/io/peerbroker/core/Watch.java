package io.peerbroker.core;

/** A live list of the sessions that pass a filter, as the code that opened it sees it. */
public interface Watch extends AutoCloseable {

  /** Returns the filter that its sessions pass. */
  TagFilter filter();

  /**
   * Ends the watch; its watcher or stream is notified with {@link CloseReason#CLOSED}. May be
   * called again. Never blocks.
   */
  @Override
  void close();
}
