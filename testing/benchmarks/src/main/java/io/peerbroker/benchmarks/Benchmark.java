package io.peerbroker.benchmarks;

/** One question about the broker's cost, answered in tables. */
@FunctionalInterface
interface Benchmark {

  /** Measures, and prints the results. */
  void run(Scale scale, Report report) throws Exception;
}
