package io.peerbroker.core;

import java.util.Locale;

/**
 * Why a channel or a watch has ended. Constants may be added in later versions: ask {@link
 * #mayReturn()}, or give a {@code switch} a {@code default} branch.
 */
public enum CloseReason {

  /** Its owner closed it. A client must not come back by itself. */
  CLOSED(false, true),

  /**
   * The application closed it ({@link Channel#revoke()}), not its owner. The client must not come
   * back by itself, only when its user asks for it.
   */
  REVOKED(false, true),

  /** The channel's client has come back on another connection, which replaces this one. */
  SUPERSEDED(false, true),

  /**
   * A watch did not keep up with the changes of its list; a new one starts from a fresh list. For
   * an undelivered message: its target was away, and the broker dropped what waited for it.
   */
  OVERFLOW(true, true),

  /**
   * What the watcher may see has changed ({@link Broker#recheck()}). A new watch starts from the
   * list that the watcher may see now, or is refused.
   */
  SCOPE_CHANGED(true, true),

  /** The broker is shutting down. A client that comes back later may reach another one. */
  SHUTTING_DOWN(true, true),

  /** The reader went away: its stream broke, or the other side ended it. */
  GONE(true, false),

  /**
   * The reader took nothing until the write timeout, or the executor of a reader in this JVM began
   * none of its tasks.
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
   * Returns whether the reader is notified when its stream ends for this reason. Otherwise the end
   * looks like a broken connection, so that the client comes back.
   */
  public boolean isTold() {
    return told;
  }

  /** Returns whether a client should open a new stream after this. */
  public boolean mayReturn() {
    return mayReturn;
  }

  /** Returns the reason as it is sent to clients, such as {@code shutting_down}. */
  public String code() {
    return name().toLowerCase(Locale.ROOT);
  }
}
