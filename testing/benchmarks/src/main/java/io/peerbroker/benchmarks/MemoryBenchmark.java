package io.peerbroker.benchmarks;

import io.peerbroker.core.Broker;
import io.peerbroker.core.SessionSpec;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * How much of the heap does a listed session take beyond its own tags and metadata, and how much a
 * channel? Beside a map from an id to the same tags and metadata.
 */
final class MemoryBenchmark implements Benchmark {

  @Override
  public void run(Scale scale, Report report) {
    report.table(
        "Memory: bytes of heap for each listed session",
        "sessions",
        "total",
        "its tags and metadata as objects",
        "their UTF-8 bytes",
        "beyond the objects",
        "beyond the UTF-8 bytes",
        "a map of the same, beyond the objects",
        "session / map");
    // Loads the classes, which would count at the first size
    weigh(1, () -> listed(1));
    for (int size : scale.sizes()) {
      double all = weigh(size, () -> listed(size));
      double own = weigh(size, () -> specs(size));
      double map = weigh(size, () -> map(size)) - own;
      double utf8 = utf8(size);
      report.row(
          Report.count(size),
          Report.number(all),
          Report.number(own),
          Report.number(utf8),
          Report.number(all - own),
          Report.number(all - utf8),
          Report.number(map),
          Report.number((all - own) / map));
    }

    int count = scale.channels();
    report.table("Memory: bytes of heap for each channel in this JVM", "channels", "each");
    report.row(Report.count(count), Report.number(weigh(count, () -> channels(count))));
  }

  /** Returns what each of a number of things takes, with its share of their container. */
  private static double weigh(int count, Supplier<?> maker) {
    long before = Heap.used();
    Object made = maker.get();
    try {
      return (double) (Heap.used() - before) / count;
    } finally {
      Reference.reachabilityFence(made);
    }
  }

  private static Broker listed(int size) {
    Broker broker = Population.broker();
    Population.list(broker, 0, size, Population::spec);
    return broker;
  }

  private static Broker channels(int count) {
    Broker broker = Population.broker();
    for (int i = 0; i < count; i++) {
      Population.openChannel(broker);
    }
    return broker;
  }

  /** The tags and metadata alone, without the record around them. */
  private static List<Object> specs(int size) {
    List<Object> objects = new ArrayList<>(2 * size);
    for (int number = 0; number < size; number++) {
      SessionSpec spec = Population.spec(number);
      objects.add(spec.tags());
      objects.add(spec.metadata());
    }
    return objects;
  }

  private static ConcurrentHashMap<String, SessionSpec> map(int size) {
    var map = new ConcurrentHashMap<String, SessionSpec>();
    for (int number = 0; number < size; number++) {
      map.put(UUID.randomUUID().toString(), Population.spec(number));
    }
    return map;
  }

  private static double utf8(int size) {
    long bytes = 0;
    for (int number = 0; number < size; number++) {
      SessionSpec spec = Population.spec(number);
      bytes += spec.metadata().length();
      for (String tag : spec.tags()) {
        bytes += tag.getBytes(StandardCharsets.UTF_8).length;
      }
    }
    return (double) bytes / size;
  }
}
