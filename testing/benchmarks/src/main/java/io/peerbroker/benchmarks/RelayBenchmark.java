package io.peerbroker.benchmarks;

import com.sun.management.UnixOperatingSystemMXBean;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What does it cost to relay a message from one of many idle streams to another, over real sockets?
 * Beside a bare servlet in the same container that checks nothing.
 *
 * <p>Each server is a process of its own, and so are its clients. All are there from beginning to
 * end; they are measured in turn, again and again, and the ratio of two servers is that of two
 * measurements which follow each other.
 */
final class RelayBenchmark implements Benchmark {

  /** The load must be below this part of a processor, or it is what limits a server. */
  private static final double BUSY = 0.8;

  /** In so many steps the second half of the streams is opened. */
  private static final int STEPS = 5;

  /** Before each measurement, and after the one of another server: the caches are cold then. */
  private static final double LEAD = 0.2;

  /** Connections for the open loops: a slow answer must not hold up the next message. */
  private static final int OPEN_LOOP_CONNECTIONS = 256;

  /** File descriptors beside those of the connections. */
  private static final int OTHER_FILES = 400;

  /** A server with its clients. */
  private record Side(ServerProcess server, LoadProcess load) {

    String title() {
      return server.kind().title();
    }
  }

  /** What a side took, round by round. */
  private record Rounds<T>(Side side, List<T> values) {

    double[] each(ToDoubleFunction<T> figure) {
      return values.stream().mapToDouble(figure).toArray();
    }
  }

  /** Does something with a server. */
  @FunctionalInterface
  private interface Step<T> {
    T run(Side side) throws IOException, InterruptedException;
  }

  @Override
  public void run(Scale scale, Report report) throws Exception {
    RelayOptions options = scale.relay();
    requireFiles(options);
    Path directory = Files.createTempDirectory("relay");
    Deque<AutoCloseable> running = new ConcurrentLinkedDeque<>();
    Thread end = new Thread(() -> close(running), "end of the relays");
    Runtime.getRuntime().addShutdownHook(end);
    try {
      measure(options, report, directory, running);
    } finally {
      close(running);
      Runtime.getRuntime().removeShutdownHook(end);
      delete(directory);
    }
  }

  /** Ends the processes, the last one first. Two threads may do so at the same time. */
  private static void close(Deque<AutoCloseable> running) {
    for (AutoCloseable process; (process = running.poll()) != null; ) {
      try {
        process.close();
      } catch (Exception e) {
        System.err.println("A process did not end: " + e);
      }
    }
  }

  private static <C extends AutoCloseable> C started(Deque<AutoCloseable> running, C process) {
    running.push(process);
    return process;
  }

