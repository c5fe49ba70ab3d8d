package io.peerbroker.core;

import java.security.Principal;
import org.jspecify.annotations.Nullable;

/**
 * Who asks the broker for something: what an {@link AccessPolicy} decides by.
 *
 * <p>An adapter makes one of each request; JVM code hands in what it likes. A watch keeps its
 * caller for as long as it lives, and asks the policy about it again ({@link Broker#recheck()}), so
 * an implementation must not go stale with the request that it stands for. Used by many threads.
 */
public interface Caller {

  /** Who has logged in, or null where nobody has. */
  @Nullable Principal principal();

  /** A caller of whom nothing is known but its login, if it has one. */
  static Caller of(@Nullable Principal principal) {
    return new LoggedIn(principal);
  }

  /**
   * The application itself: code in this JVM that nobody checks. The policy is not asked about it.
   * What acts through a {@link Broker} without {@link Broker#as} is trusted.
   */
  static Caller trusted() {
    return TrustedCaller.INSTANCE;
  }
}
