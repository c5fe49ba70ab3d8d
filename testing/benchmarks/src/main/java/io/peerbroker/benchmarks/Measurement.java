package io.peerbroker.benchmarks;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.function.LongSupplier;

/**
 * The cost of one operation: medians over the rounds, and the spread of the rounds.
 *
 * <p>CPU time is that of the measuring thread, so that the collector, the compiler and other
 * processes do not count; wall time is how long a caller waits on this machine.
 *
 * @param cpuNanos the median of the CPU time
 * @param lowest the CPU time in the best round
 * @param highest the CPU time in the worst round
 * @param wallNanos the median of the wall time
 */
record Measurement(double cpuNanos, double lowest, double highest, double wallNanos) {

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  /** A burst of operations takes at least this long, so that reading the clocks costs nothing. */
  private static final long BURST_NANOS = 1_000_000;

  /** The results of the operations go here, so that the compiler cannot leave them out. */
  @SuppressWarnings("UnusedVariable") // it exists for its writes
  private static volatile long sink;

  /** Measures an operation that can be repeated. */
  static Measurement of(Scale scale, LongSupplier operation) {
    int operations = 1;
    long begun = System.nanoTime();
    for (long took = 0; took < BURST_NANOS && operations < 1 << 20; ) {
      operations *= 2;
      begun = System.nanoTime();
      sink = repeat(operations, operation);
      took = System.nanoTime() - begun;
    }
    int burst = operations;
    return ofBursts(scale, burst, () -> {}, () -> repeat(burst, operation));
  }

  private static long repeat(int times, LongSupplier operation) {
    long sum = 0;
    for (int i = 0; i < times; i++) {
      sum += operation.getAsLong();
    }
    return sum;
  }

  /**
   * Measures bursts of operations, each of which needs some preparation.
   *
   * @param operations how many there are in a burst
   * @param ready the preparation; not measured
   * @param burst runs them; its result depends on each, so that none can be left out
   */
  static Measurement ofBursts(Scale scale, int operations, Runnable ready, LongSupplier burst) {
    long warm = THREADS.getCurrentThreadCpuTime() + scale.warmUp().toNanos();
    do {
      ready.run();
      sink = burst.getAsLong();
    } while (THREADS.getCurrentThreadCpuTime() < warm);

    double[] cpu = new double[scale.rounds()];
    double[] wall = new double[scale.rounds()];
    int rounds = 0;
    long enough = System.nanoTime() + scale.enough().toNanos();
    while (rounds < scale.rounds() && (rounds < 3 || System.nanoTime() < enough)) {
      long cpuNanos = 0;
      long wallNanos = 0;
      long done = 0;
      while (wallNanos < scale.round().toNanos()) {
        ready.run();
        long cpuBefore = THREADS.getCurrentThreadCpuTime();
        long wallBefore = System.nanoTime();
        sink = burst.getAsLong();
        wallNanos += System.nanoTime() - wallBefore;
        cpuNanos += THREADS.getCurrentThreadCpuTime() - cpuBefore;
        done += operations;
      }
      cpu[rounds] = (double) cpuNanos / done;
      wall[rounds] = (double) wallNanos / done;
      rounds++;
    }
    return ofRounds(Arrays.copyOf(cpu, rounds), Arrays.copyOf(wall, rounds));
  }

  /** Combines measurements that were made elsewhere, round by round. */
  static Measurement ofRounds(double[] cpu, double[] wall) {
    Arrays.sort(cpu);
    Arrays.sort(wall);
    return new Measurement(cpu[cpu.length / 2], cpu[0], cpu[cpu.length - 1], wall[wall.length / 2]);
  }

  /** The CPU time in microseconds. */
  String cpu() {
    return Report.micros(cpuNanos);
  }

  /** The best and the worst round, in microseconds of CPU time. */
  String spread() {
    return Report.micros(lowest) + " to " + Report.micros(highest);
  }

  /** The wall time in microseconds. */
  String wall() {
    return Report.micros(wallNanos);
  }

  /** How many times as much CPU time as this a yardstick took. */
  String timesFasterThan(Measurement yardstick) {
    return Report.number(yardstick.cpuNanos / cpuNanos);
  }

  /** How many times as much CPU time as a yardstick this took. */
  String timesSlowerThan(Measurement yardstick) {
    return Report.number(cpuNanos / yardstick.cpuNanos);
  }
}
