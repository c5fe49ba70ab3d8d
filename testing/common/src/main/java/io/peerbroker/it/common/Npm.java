package io.peerbroker.it.common;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/** The package manager of Node.js, for tests of what is written in JavaScript. */
public final class Npm {

  private static final Duration INSTALLATION = Duration.ofMinutes(4);

  private Npm() {}

  /**
   * Installs the packages that the lock of a folder names, unless that has been done. A test
   * without Node.js is left out.
   */
  public static void install(Path folder) throws Exception {
    Needed.program("node", "nodejs");
    Needed.program("npm", "npm");
    Path installed = folder.resolve("node_modules/.package-lock.json");
    Path lock = folder.resolve("package-lock.json");
    if (!Files.exists(installed)
        || Files.getLastModifiedTime(installed).compareTo(Files.getLastModifiedTime(lock)) < 0) {
      run(folder, Map.of(), INSTALLATION, "ci", "--no-audit", "--no-fund", "--ignore-scripts");
    }
  }

  /**
   * Runs npm in a folder, and prints what it prints: its figures are results too.
   *
   * @param environment what is set beside this process's own variables
   * @throws AssertionError if npm fails, or has not ended within the bound
   */
  public static void run(
      Path folder, Map<String, String> environment, Duration bound, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("npm"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Queue<String> output = new ConcurrentLinkedQueue<>();
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

  private static void print(Process process, Queue<String> output) {
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
