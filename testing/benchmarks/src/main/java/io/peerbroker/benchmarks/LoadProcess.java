package io.peerbroker.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** {@link RelayLoad} in a process of its own: the clients of one server. */
final class LoadProcess implements AutoCloseable {

  /** Longer than a load waits by itself for something to happen. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final ServerProcess server;
  private final Process process;
  private final PrintStream commands;
  private final BufferedReader answers;

  /**
   * What was measured while messages were sent.
   *
   * @param delivered how many messages arrived
   * @param nanos in which time
   * @param serverNanos the CPU time of the server in it
   * @param ownNanos the CPU time of the load's thread in it, without what it has spent in asking
   *     whether there is anything to do
   * @param p50 the median time from when a message was due until it arrived, in nanoseconds
   * @param p99 the time within which 99 % of the messages arrived
   * @param max the longest time
   * @param behind whether messages were not sent at all, since the server did not keep up
   */
  record Sent(
      long delivered,
      long nanos,
      long serverNanos,
      long ownNanos,
      long p50,
      long p99,
      long max,
      boolean behind) {

    double perSecond() {
      return delivered * 1e9 / nanos;
    }

    double serverNanosPerMessage() {
      return (double) serverNanos / delivered;
    }

    /** Returns which part of the time the server was busy. */
    double serverBusy() {
      return (double) serverNanos / nanos;
    }

    /** Returns which part of the time the load was busy. */
    double ownBusy() {
      return (double) ownNanos / nanos;
    }
  }

  LoadProcess(ServerProcess server, RelayOptions options, Cores cores) throws IOException {
    this.server = server;
    List<String> command = new ArrayList<>(cores.load());
    command.addAll(
        List.of(
            ServerProcess.java("java"),
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-cp",
            System.getProperty("java.class.path"),
            RelayLoad.class.getName(),
            server.kind().wire().name(),
            server.kind().mount(),
            "" + server.port(),
            "" + server.pid(),
            "" + options.messageBytes(),
            options.body().name()));
    process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    commands = new PrintStream(process.getOutputStream(), true, US_ASCII);
    answers = new BufferedReader(new InputStreamReader(process.getInputStream(), US_ASCII));
  }

  /** Opens more streams, and returns the CPU time of the server, in nanoseconds. */
  long open(int count) throws IOException, InterruptedException {
    return ask("open " + count, Duration.ofMillis(count))[0];
  }

  /**
   * Sends messages.
   *
   * @param before for how long, before it is measured
   * @param measured for how long it is measured
   * @param perSecond how many a second; 0 for one after the other on each connection
   */
  Sent send(int connections, Duration before, Duration measured, int perSecond)
      throws IOException, InterruptedException {
    long[] numbers =
        ask(
            "send %d %d %d %d"
                .formatted(connections, before.toMillis(), measured.toMillis(), perSecond),
            before.plus(measured).multipliedBy(2));
    return new Sent(
        numbers[0],
        numbers[1],
        numbers[2],
        numbers[3],
        numbers[4],
        numbers[5],
        numbers[6],
        numbers[7] != 0);
  }

  private long[] ask(String command, Duration takes) throws IOException, InterruptedException {
    commands.println(command);
    String answer;
    try {
      answer =
          CompletableFuture.supplyAsync(this::answer)
              .get(takes.plus(PATIENCE).toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      answer = "no answer: " + e;
    }
    if (!answer.matches("[0-9 ]+")) {
      throw new IOException(
          "'%s' on %s: %s. The server: %s"
              .formatted(command, server.kind().title(), answer, server.said()));
    }
    return Arrays.stream(answer.split(" ", -1)).mapToLong(Long::parseLong).toArray();
  }

  private String answer() {
    try {
      return String.valueOf(answers.readLine());
    } catch (IOException e) {
      return e.toString();
    }
  }

  @Override
  public void close() {
    commands.close();
    ServerProcess.awaitEnd(process);
  }
}
