package io.peerbroker.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.file.Path;

/** {@link SseReaders} in a process of its own. */
final class ReaderProcess implements AutoCloseable {

  private final Process process;
  private final PrintStream commands;
  private final BufferedReader answers;
  private long expected;

  ReaderProcess() throws IOException {
    process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                SseReaders.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    commands = new PrintStream(process.getOutputStream(), true, US_ASCII);
    answers = new BufferedReader(new InputStreamReader(process.getInputStream(), US_ASCII));
  }

  /** Opens one more stream. */
  void open(int port, String path) {
    commands.println("open " + port + " " + path);
  }

  /**
   * Waits until so many more events have been read.
   *
   * @throws IOException if they do not come within a minute, or others do
   */
  void await(long more) throws IOException {
    expected += more;
    commands.println("await " + expected);
    String read = answers.readLine();
    if (!String.valueOf(expected).equals(read)) {
      throw new IOException("Expected " + expected + " events to be read, not " + read);
    }
  }

  @Override
  public void close() {
    commands.close();
    process.onExit().join();
  }
}
