package io.peerbroker.it.browserclient;

import static java.util.Objects.requireNonNull;

import io.peerbroker.it.common.Npm;
import java.io.File;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@DisplayName("The browser client passes its own tests")
@Timeout(value = 40, unit = TimeUnit.MINUTES)
final class BrowserClientIT {

  private static final Path CLIENT = Path.of(requireNonNull(System.getProperty("client.folder")));

  /** Calls for each figure and each pairing of browsers: enough to see a fault, not to measure. */
  private static final String TIMES = System.getenv().getOrDefault("PEERBROKER_TIMES", "3");

  /** The JVM of this build is the broker's. */
  private static final Map<String, String> ENVIRONMENT =
      Map.of(
          "PEERBROKER_TIMES",
          TIMES,
          "PEERBROKER_JAR",
          requireNonNull(System.getProperty("broker.server.jar")),
          "PATH",
          Path.of(System.getProperty("java.home"), "bin")
              + File.pathSeparator
              + System.getenv("PATH"));

  @BeforeAll
  static void install() throws Exception {
    Npm.install(CLIENT);
  }

  @Test
  @DisplayName("types, logic, sizes, and calls in Chromium over a broker that is simulated")
  void alone() throws Exception {
    npm(Duration.ofMinutes(5), "test");
  }

  @Test
  @DisplayName("Node.js, Chromium and Firefox with the runnable broker")
  void withTheBroker() throws Exception {
    npm(Duration.ofMinutes(30), "run", "real");
  }

  @Test
  @DisplayName("what the documents show, in Chromium and Node.js with the runnable broker")
  void documents() throws Exception {
    npm(Duration.ofMinutes(5), "run", "docs");
  }

  private static void npm(Duration bound, String... arguments) throws Exception {
    Npm.run(CLIENT, ENVIRONMENT, bound, arguments);
  }
}
