package io.peerbroker.core;

/** A watch, as its opener sees it: the sessions that pass a filter, kept up to date. */
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
