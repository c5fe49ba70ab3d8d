package io.peerbroker.core;

import static org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt.forClasses;

import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;

/**
 * How long the interleavings of one small class are searched: a few seconds, for 30 scenarios, or
 * as many as the system property {@code peerbroker.lincheck.iterations} says.
 */
final class Lincheck {

  private static final int ITERATIONS = Integer.getInteger("peerbroker.lincheck.iterations", 30);

  private Lincheck() {}

  static void check(Class<?> test, int invocations) {
    new ModelCheckingOptions()
        .iterations(ITERATIONS)
        .invocationsPerIteration(invocations)
        .threads(2)
        .actorsPerThread(3)
        .actorsBefore(0)
        .actorsAfter(0)
        // It only calls itself, which Lincheck takes for an endless loop.
        .addGuarantee(forClasses(Directory.class.getName()).methods("checkStack").ignore())
        .check(test);
  }
}
