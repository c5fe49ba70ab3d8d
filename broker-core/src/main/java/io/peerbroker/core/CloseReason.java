package io.peerbroker.core;

import java.util.Locale;

/** Why a channel or a watch has ended. */
public enum CloseReason {

  /** Its owner closed it. Coming back would fight the owner's will. */
  CLOSED(false),

  /**
   * A watcher did not keep up with the changes of its list. Coming back starts from a fresh list.
   */
  OVERFLOW(true),

  /** The broker shuts down. Coming back later may find another. */
  SHUTTING_DOWN(true),

  /** The reader went away: its stream broke or was ended from the other side. */
  GONE(true),

  /** The reader took nothing for so long that its stream was given up. */
  STALLED(true);

  private final boolean mayReturn;

  CloseReason(boolean mayReturn) {
    this.mayReturn = mayReturn;
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
