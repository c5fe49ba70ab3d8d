package io.peerbroker.it.clients;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** What a test needs on the machine it runs on. */
final class Needed {

  private Needed() {}

  /** Skips the test where it is not there; in CI the test fails. */
  static void require(boolean there, String what) {
    if ("true".equals(System.getenv("CI"))) {
      if (!there) {
        throw new AssertionError("Not there in CI: " + what);
      }
    } else {
      assumeTrue(there, "needs " + what);
    }
  }
}
