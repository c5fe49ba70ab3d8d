package io.peerbroker.core;

/** A watch that is being watched, in the hand of whoever asked for it. */
public interface Watch extends AutoCloseable {

  /** The filter that its sessions pass. */
  TagFilter filter();

  /**
   * Ends the watch; its watcher or stream is told {@link CloseReason#CLOSED}. May be called again.
   * Never blocks.
   */
  @Override
  void close();
}
