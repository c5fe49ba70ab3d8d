package io.peerbroker.core;

import java.util.function.Predicate;

/** An application's say in which sessions one reader may see; what fails hides. */
final class Visibility {

  private final Predicate<? super ListedSession> visible;
  private volatile boolean failed;

  Visibility(Predicate<? super ListedSession> visible) {
    this.visible = visible;
  }

  /** Whether a session may be seen. Asked outside locks. */
  boolean shows(ListedSession session) {
    try {
      return visible.test(session);
    } catch (Throwable thrown) {
      // Errors too; and said once, since a list is long.
      if (!failed) {
        failed = true;
        ForeignCalls.log(
            "The application's visibility failed; what it fails for is hidden", thrown);
      }
      return false;
    }
  }
}
