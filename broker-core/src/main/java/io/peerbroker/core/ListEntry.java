package io.peerbroker.core;

/** A session that may stand in the list: one of this node, or one that another node tells of. */
abstract class ListEntry extends Numbered implements SessionRef.Live {

  final SessionRef ref;

  /** Written under the directory's write lock. */
  volatile SessionState state;

  /** Creates the session that a new reference leads to. */
  ListEntry(SessionRef ref, SessionState state) {
    super(ref.number);
    this.ref = ref;
    this.state = state;
    ref.leadTo(this);
  }

  @Override
  public final SessionState state() {
    return state;
  }
}
