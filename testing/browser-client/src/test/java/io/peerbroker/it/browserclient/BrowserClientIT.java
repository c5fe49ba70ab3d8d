package io.peerbroker.it.browserclient;

import static java.util.Objects.requireNonNull;

import io.peerbroker.it.common.Needed;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@DisplayName("The browser client passes its own tests")
@Timeout(value = 25, unit = TimeUnit.MINUTES)
final class BrowserClientIT {

  private static final Path CLIENT = Path.of(requireNonNull(System.getProperty("client.folder")));
  private static final String JAR = requireNonNull(System.getProperty("broker.server.jar"));

  @BeforeAll
  static void install() throws Exception {
    Needed.program("node", "nodejs");
    Needed.program("npm", "npm");
    Path installed = CLIENT.resolve("node_modules/.package-lock.json");
    Path lock = CLIENT.resolve("package-lock.json");
    if (!Files.exists(installed)
        || Files.getLastModifiedTime(installed).compareTo(Files.getLastModifiedTime(lock)) < 0) {
      npm(Duration.ofMinutes(4), "ci", "--no-audit", "--no-fund", "--ignore-scripts");
    }
  }

  @Test
  @DisplayName("types, logic, sizes, and calls in Chromium over a broker that is simulated")
  void alone() throws Exception {
    npm(Duration.ofMinutes(5), "test");
  }

  @Test
  @DisplayName("Node.js, Chromium and Firefox with the runnable broker")
  void withTheBroker() throws Exception {
    npm(Duration.ofMinutes(20), "run", "real");
  }

  @Test
  @DisplayName("what the documents show, in Chromium and Node.js with the runnable broker")
  void documents() throws Exception {
    npm(Duration.ofMinutes(5), "run", "docs");
  }

  /** Runs npm, and prints what it prints: its figures are results too. */
  private static void npm(Duration bound, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("npm"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(command).directory(CLIENT.toFile()).redirectErrorStream(true);
    Map<String, String> environment = builder.environment();
    environment.put("PEERBROKER_JAR", JAR);
    // The JVM of this build is the broker's
    environment.merge(
        "PATH",
        Path.of(System.getProperty("java.home"), "bin").toString(),
        (path, bin) -> bin + File.pathSeparator + path);
    List<String> output = new CopyOnWriteArrayList<>();
    Process process = builder.start();
    Thread reader = new Thread(() -> print(process, output), "output of npm");
    reader.setDaemon(true);
    reader.start();
    boolean ended = process.waitFor(bound.toSeconds(), TimeUnit.SECONDS);
    if (!ended) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    reader.join(10_000);
    if (!ended || process.exitValue() != 0) {
      throw new AssertionError(
          String.join(" ", command)
              + (ended ? " failed" : " has not ended in " + bound)
              + ":\n"
              + String.join("\n", output));
    }
  }

  private static void print(Process process, List<String> output) {
    try (var lines = process.inputReader()) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        output.add(line);
        System.out.println(line);
      }
    } catch (IOException ended) {
      output.add(ended.toString());
    }
  }
}
