package io.peerbroker.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The packaged jar, as a process of its own. */
final class BrokerProcess implements AutoCloseable {

  private static final String LISTENING = "listening on ";

  final List<String> out = new CopyOnWriteArrayList<>();
  final List<String> err = new CopyOnWriteArrayList<>();
  private final Process process;
  private final List<Thread> readers;
  private final CountDownLatch listening = new CountDownLatch(1);

  private BrokerProcess(Process process) {
    this.process = process;
    readers = List.of(collect(process.inputReader(), out), collect(process.errorReader(), err));
  }

  /** Runs {@code java -jar broker-server.jar} with these arguments. */
  static BrokerProcess run(String... arguments) {
    return start(List.of("-jar", jar()), arguments);
  }

  /** Runs another main class of the same jar. */
  static BrokerProcess run(Class<?> main, String... arguments) {
    return start(List.of("-cp", jar(), main.getName()), arguments);
  }

  private static String jar() {
    String jar = System.getProperty("broker.server.jar");
    assertThat(jar).as("the system property broker.server.jar, set by the build").isNotNull();
    assertThat(Path.of(jar)).exists();
    return jar;
  }

  private static BrokerProcess start(List<String> what, String... arguments) {
    var command = new ArrayList<String>();
    command.add(ProcessHandle.current().info().command().orElse("java"));
    command.addAll(what);
    command.addAll(List.of(arguments));
    try {
      return new BrokerProcess(new ProcessBuilder(command).start());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The address of {@code /}, once it listens. */
  URI awaitListening() {
    await()
        .atMost(Duration.ofSeconds(30))
        .failFast(() -> assertThat(process.isAlive()).as("running; says %s", err).isTrue())
        .until(() -> out.stream().anyMatch(line -> line.startsWith(LISTENING)));
    String line = out.stream().filter(each -> each.startsWith(LISTENING)).findFirst().orElseThrow();
    return URI.create(line.substring(LISTENING.length()));
  }

  /** Waits for so long that it listens; returns in any case. */
  void awaitListening(Duration atMost) throws InterruptedException {
    var unused = listening.await(atMost.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** Waits until the whole output of an ended process is there. */
  void awaitOutput() throws InterruptedException {
    for (Thread reader : readers) {
      reader.join();
    }
  }

  /** Waits for the end, and returns the exit code. */
  int awaitExit(Duration atMost) throws InterruptedException {
    assertThat(process.waitFor(atMost.toMillis(), TimeUnit.MILLISECONDS))
        .as("ended within %s", atMost)
        .isTrue();
    return process.exitValue();
  }

  /** Asks it to end (SIGTERM). */
  void terminate() {
    // The process's own method would close its output, and lose its last lines.
    process.toHandle().destroy();
  }

  @Override
  public void close() {
    process.destroyForcibly();
    process.onExit().join();
  }

  private Thread collect(BufferedReader text, List<String> lines) {
    var reader =
        new Thread(
            () -> {
              try {
                text.lines().forEach(line -> add(line, lines));
              } catch (UncheckedIOException closed) {
                // The process has been ended by force.
              }
            },
            "output");
    reader.setDaemon(true);
    reader.start();
    return reader;
  }

  private void add(String line, List<String> lines) {
    lines.add(line);
    if (line.startsWith(LISTENING)) {
      listening.countDown();
    }
  }
}
