package io.peerbroker.core;

/**
 * An adapter's end of a stream: what takes the events of a channel or a watch to its reader.
 *
 * <p>The broker calls it outside all locks, on whatever thread made something happen, never nested
 * inside another transport's call, and logs what it throws. Calls may come from several threads at
 * once; a transport lets one of them do the work, so that {@link Attachment#poll()} is called by
 * one thread at a time. It must not block.
 */
public interface Transport {

  /**
   * There may be something to poll. Called after events have been queued; several may be announced
   * by one call, and a call may come when there is nothing.
   */
  void ready();

  /**
   * The stream is to end. Called at most once. What {@link Attachment#poll()} still gives goes to
   * the reader first, then the reader is told the reason where it can still be told, and then the
   * transport detaches: all within {@link Limits#drainTimeout()}. A call that was on its way when
   * the attachment was detached still comes, and then there is nothing left to do.
   */
  void end(CloseReason reason);

  /** What makes the transport of a stream that is being opened. */
  @FunctionalInterface
  interface Opener {

    /**
     * Makes the transport for an attachment. {@link #ready()} is called for the first time soon
     * after this has returned.
     */
    Transport open(Attachment attachment);
  }
}
