package io.peerbroker.core;

import java.util.Locale;

/** Why a channel or a watch has ended. */
public enum CloseReason {

  /** Its owner closed it. Coming back would fight the owner's will. */
  CLOSED(false, true),

  /**
   * The application closed it against its owner's will ({@link Channel#revoke()}). Coming back is
   * for the user to ask for, not for the client to do by itself.
   */
  REVOKED(false, true),

  /** The channel's client has come back on another connection, which this one gives way to. */
  SUPERSEDED(false, true),

  /**
   * A watcher did not keep up with the changes of its list: coming back starts from a fresh list.
   * Of a message that was not delivered: its target was away, and what waited for it was let go.
   */
  OVERFLOW(true, true),

  /**
   * What a watcher may see has changed ({@link Broker#recheck()}). Coming back starts from the list
   * as he may see it now, or is refused.
   */
  SCOPE_CHANGED(true, true),

  /** The broker shuts down. Coming back later may find another. */
  SHUTTING_DOWN(true, true),

  /** The reader went away: its stream broke or was ended from the other side. */
  GONE(true, false),

  /**
   * The reader took nothing for so long that its stream was given up; or the executor of a reader
   * in this JVM began none of its tasks.
   */
  STALLED(true, false),

  /** The stream broke, and its reader did not come back in time. */
  EXPIRED(true, false);

  private final boolean mayReturn;
  private final boolean told;

  CloseReason(boolean mayReturn, boolean told) {
    this.mayReturn = mayReturn;
    this.told = told;
  }

  /**
   * Whether a stream that ends for it tells its reader. To the others it looks like a connection
   * that broke, so that they come back.
   */
  public boolean isTold() {
    return told;
  }

  /** Whether a client does well to open a new stream after this. */
  public boolean mayReturn() {
    return mayReturn;
  }

  /** The reason in the form that goes over a wire: {@code shutting_down}. */
  public String code() {
    return name().toLowerCase(Locale.ROOT);
  }
}
