package io.peerbroker.core;

import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The list: the sessions that stand in it, and the watches that follow its changes.
 *
 * <p>Changed while the directory is write-locked.
 */
final class SessionList {

  final ListParts parts;
  final WatchIndex watches;

  /** Read without the lock. */
  private volatile int count;

  /** Returns whether this thread has write-locked the directory. */
  private final BooleanSupplier isLocked;

  /**
   * @param origin this node's tag
   * @param budget what watches hold together
   * @param wakes decides when watches are woken
   * @param isLocked returns whether this thread has write-locked the directory
   */
  SessionList(
      int origin,
      Limits limits,
      ChangeBudget budget,
      WakeThrottle wakes,
      BooleanSupplier isLocked) {
    this.isLocked = isLocked;
    parts = new ListParts(origin);
    watches = new WatchIndex(limits, budget, wakes, parts::count);
  }

  /** Returns how many sessions are listed. */
  int count() {
    return count;
  }

  /**
   * Updates the index, and feeds the change to all watches that could see the session before it, or
   * can see it now. If it fails, it has done nothing of that.
   *
   * @param step the directory's step, which may consist of several changes
   * @param touched receives the homes for which this is the step's first change
   */
  void changed(
      ListEntry session,
      @Nullable SessionState before,
      SessionState after,
      long step,
      List<WatchIndex.Home> touched) {
    apply(session, before, after, prepare(session, before, after, step, touched));
  }

  /**
   * Removes a session. If memory runs out, it is removed all the same, and only the watches do not
   * learn of it.
   */
  void removed(ListEntry session, long step, List<WatchIndex.Home> touched) {
    SessionState state = session.state;
    SessionChange removal = null;
    try {
      removal = prepare(session, state, null, step, touched);
    } finally {
      apply(session, state, null, removal);
    }
  }

  /** Makes what watches are to learn of a change; returns null if none could see it. */
  private @Nullable SessionChange prepare(
      ListEntry session,
      @Nullable SessionState before,
      @Nullable SessionState after,
      long step,
      List<WatchIndex.Home> touched) {
    assertLocked();
    List<String> from = listedTags(before);
    List<String> to = listedTags(after);
    if (from == null && to == null) {
      return null;
    }
    Envelope event =
        after == null || to == null
            ? Envelope.removed(session.ref.id)
            : Envelope.added(session.ref.show(after), after.shownSize());
    SessionChange change = new SessionChange(session.ref, from, to, event);
    watches.prepare(change, step, touched);
    return change;
  }

  /** Updates the index, which may fail for an addition, and then feeds what was prepared. */
  private void apply(
      ListEntry session,
      @Nullable SessionState before,
      @Nullable SessionState after,
      @Nullable SessionChange prepared) {
    assertLocked();
    List<String> from = listedTags(before);
    List<String> to = listedTags(after);
    if (from == null) {
      if (to == null) {
        return;
      }
      indexOf(session).add(session, to);
    } else if (to == null) {
      indexOf(session).remove(session, from);
    } else if (from != to) {
      indexOf(session).retag(session, from, to);
    }
    count = parts.count();
    if (prepared != null) {
      watches.feed(prepared);
    }
  }

  /** Asserts what the compiler cannot check: changes are functions, and run with the lock held. */
  private void assertLocked() {
    assert isLocked.getAsBoolean() : "The directory is not locked.";
  }

  private TagIndex<ListEntry> indexOf(ListEntry session) {
    int origin = session.ref.origin;
    return (origin == parts.own.origin ? parts.own : parts.open(origin)).index;
  }

  private static @Nullable List<String> listedTags(@Nullable SessionState state) {
    return state != null && state.listed() ? state.tags() : null;
  }
}
