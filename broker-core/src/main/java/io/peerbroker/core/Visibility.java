package io.peerbroker.core;

import java.util.function.Predicate;

/**
 * The application's predicate for the sessions that one reader may see; a failure hides the
 * session.
 */
final class Visibility {

  private final Predicate<? super ListedSession> visible;
  private volatile boolean failed;

  Visibility(Predicate<? super ListedSession> visible) {
    this.visible = visible;
  }

  /** Returns whether a session may be seen. Called outside locks. */
  boolean shows(ListedSession session) {
    try {
      return visible.test(session);
    } catch (Throwable thrown) {
      // Errors too. Logged once, since a list may be long.
      if (!failed) {
        failed = true;
        ForeignCalls.log(
            "The application's visibility predicate failed; it hides each session that it fails for",
            thrown);
      }
      return false;
    }
  }
}
