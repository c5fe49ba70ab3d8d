package io.peerbroker.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.sun.management.OperatingSystemMXBean;
import io.peerbroker.core.Broker;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.core.TagFilter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.ToDoubleFunction;

/**
 * How soon does a watch begin, and how long does its snapshot take over a real socket? Beside the
 * same number of bytes written to a plain socket in pieces of 8 KiB.
 *
 * <p>Server and reader share the process; the reader's own CPU time is taken off.
 */
final class SnapshotBenchmark implements Benchmark {

  private static final OperatingSystemMXBean PROCESS =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

  private static final String LAST = "last";
  private static final int PIECE = 8 << 10;

  @Override
  public void run(Scale scale, Report report) throws Exception {
    report.table(
        "Snapshot: a watch over a socket",
        "filter",
        "sessions",
        "of them passed",
        "first byte ms",
        "first session ms",
        "slowest first session ms",
        "whole ms",
        "MB",
        "server's CPU µs for each event",
        "plain socket, ms",
        "whole / plain");
    for (int size : scale.sizes()) {
      Broker broker = Population.broker();
      Population.list(broker, 0, size - 1, Population::spec);
      Population.openChannel(broker).openSession(SessionSpec.listed(LAST));
      try (WebServer server = new WebServer(broker)) {
        read(scale, report, broker, server.port(), size, "none", "");
        String frequent = Population.tag(0) + ",!" + Population.tag(1);
        read(scale, report, broker, server.port(), size, "a frequent tag, not another", frequent);
        read(scale, report, broker, server.port(), size, "a tag of the last session alone", LAST);
      }
    }
  }

  private static void read(
      Scale scale, Report report, Broker broker, int port, int size, String name, String filter)
      throws Exception {
    List<SnapshotReader> begun = new ArrayList<>();
    List<SnapshotReader> whole = new ArrayList<>();
    for (int i = 0; i < 2 * scale.rounds(); i++) {
      begun.add(SnapshotReader.read(port, filter, SnapshotReader.Until.FIRST_ADD));
    }
    // The first is to warm up
    begun.remove(0);
    SnapshotReader.read(port, filter, SnapshotReader.Until.READY);
    long cpu = PROCESS.getProcessCpuTime();
    long ends = System.nanoTime() + 10 * scale.round().toNanos();
    do {
      whole.add(SnapshotReader.read(port, filter, SnapshotReader.Until.READY));
    } while (System.nanoTime() < ends || whole.size() < Math.min(3, scale.rounds()));
    cpu = PROCESS.getProcessCpuTime() - cpu;
    long readers = whole.stream().mapToLong(SnapshotReader::cpuNanos).sum();
    long passed = count(broker, TagFilter.parse(filter));
    long bytes = whole.get(0).bytes();
    double toReady = median(whole, SnapshotReader::toReady);
    double plain = plain(scale, bytes);
    report.row(
        name,
        Report.count(size),
        Report.count(passed),
        Report.millis(median(begun, SnapshotReader::toHeaders)),
        Report.millis(median(begun, SnapshotReader::toAdd)),
        Report.millis(begun.stream().mapToDouble(SnapshotReader::toAdd).max().orElse(0)),
        Report.millis(toReady),
        Report.number(bytes / 1e6),
        Report.micros((double) (cpu - readers) / whole.size() / (passed + 1)),
        Report.millis(plain),
        Report.number(toReady / plain));
  }

  private static long count(Broker broker, TagFilter filter) {
    var watching = CountingTransport.watch(broker, filter);
    long events = 0;
    while (!watching.reader().isComplete()) {
      events += watching.reader().takeOne() ? 1 : 0;
    }
    watching.watch().close();
    return events - 1;
  }

  /** Returns how long as many bytes take from a server that only writes. */
  private static double plain(Scale scale, long bytes) throws Exception {
    List<SnapshotReader> read = new ArrayList<>();
    byte[] piece = new byte[PIECE];
    Arrays.fill(piece, (byte) ' ');
    byte[] end = "\nevent: ready\n\n".getBytes(US_ASCII);
    for (int i = 0; i < scale.rounds(); i++) {
      try (PlainServer server = new PlainServer("")) {
        var writing = CompletableFuture.runAsync(() -> write(server, bytes, piece, end));
        read.add(SnapshotReader.read(server.port(), "", SnapshotReader.Until.READY));
        writing.get();
      }
    }
    return median(read, SnapshotReader::toReady);
  }

  private static void write(PlainServer server, long bytes, byte[] piece, byte[] end) {
    try {
      server.accept(1);
      for (long written = 0; written + piece.length < bytes; written += piece.length) {
        server.write(piece);
      }
      server.write(end);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static double median(List<SnapshotReader> read, ToDoubleFunction<SnapshotReader> figure) {
    return read.stream().mapToDouble(figure).sorted().skip(read.size() / 2).findFirst().orElse(0);
  }
}
