package io.peerbroker.it.docs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Programs that readers start from their shell. */
final class Shell {

  private Shell() {}

  /**
   * Returns what commands print when they are pasted into an interactive bash, one that expands
   * {@code !} as a reader's does. Processes that they leave running are ended.
   */
  static String paste(Path folder, String commands) throws Exception {
    ProcessBuilder builder = new ProcessBuilder("bash", "--norc", "--noprofile", "-i");
    builder.directory(folder.toFile());
    builder.environment().putAll(Map.of("HISTFILE", "", "PS1", "", "PS2", ""));
    File said = folder.resolve("stderr").toFile();
    builder.redirectError(said);
    Process bash = builder.start();
    try (var in = bash.outputWriter(UTF_8)) {
      in.write(commands);
      in.write("\nkill $(jobs -p)\nexit\n");
    }
    return output(bash, 120);
  }

  /** Returns what a program prints; it must end well. */
  static String run(Path folder, List<String> command) throws Exception {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.directory(folder.toFile()).redirectErrorStream(true);
    Process process = builder.start();
    process.getOutputStream().close();
    String said = output(process, 240);
    assertThat(process.exitValue()).as("%s says%n%s", command, said).isZero();
    return said;
  }

  private static String output(Process process, int seconds) throws Exception {
    var reader =
        new Object() {
          private volatile String text = "";
        };
    Thread reading =
        new Thread(
            () -> {
              try {
                reader.text = new String(process.getInputStream().readAllBytes(), UTF_8);
              } catch (IOException e) {
                reader.text = e.toString();
              }
            });
    reading.setDaemon(true);
    reading.start();
    if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor();
      reading.join(5_000);
      throw new AssertionError("It did not end within " + seconds + " s; it says\n" + reader.text);
    }
    reading.join(30_000);
    return reader.text;
  }
}
