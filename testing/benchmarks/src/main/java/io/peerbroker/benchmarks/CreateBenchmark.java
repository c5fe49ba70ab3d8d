package io.peerbroker.benchmarks;

import io.peerbroker.core.Broker;
import io.peerbroker.core.SessionSpec;
import java.util.Arrays;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * What does creating a listed session cost, on the way to so many? Beside putting its tags and
 * metadata into two maps, by a random id and by its number.
 */
final class CreateBenchmark implements Benchmark {

  @Override
  public void run(Scale scale, Report report) {
    report.table(
        "Create: each of so many listed sessions",
        "sessions",
        "CPU µs",
        "best to worst round",
        "wall µs",
        "two maps, CPU µs",
        "create / two maps");
    for (int size : scale.sizes()) {
      SessionSpec[] specs = new SessionSpec[size];
      Arrays.setAll(specs, Population::spec);
      Measurement create = Measurement.ofBursts(scale, size, () -> {}, () -> list(specs));
      Measurement maps =
          Measurement.ofBursts(
              scale,
              size,
              () -> {},
              () -> put(new ConcurrentHashMap<>(), new ConcurrentSkipListMap<>(), specs));
      report.row(
          Report.count(size),
          create.cpu(),
          create.spread(),
          create.wall(),
          maps.cpu(),
          create.timesSlowerThan(maps));
    }
  }

  private static long list(SessionSpec[] specs) {
    Broker broker = Population.broker();
    return Population.list(broker, 0, specs.length, number -> specs[number]).size();
  }

  private static long put(
      Map<String, SessionSpec> byId, Map<Long, SessionSpec> byNumber, SessionSpec[] specs) {
    for (int number = 0; number < specs.length; number++) {
      byId.put(UUID.randomUUID().toString(), specs[number]);
      byNumber.put((long) number, specs[number]);
    }
    return byNumber.size();
  }
}
