package io.peerbroker.benchmarks;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Runs the named benchmarks, and prints their results as Markdown. */
public final class Benchmarks {

  private static final Map<String, Benchmark> ALL = new LinkedHashMap<>();

  static {
    ALL.put("query", new QueryBenchmark());
    ALL.put("change", new ChangeBenchmark());
    ALL.put("fanout", new FanOutBenchmark());
    ALL.put("memory", new MemoryBenchmark());
    ALL.put("create", new CreateBenchmark());
    ALL.put("snapshot", new SnapshotBenchmark());
    ALL.put("walkers", new WalkersBenchmark());
    ALL.put("worst", new WorstBenchmark());
    ALL.put("message", new MessageBenchmark());
    ALL.put("relay", new RelayBenchmark());
  }

  private Benchmarks() {}

  /**
   * Runs benchmarks.
   *
   * @param args their names, all if there is none, and the numbers of listed sessions (1000, 10000,
   *     100000 and 1000000 if there is none), and {@link RelayOptions} as {@code name=value}; or
   *     {@code smoke}, to see whether they run at all
   */
  public static void main(String[] args) throws Exception {
    List<String> names = new ArrayList<>();
    TreeSet<Integer> sizes = new TreeSet<>();
    Scale scale = Arrays.asList(args).contains("smoke") ? Scale.smoke() : Scale.full();
    for (String arg : args) {
      if (ALL.containsKey(arg)) {
        names.add(arg);
      } else if (arg.matches("[1-9][0-9]{2,6}")) {
        sizes.add(Integer.parseInt(arg));
      } else if (arg.contains("=")) {
        int name = arg.indexOf('=');
        try {
          scale =
              scale.withRelay(scale.relay().with(arg.substring(0, name), arg.substring(name + 1)));
        } catch (IllegalArgumentException e) {
          refuse(String.valueOf(e.getMessage()));
        }
      } else if (!arg.equals("smoke")) {
        refuse(
            "Not a benchmark, nor a number of sessions from 100 to 9999999: "
                + arg
                + ". The benchmarks are "
                + ALL.keySet()
                + "; 'smoke' runs them with next to nothing.");
      }
    }
    if (!sizes.isEmpty()) {
      scale = scale.withSizes(List.copyOf(sizes));
    }
    run(names.isEmpty() ? List.copyOf(ALL.keySet()) : names, scale, new Report(System.out));
    // Jetty's threads, or a reader's, must not keep the process after a failure
    System.exit(0);
  }

  private static void refuse(String why) {
    System.err.println(why);
    System.exit(2);
  }

  /** Runs the benchmarks with these names. */
  static void run(List<String> names, Scale scale, Report report) throws Exception {
    report.text(machine());
    for (String name : names) {
      Benchmark benchmark = ALL.get(name);
      if (benchmark == null) {
        throw new IllegalArgumentException("There is no benchmark " + name);
      }
      long begun = System.nanoTime();
      benchmark.run(scale, report);
      report.text(
          "\n`%s` took %s s.".formatted(name, Report.number((System.nanoTime() - begun) / 1e9)));
    }
  }

  private static String machine() throws IOException {
    Runtime runtime = Runtime.getRuntime();
    return "%s; %s; %d processors; JDK %s; heap of at most %d MiB; load before the run %s."
        .formatted(
            LocalDate.now(ZoneOffset.UTC),
            cpuModel(),
            runtime.availableProcessors(),
            Runtime.version(),
            runtime.maxMemory() >> 20,
            Report.number(ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage()));
  }

  private static String cpuModel() throws IOException {
    Path info = Path.of("/proc/cpuinfo");
    if (!Files.isReadable(info)) {
      return System.getProperty("os.arch");
    }
    return Files.readString(info, StandardCharsets.UTF_8)
        .lines()
        .filter(line -> line.startsWith("model name"))
        .map(line -> line.substring(line.indexOf(':') + 1).trim())
        .findFirst()
        .orElse(System.getProperty("os.arch"));
  }
}
