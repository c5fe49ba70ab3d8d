package io.peerbroker.core;

import java.security.Principal;
import org.jspecify.annotations.Nullable;

/**
 * The originator of a call to the broker, by which an {@link AccessPolicy} decides.
 *
 * <p>An adapter creates one for each request; JVM code passes its own. A watch keeps its caller for
 * as long as it lives and asks the policy about it again ({@link Broker#recheck()}), so an
 * implementation must stay valid after its request has ended. Used by many threads.
 */
public interface Caller {

  /** Returns the user that has logged in, or null if there is none. */
  @Nullable Principal principal();

  /** Returns a caller of which only the login is known; the login may be null. */
  static Caller of(@Nullable Principal principal) {
    return new LoggedIn(principal);
  }

  /**
   * Returns the application itself: code in this JVM that bypasses the access policy. Code that
   * uses a {@link Broker} without {@link Broker#forCaller} is trusted.
   */
  static Caller trusted() {
    return TrustedCaller.INSTANCE;
  }
}
