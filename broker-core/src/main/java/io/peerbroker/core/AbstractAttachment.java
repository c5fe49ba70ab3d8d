package io.peerbroker.core;

import org.jspecify.annotations.Nullable;

/**
 * What all attachments have in common: the transport at the other end, and the life-cycle between
 * the two.
 *
 * <p>The transport is connected once, may be told to end once, and detaches once; whatever comes
 * first wins and the rest is ignored. Its lock is a leaf; the transport is called outside it.
 */
abstract class AbstractAttachment implements Attachment {

  // Guarded by this; ready is also read without, where a stale null is made good by connect.
  private volatile @Nullable Runnable ready;
  private @Nullable Transport transport;
  private volatile @Nullable CloseReason ending;
  private boolean detached;

  /** Brings in the transport that the opener has made, and wakes it for what has come meanwhile. */
  final void connect(Transport opened) {
    CloseReason told;
    synchronized (this) {
      if (!detached) {
        transport = opened;
        ready = opened::ready;
      }
      told = ending;
    }
    if (told != null) {
      ForeignCalls.run(() -> opened.end(told));
    } else {
      wake();
    }
  }

  /** Tells the transport that there is something to poll. */
  final void wake() {
    Runnable call = ready;
    if (call != null) {
      ForeignCalls.run(call);
    }
  }

  /** Tells the transport to end, once. */
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
   * Ends the stream from this side at once, whether or not its transport manages to. It is over
   * before its transport is told, so that whoever sees it end finds that it has.
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
      ready = null;
      told = ending != null ? ending : reason;
      // Whether or not anybody was told: a transport that is connected only now must be.
      ending = told;
    }
    detached(told);
  }

  /** The stream is over: called once, outside locks. */
  abstract void detached(CloseReason reason);
}
