package io.peerbroker.core;

import org.jspecify.annotations.Nullable;

/**
 * A reference to a session from changes that wait. It may outlive the session, and then retains
 * only its id and its place in the list, not its tags, metadata and host.
 */
final class SessionRef {

  /** The session while it is open. */
  interface Live {

    /** Returns the current state. */
    SessionState state();

    /** Returns whether neither it nor its channel has closed. */
    boolean isOpen();
  }

  /** The tag of the node that created it; {@link Ids#NO_TAG} on a broker that is alone. */
  final int origin;

  /** When it was created, in µs since 1970; on a broker that is alone, its number. */
  final long created;

  /** Its number among the sessions that its node has created. */
  final long number;

  final String id;

  /** The session; null once it has closed. Written under the directory's write lock. */
  private volatile @Nullable Live session;

  SessionRef(int origin, long created, long number, String id) {
    this.origin = origin;
    this.created = created;
    this.number = number;
    this.id = id;
  }

  /** Sets the session. Called when it is made, or under the directory's write lock. */
  void leadTo(Live opened) {
    session = opened;
  }

  /** Returns its position in the list. */
  ListPosition position() {
    return new ListPosition(created, origin);
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
