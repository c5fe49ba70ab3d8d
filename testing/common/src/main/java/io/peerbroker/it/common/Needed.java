package io.peerbroker.it.common;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/**
 * What a test needs on the machine that it runs on. Where it is missing the test is left out and
 * says why; in CI the test fails.
 */
public final class Needed {

  private Needed() {}

  /**
   * Returns where a program is.
   *
   * @param debianPackage what it comes with
   */
  public static String program(String name, String debianPackage) {
    // What only root starts is often not on the path of others
    Stream<String> folders =
        Stream.concat(
            Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator, -1)),
            Stream.of("/usr/sbin", "/usr/local/sbin"));
    String program =
        folders
            .map(folder -> Path.of(folder, name))
            .filter(file -> Files.isExecutable(file) && Files.isRegularFile(file))
            .map(Path::toString)
            .findFirst()
            .orElse("");
    require(!program.isEmpty(), name + " (Debian: apt-get install " + debianPackage + ")");
    return program;
  }

  /** Leaves the test out unless something is there; in CI the test fails. */
  public static void require(boolean there, String what) {
    if (System.getenv("CI") != null && !there) {
      throw new AssertionError("Missing in CI: " + what);
    }
    Assumptions.assumeTrue(there, "Missing: " + what);
  }
}
