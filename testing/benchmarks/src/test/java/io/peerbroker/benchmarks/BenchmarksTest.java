package io.peerbroker.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The benchmarks run; no test can say how fast anything is. */
class BenchmarksTest {

  @ParameterizedTest
  @CsvSource({
    "query,    1, 9",
    "change,   2, 16",
    "fanout,   1, 2",
    "memory,   2, 2",
    "create,   1, 1",
    "snapshot, 1, 3",
    "walkers,  1, 6",
    "worst,    1, 4",
    "message,  2, 3",
    "relay,    3, 24"
  })
  void run_printsTablesWithRows(String name, int tables, int rows) throws Exception {
    var out = new ByteArrayOutputStream();
    Benchmarks.run(List.of(name), Scale.smoke(), new Report(new PrintStream(out, true, UTF_8)));
    List<String> lines = out.toString(UTF_8).lines().toList();
    assertThat(lines).filteredOn(line -> line.startsWith("| --- |")).hasSize(tables);
    // With the head of each, and the line under it
    assertThat(lines).filteredOn(line -> line.startsWith("|")).hasSize(2 * tables + rows);
  }
}
