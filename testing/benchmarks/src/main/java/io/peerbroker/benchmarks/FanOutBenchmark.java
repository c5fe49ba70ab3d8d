package io.peerbroker.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.management.OperatingSystemMXBean;
import io.peerbroker.core.Broker;
import io.peerbroker.core.Json;
import io.peerbroker.core.Session;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.core.SessionUpdate;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.function.IntFunction;

/**
 * What does it cost to send one change to 1,000 watchers over server-sent events, in a real Jetty?
 * Beside a bare servlet that writes the same bytes to as many streams and flushes, in the same
 * Jetty, and plain blocking writes to as many sockets.
 *
 * <p>The readers are another process. One change follows the other once all have read the first.
 * The CPU time is that of the whole server process, the kernel's part and the collector's too.
 */
final class FanOutBenchmark implements Benchmark {

  private static final OperatingSystemMXBean PROCESS =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

  /** The beginning of the plain stream: as many events as an empty watch has. */
  private static final String HEAD =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: ready\ndata: {}\n\n";

  /** Something that reaches every reader once. */
  @FunctionalInterface
  private interface Change {
    void make(int number) throws IOException;
  }

  @Override
  public void run(Scale scale, Report report) throws Exception {
    report.table(
        "Fan-out: one change to %,d watchers".formatted(scale.connections()),
        "the watches' filters",
        "sessions",
        "CPU µs for each event",
        "best to worst round",
        "wall ms for each change",
        "bare servlet, CPU µs",
        "event / bare servlet",
        "plain writes, CPU µs",
        "event / plain write");
    fanOut(scale, report, "all equal", number -> "alike");
    fanOut(scale, report, "all distinct", number -> "alike,!no" + number);
  }

  private static void fanOut(Scale scale, Report report, String name, IntFunction<String> filters)
      throws Exception {
    Broker broker = Population.broker();
    try (WebServer server = new WebServer(broker);
        PlainServer plain = new PlainServer(HEAD);
        ReaderProcess readers = new ReaderProcess();
        ReaderProcess bareReaders = new ReaderProcess();
        ReaderProcess plainReaders = new ReaderProcess()) {
      // Before the sessions are listed, so that no watcher has a snapshot to walk through
      for (int i = 0; i < scale.connections(); i++) {
        readers.open(server.port(), "/list?filter=" + filters.apply(i));
        bareReaders.open(server.port(), "/bare");
        plainReaders.open(plain.port(), "/");
      }
      plain.accept(scale.connections());
      readers.await(scale.connections());
      bareReaders.await(scale.connections());
      plainReaders.await(scale.connections());

      Session session = Population.openChannel(broker).openSession(spec());
      readers.await(scale.connections());
      byte[] event = event(session);
      int listed = 0;
      for (int size : scale.sizes()) {
        Population.list(broker, listed, size, Population::spec);
        listed = size;
        Measurement told =
            measure(
                scale,
                readers,
                number -> session.update(SessionUpdate.nothing().withMetadata(metadata(number))));
        Measurement bare = measure(scale, bareReaders, number -> server.bare().write(event));
        Measurement written = measure(scale, plainReaders, number -> plain.write(event));
        report.row(
            name,
            Report.count(size),
            told.cpu(),
            told.spread(),
            Report.millis(told.wallNanos() * scale.connections()),
            bare.cpu(),
            told.timesSlowerThan(bare),
            written.cpu(),
            told.timesSlowerThan(written));
      }
    }
  }

  private static SessionSpec spec() {
    return SessionSpec.listed("alike", Population.tag(0), Population.tag(1))
        .withMetadata(metadata(0));
  }

  /** Always of the same length. */
  private static Json metadata(int number) {
    return Population.metadata(number);
  }

  /** The bytes that the servlet writes for a change, with its chunk's size. */
  private static byte[] event(Session session) {
    String event =
        "event: add\ndata: {\"sid\":\"%s\",\"session\":{\"tags\":[\"%s\"],\"metadata\":%s}}\n\n"
            .formatted(session.id(), String.join("\",\"", session.tags()), session.metadata());
    return "%x\r\n%s\r\n".formatted(event.length(), event).getBytes(UTF_8);
  }

  private static Measurement measure(Scale scale, ReaderProcess readers, Change change)
      throws IOException {
    double[] cpu = new double[scale.rounds()];
    double[] wall = new double[scale.rounds()];
    int number = 0;
    long warm = PROCESS.getProcessCpuTime() + 4 * scale.warmUp().toNanos();
    do {
      change.make(++number);
      readers.await(scale.connections());
    } while (PROCESS.getProcessCpuTime() < warm);
    int rounds = 0;
    long enough = System.nanoTime() + scale.enough().toNanos();
    while (rounds < scale.rounds() && (rounds < 3 || System.nanoTime() < enough)) {
      long cpuBefore = PROCESS.getProcessCpuTime();
      long wallBefore = System.nanoTime();
      for (int i = 0; i < scale.changes(); i++) {
        change.make(++number);
        readers.await(scale.connections());
      }
      double events = (double) scale.changes() * scale.connections();
      wall[rounds] = (System.nanoTime() - wallBefore) / events;
      cpu[rounds] = (PROCESS.getProcessCpuTime() - cpuBefore) / events;
      rounds++;
    }
    return Measurement.ofRounds(Arrays.copyOf(cpu, rounds), Arrays.copyOf(wall, rounds));
  }
}
