package io.peerbroker.core;

import org.jspecify.annotations.Nullable;

/**
 * A reference to a session from changes that wait. It may outlive the session, and then retains
 * only its number and id, not its tags, metadata and host.
 */
final class SessionRef {

  /** The session while it is open. */
  interface Live {

    /** Returns the current state. */
    SessionState state();

    /** Returns whether neither it nor its channel has closed. */
    boolean isOpen();
  }

  final long number;
  final String id;

  /** The session; null once it has closed. Written under the directory's write lock. */
  private volatile @Nullable Live session;

  SessionRef(long number, String id, Live session) {
    this.number = number;
    this.id = id;
    this.session = session;
  }

  /** Releases the session, which has closed. Called under the directory's write lock. */
  void clear() {
    session = null;
  }

  /** Returns the session's current state; null once it has closed. */
  @Nullable SessionState state() {
    Live now = session;
    return now != null && now.isOpen() ? now.state() : null;
  }

  /** Returns the session as a list shows it in a state. */
  ListedSession show(SessionState shown) {
    return new ListedSession(id, shown.tags(), shown.metadata());
  }

  /** Returns whether an event shows the session as it is now. */
  boolean isShownBy(Envelope envelope) {
    Live now = session;
    return now != null && now.state().isShownBy(envelope);
  }
}
