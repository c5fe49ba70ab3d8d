package io.peerbroker.core;

import static org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt.forClasses;

import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;

/** How long the interleavings of one small class are searched: some seconds. */
final class Lincheck {

  private Lincheck() {}

  static void check(Class<?> test, int invocations) {
    new ModelCheckingOptions()
        .iterations(30)
        .invocationsPerIteration(invocations)
        .threads(2)
        .actorsPerThread(3)
        .actorsBefore(0)
        .actorsAfter(0)
        // It only calls itself, which is taken for a loop without an end.
        .addGuarantee(forClasses(Directory.class.getName()).methods("checkStack").ignore())
        .check(test);
  }
}
