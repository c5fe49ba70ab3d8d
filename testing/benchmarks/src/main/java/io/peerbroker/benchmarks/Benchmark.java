package io.peerbroker.benchmarks;

/** One question about what the broker costs, answered in tables. */
@FunctionalInterface
interface Benchmark {

  /** Measures, and prints what it has found. */
  void run(Scale scale, Report report) throws Exception;
}
