package io.peerbroker.benchmarks;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A server in a process of its own. */
final class ServerProcess implements AutoCloseable {

  /** The same for each JVM: neither must the heap grow, nor the collector depend on the cores. */
  private static final List<String> JAVA_OPTIONS =
      List.of("-Xms2g", "-Xmx2g", "-Xmn128m", "-XX:+UseSerialGC");

  private static final Duration START = Duration.ofSeconds(60);
  private static final Duration END = Duration.ofSeconds(5);
  private static final Duration PROBE = Duration.ofMillis(50);
  private static final Pattern RESIDENT = Pattern.compile("VmRSS:\\s+(\\d+) kB");
  private static final Pattern TOTAL = Pattern.compile("Total\\s+\\d+\\s+(\\d+)");

  private final RelayServer kind;
  private final Process process;
  private final Path output;
  private final int port;

  private ServerProcess(RelayServer kind, Process process, Path output, int port) {
    this.kind = kind;
    this.process = process;
    this.output = output;
    this.port = port;
  }

  /**
   * Starts a server; it may not listen yet.
   *
   * @param directory for what it prints
   */
  static ServerProcess start(
      RelayServer kind, RelayOptions options, Cores cores, ServerFiles files, Path directory)
      throws IOException {
    List<String> java = new ArrayList<>();
    java.add(java("java"));
    java.addAll(JAVA_OPTIONS);
    java.addAll(options.serverOptions());
    java.add("-Djava.io.tmpdir=" + directory);
    int port = freePort();
    List<String> command = new ArrayList<>(cores.server());
    command.addAll(kind.command(port, options.streams(), java, files));
    Path output = directory.resolve(kind.title() + ".txt");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    return new ServerProcess(kind, process, output, port);
  }

  /** Returns the options that all servers' JVMs have. */
  static String javaOptions(RelayOptions options) {
    return (String.join(" ", JAVA_OPTIONS) + " " + String.join(" ", options.serverOptions()))
        .strip();
  }

  /** Returns a program of the JDK that runs this one. */
  static String java(String program) {
    return Path.of(System.getProperty("java.home"), "bin", program).toString();
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** Waits until it takes connections. */
  void awaitListening() throws IOException, InterruptedException {
    long deadline = System.nanoTime() + START.toNanos();
    while (!listens()) {
      boolean ended = process.waitFor(PROBE.toMillis(), TimeUnit.MILLISECONDS);
      if (ended || System.nanoTime() > deadline) {
        throw new IOException(
            "The server %s did not come up within %d s. %s"
                .formatted(kind.title(), START.toSeconds(), said()));
      }
    }
  }

  private boolean listens() {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  RelayServer kind() {
    return kind;
  }

  int port() {
    return port;
  }

  long pid() {
    return process.pid();
  }

  /** Returns what it printed last. */
  String said() throws IOException {
    List<String> lines =
        Files.readString(output, StandardCharsets.UTF_8).lines().map(String::strip).toList();
    return (process.isAlive() ? "It runs" : "It ended with " + process.exitValue())
        + (lines.isEmpty()
            ? " and has printed nothing."
            : ", and printed last: "
                + String.join(" / ", lines.subList(Math.max(0, lines.size() - 10), lines.size())));
  }

  /** Returns the CPU time of a process so far, in nanoseconds. */
  static long cpuNanos(long pid) {
    return ProcessHandle.of(pid)
        .flatMap(handle -> handle.info().totalCpuDuration())
        .map(Duration::toNanos)
        .orElse(0L);
  }

  /**
   * What it takes of the memory after a full collection.
   *
   * @param resident bytes of the process that are in memory; 0 if the system does not say
   * @param heap bytes of live objects; 0 if it is no JVM, or there is no {@code jcmd} to ask it
   *     with
   */
  record Memory(long resident, long heap) {}

  Memory memory() throws IOException, InterruptedException {
    // Never ask what is no JVM: jcmd sends a signal that would end it.
    long heap = kind.isJvm() && Files.isExecutable(Path.of(java("jcmd"))) ? heap() : 0;
    Path status = Path.of("/proc/" + pid() + "/status");
    long resident = 0;
    if (Files.isReadable(status)) {
      Matcher matcher = RESIDENT.matcher(Files.readString(status, StandardCharsets.UTF_8));
      resident = matcher.find() ? Long.parseLong(matcher.group(1)) << 10 : 0;
    }
    return new Memory(resident, heap);
  }

  /** Counts the live objects, for which the JVM makes a full collection. */
  private long heap() throws IOException, InterruptedException {
    Process asking =
        new ProcessBuilder(java("jcmd"), "" + pid(), "GC.class_histogram")
            .redirectErrorStream(true)
            .start();
    try {
      String answer = new String(asking.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      Matcher total = TOTAL.matcher(answer);
      return total.find() ? Long.parseLong(total.group(1)) : 0;
    } finally {
      asking.destroyForcibly().waitFor();
    }
  }

  /** Ends it. */
  @Override
  public void close() {
    process.destroy();
    awaitEnd(process);
  }

  /** Waits a while until a process has ended, and then kills it. */
  static void awaitEnd(Process process) {
    try {
      if (!process.waitFor(END.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly().waitFor(END.toMillis(), TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
