package io.peerbroker.it.docs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Assumptions;

/** Programs that the tests need. */
final class Needed {

  private Needed() {}

  /** Skips the test if there is no such program, except in CI. */
  static void program(String name) {
    if (System.getenv("CI") != null) {
      assertThat(Shell.has(name)).as("%s is on the path", name).isTrue();
    }
    Assumptions.assumeTrue(Shell.has(name), name + " is not on the path");
  }
}
