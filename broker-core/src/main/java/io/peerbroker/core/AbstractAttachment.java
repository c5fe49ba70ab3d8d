package io.peerbroker.core;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import org.jspecify.annotations.Nullable;

/**
 * The common part of all attachments: the transport at the other end, and the life-cycle of the
 * connection between the two.
 *
 * <p>The transport is connected once, may be asked to end once, and detaches once; the first of
 * these wins and the others are ignored. The lock is a leaf; the transport is called outside it.
 */
abstract class AbstractAttachment implements Attachment, Runnable {

  /** After this many steps without an event, others need the poller's thread. */
  static final int MAX_SILENT = 1_000;

  /**
   * The other end; null before it is connected, and after the end. Written with the monitor held,
   * read without: {@link #connect} makes up for a stale null.
   */
  private volatile @Nullable Transport transport;

  /**
   * Why the stream must end, or has ended; null while it goes on. Written with the monitor held.
   */
  private volatile @Nullable CloseReason ending;

  /** Set once: the stream is over. */
  @GuardedBy("this")
  private boolean detached;

  /**
   * Connects the transport that the opener has made, and wakes it for events that came meanwhile.
   */
  final void connect(Transport opened) {
    CloseReason told;
    synchronized (this) {
      if (!detached) {
        transport = opened;
      }
      told = ending;
    }
    if (told != null) {
      ForeignCalls.run(() -> opened.end(told));
    } else {
      wake();
    }
  }

  /** Notifies the transport that there is something to poll. */
  final void wake() {
    if (transport != null) {
      ForeignCalls.run(this);
    }
  }

  /**
   * Does what {@link #wake} asks for. The attachment is the task itself: one more object for each
   * stream, or for each event, would be dear.
   */
  @Override
  public final void run() {
    Transport woken = transport;
    if (woken != null) {
      woken.ready();
    }
  }

  /**
   * Returns how many steps without an event the last poll has taken, such as to examine a session.
   * Called by the poller.
   */
  int silent() {
    return 0;
  }

  /** Asks the transport to end, once. */
  final void end(CloseReason reason) {
    Transport told;
    synchronized (this) {
      if (ending != null || detached) {
        return;
      }
      ending = reason;
      told = transport;
    }
    if (told != null) {
      ForeignCalls.run(() -> told.end(reason));
    }
  }

  /**
   * Ends the stream from this side at once, even if its transport cannot. The stream is over before
   * its transport is notified, so that code that sees it end finds it detached.
   */
  final void cut(CloseReason reason) {
    Transport told;
    synchronized (this) {
      told = ending == null ? transport : null;
      if (ending == null) {
        ending = reason;
      }
    }
    detach(reason);
    if (told != null) {
      ForeignCalls.run(() -> told.end(reason));
    }
  }

  final synchronized boolean isDetached() {
    return detached;
  }

  final boolean isEnding() {
    return ending != null;
  }

  @Override
  public final void detach(CloseReason reason) {
    CloseReason told;
    synchronized (this) {
      if (detached) {
        return;
      }
      detached = true;
      transport = null;
      told = ending != null ? ending : reason;
      // Set in any case: a transport that is connected only later must still be notified.
      ending = told;
    }
    detached(told);
  }

  /** Called once, outside locks, when the stream is over. */
  abstract void detached(CloseReason reason);
}
