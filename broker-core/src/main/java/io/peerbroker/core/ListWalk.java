package io.peerbroker.core;

import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * How far a watch has walked through the list: part by part, in each in order of creation, from the
 * first session to the last that was there when the walk came to know of the part (the horizon).
 *
 * <p>This node's part is known from the beginning. Which other parts there are is noted in the
 * first step, at whose mark the changes are cut. What a watch is told before that mark may be older
 * than the watch, and of a part that has gone since, so nothing of other parts is told before it.
 * Parts and sessions that come later are left to the changes. Used by the watch's poller.
 */
final class ListWalk {

  /** A part that is still to be walked through. */
  private record Leg(int origin, long horizon) {}

  private static final Leg[] NONE = {};

  private final ListParts parts;

  /** The part where the walk is, and its horizon. */
  private int origin;

  private long horizon;
  private long walked;

  /** The last session of the part whose state the reader knows as of its cursor. */
  private long covered;

  /** The other parts as noted in the first step; null before it. */
  private Leg @Nullable [] noted;

  /** The other parts; null until the reader has come to the mark of the first step. */
  private Leg @Nullable [] others;

  /** How many of them the walk has come to. */
  private int begun;

  ListWalk(ListParts parts) {
    this.parts = parts;
    origin = parts.own.origin;
  }

  /**
   * Begins, perhaps again. Called while the directory is locked, so that what comes later is among
   * the changes; a watch that looks at sessions as they are now may call it without.
   */
  void begin() {
    noted = parts.own.origin == Ids.NO_TAG ? NONE : null;
    others = noted;
    begun = 0;
    enter(parts.own.origin, parts.own.last());
  }

  private void enter(int part, long last) {
    origin = part;
    horizon = last;
    walked = 0;
    covered = 0;
  }

  private Leg[] legs() {
    ListPart[] now = parts.others();
    Leg[] legs = new Leg[now.length];
    for (int i = 0; i < legs.length; i++) {
      legs[i] = new Leg(now[i].origin, now[i].last());
    }
    return legs;
  }

  /** Notes that the reader has been told all changes before the place where the walk is. */
  void caughtUp() {
    covered = walked;
    others = noted;
  }

  /** Returns whether the walk will come to a session, and find it as it is then. */
  boolean willFind(SessionRef session) {
    if (session.origin == origin) {
      return session.number > covered && session.number <= horizon;
    }
    Leg[] known = others;
    if (known == null) {
      return true;
    }
    for (int i = begun; i < known.length; i++) {
      if (session.origin == known[i].origin) {
        return session.number <= known[i].horizon;
      }
    }
    return false;
  }

  /**
   * Advances by a few sessions, or by some distance if there are none near. The reader has been
   * told all changes before the place where the walk is.
   *
   * @param maxBytes about how many bytes to find at most, but at least one session
   * @param place marks the last change that is included in the result; null for no mark
   * @return false if there is nothing left to walk through
   */
  boolean advance(
      ListSearch search,
      ParsedFilter filter,
      int maxBytes,
      Collection<ListSearch.Found> found,
      ChangeLog.@Nullable Cursor place) {
    caughtUp();
    Leg[] known = others;
    while (known != null && walked >= horizon) {
      if (begun == known.length) {
        return false;
      }
      Leg next = known[begun++];
      enter(next.origin, next.horizon);
    }
    walked =
        search.walk(
            origin,
            filter,
            walked,
            horizon,
            maxBytes,
            found,
            () -> {
              if (place != null) {
                place.mark();
              }
              if (noted == null) {
                noted = legs();
              }
            });
    return true;
  }
}