  private static void requireFiles(RelayOptions options) {
    int needed =
        options.streams() + Math.max(options.connections(), OPEN_LOOP_CONNECTIONS) + OTHER_FILES;
    if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system
        && system.getMaxFileDescriptorCount() < needed) {
      throw new IllegalStateException(
          "%,d streams need %,d file descriptors in a process, and 'ulimit -n' permits %,d: raise"
                  .formatted(options.streams(), needed, system.getMaxFileDescriptorCount())
              + " it, or ask for fewer with streams=1000");
    }
  }

  private static void measure(
      RelayOptions options, Report report, Path directory, Deque<AutoCloseable> running)
      throws IOException, InterruptedException {
    Cores cores = Cores.apart();
    ServerFiles files = new ServerFiles(directory);
    List<Side> sides = new ArrayList<>();
    for (RelayServer kind : options.servers()) {
      ServerProcess server =
          started(running, ServerProcess.start(kind, options, cores, files, directory));
      sides.add(new Side(server, started(running, new LoadProcess(server, options, cores))));
    }
    for (Side side : sides) {
      side.server().awaitListening();
    }
    report.text(
        "%,d streams, messages of %,d bytes, bodies %s. %s The servers' JVMs: `%s`."
            .formatted(
                options.streams(),
                options.messageBytes(),
                options.body().name().toLowerCase(Locale.ROOT),
                cores.description(),
                ServerProcess.javaOptions(options)));

    int half = options.streams() / 2;
    for (Side side : sides) {
      side.load().open(half);
    }
    for (Side side : sides) {
      side.load().send(options.connections(), Duration.ZERO, options.warmUp(), 0);
    }
    open(sides, half, options.streams() - half, report);
    loop(sides, options, options.connections(), 0, report);
    for (int rate : options.rates()) {
      loop(sides, options, OPEN_LOOP_CONNECTIONS, rate, report);
    }
  }

  /** Opens the second half of the streams. */
  private static void open(List<Side> sides, int before, int count, Report report)
      throws IOException, InterruptedException {
    List<ServerProcess.Memory> first = new ArrayList<>();
    for (Side side : sides) {
      first.add(side.server().memory());
    }
    int step = Math.max(1, count / STEPS);
    List<Rounds<Double>> opened =
        inTurn(sides, count / step, side -> (double) side.load().open(step) / step);
    report.table(
        "Opening a stream beside %,d others".formatted(before),
        "server",
        "CPU µs",
        "lowest to highest",
        "compared with",
        "times its CPU",
        "heap, kB for each",
        "resident, kB for each");
    int more = count / step * step;
    for (int i = 0; i < sides.size(); i++) {
      Rounds<Double> own = opened.get(i);
      Rounds<Double> other = yardstick(opened, own);
      ServerProcess.Memory now = own.side().server().memory();
      report.row(
          own.side().title(),
          median(own, cpu -> cpu / 1e3),
          range(own, cpu -> cpu / 1e3),
          other.side().title(),
          ratio(own, other, cpu -> cpu),
          kilobytes(now.heap() - first.get(i).heap(), more),
          kilobytes(now.resident() - first.get(i).resident(), more));
    }
  }

  private static String kilobytes(long bytes, int streams) {
    return bytes <= 0 ? "-" : Report.number(bytes / 1e3 / streams);
  }

  private static void loop(
      List<Side> sides, RelayOptions options, int connections, int rate, Report report)
      throws IOException, InterruptedException {
    Duration lead = Duration.ofMillis(Math.round(LEAD * options.round().toMillis()));
    List<Rounds<LoadProcess.Sent>> all =
        inTurn(
            sides,
            options.rounds(),
            side -> side.load().send(connections, lead, options.round(), rate));
    List<String> columns =
        new ArrayList<>(
            rate == 0
                ? List.of("server", "messages/s", "lowest to highest", "compared with", "times its")
                : List.of(
                    "server", "p50 µs", "p99 µs", "max µs", "compared with", "times its p50"));
    columns.addAll(List.of("CPU µs for each", "times its CPU", "server busy", "load busy"));
    report.table(
        rate == 0
            ? "Closed loop: %,d connections, one message under way on each".formatted(connections)
            : "Open loop: %,d messages a second".formatted(rate),
        columns.toArray(String[]::new));
    List<String> remarks = new ArrayList<>();
    for (Rounds<LoadProcess.Sent> own : all) {
      Rounds<LoadProcess.Sent> other = yardstick(all, own);
      List<String> row = new ArrayList<>();
      row.add(own.side().title());
      if (rate == 0) {
        row.add(median(own, LoadProcess.Sent::perSecond));
        row.add(range(own, LoadProcess.Sent::perSecond));
        row.add(other.side().title());
        row.add(ratio(own, other, LoadProcess.Sent::perSecond));
      } else {
        row.add(median(own, sent -> sent.p50() / 1e3));
        row.add(median(own, sent -> sent.p99() / 1e3));
        row.add(median(own, sent -> sent.max() / 1e3));
        row.add(other.side().title());
        row.add(ratio(own, other, LoadProcess.Sent::p50));
      }
      row.add(median(own, sent -> sent.serverNanosPerMessage() / 1e3));
      row.add(ratio(own, other, LoadProcess.Sent::serverNanosPerMessage));
      row.add(percent(own, LoadProcess.Sent::serverBusy));
      row.add(percent(own, LoadProcess.Sent::ownBusy));
      report.row(row.toArray(String[]::new));
      remark(own, remarks);
    }
    report.text("");
    for (String remark : remarks) {
      report.text(remark);
    }
  }

  private static void remark(Rounds<LoadProcess.Sent> of, List<String> remarks) {
    if (median(of.each(LoadProcess.Sent::ownBusy)) > BUSY) {
      remarks.add(
          "**The load of %s was busy for more than %d %% of the time: it, and not the server, may be"
                  .formatted(of.side().title(), Math.round(100 * BUSY))
              + " the limit. Compare the CPU for each message.**");
    }
    long behind = of.values().stream().filter(LoadProcess.Sent::behind).count();
    if (behind > 0) {
      remarks.add(
          "**%s did not keep up with the rate in %d of %d rounds.**"
              .formatted(of.side().title(), behind, of.values().size()));
    }
  }

  /** Does something with all servers in turn, again and again. */
  private static <T> List<Rounds<T>> inTurn(List<Side> sides, int rounds, Step<T> step)
      throws IOException, InterruptedException {
    List<Rounds<T>> all =
        sides.stream().map(side -> new Rounds<T>(side, new ArrayList<>())).toList();
    for (int round = 0; round < rounds; round++) {
      for (Rounds<T> each : all) {
        each.values().add(step.run(each.side()));
      }
    }
    return all;
  }

  private static <T> Rounds<T> yardstick(List<Rounds<T>> all, Rounds<T> of) {
    List<RelayServer> kinds = all.stream().map(each -> each.side().server().kind()).toList();
    return all.get(kinds.indexOf(of.side().server().kind().yardstick(kinds)));
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  private static <T> String median(Rounds<T> of, ToDoubleFunction<T> figure) {
    return Report.number(median(of.each(figure)));
  }

  private static <T> String percent(Rounds<T> of, ToDoubleFunction<T> part) {
    return Math.round(100 * median(of.each(part))) + " %";
  }

  private static <T> String range(Rounds<T> of, ToDoubleFunction<T> figure) {
    return range(of.each(figure));
  }

  private static String range(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return Report.number(sorted[0]) + " to " + Report.number(sorted[sorted.length - 1]);
  }

  /** Returns the median and the range of the ratios, round by round. */
  private static <T> String ratio(Rounds<T> own, Rounds<T> other, ToDoubleFunction<T> figure) {
    double[] mine = own.each(figure);
    double[] others = other.each(figure);
    double[] ratios =
        IntStream.range(0, mine.length)
            .filter(i -> others[i] > 0)
            .mapToDouble(i -> mine[i] / others[i])
            .toArray();
    if (ratios.length == 0) {
      // The rounds are too short for the system's clock.
      return "-";
    }
    return "**%s** (%s)".formatted(Report.number(median(ratios)), range(ratios));
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
    }
  }
}
