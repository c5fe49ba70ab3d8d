package io.peerbroker.core;

/**
 * An adapter's end of a stream, which carries the events of a channel or a watch to its reader.
 *
 * <p>The broker calls it outside all locks, on the thread that caused the event, never nested
 * inside another transport's call, and logs its exceptions. Several threads may call it at once; a
 * transport must let one of them do the work, so that one thread at a time calls {@link
 * Attachment#poll()}. It must not block.
 */
public interface Transport {

  /**
   * Notifies the transport that there may be something to poll. Called after events have been
   * queued; one call may announce several events, and a call may come when there is nothing.
   */
  void ready();

  /**
   * Asks the transport to end the stream. Called at most once. The transport first passes on
   * everything that {@link Attachment#poll()} still returns, then notifies the reader of the reason
   * if it still can, and then detaches, all within {@link Limits#drainTimeout()}. A call that was
   * under way when the attachment was detached may still arrive; then there is nothing left to do.
   */
  void end(CloseReason reason);

  /** Creates the transport of a stream that is being opened. */
  @FunctionalInterface
  interface Opener {

    /**
     * Creates the transport for an attachment. {@link #ready()} is called for the first time soon
     * after this has returned.
     */
    Transport open(Attachment attachment);
  }
}
