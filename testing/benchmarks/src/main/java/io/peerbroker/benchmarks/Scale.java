package io.peerbroker.benchmarks;

import java.time.Duration;
import java.util.List;

/**
 * How much a run measures, and how long.
 *
 * @param sizes how many sessions are listed, one table row each, in rising order
 * @param watchers how many watch while one session changes
 * @param watcherCounts how many watch, where that is what grows
 * @param connections how many streams a change is fanned out to
 * @param changes how many changes are fanned out in a round
 * @param channels how many channels are weighed
 * @param walkers how many walk through the list while it changes
 * @param worstWatchers how many watch under the worst load of strangers
 * @param warmUp how long a thing is done before it is measured, in CPU time
 * @param rounds how many times it is measured
 * @param round how long one of these takes at least
 * @param enough how long all of them take, when at least three are done: then there is no further
 * @param relay what the relays of several servers are compared by
 */
record Scale(
    List<Integer> sizes,
    int watchers,
    List<Integer> watcherCounts,
    int connections,
    int changes,
    int channels,
    int walkers,
    List<Integer> worstWatchers,
    Duration warmUp,
    int rounds,
    Duration round,
    Duration enough,
    RelayOptions relay) {

  /** What docs/performance.md shows. */
  static Scale full() {
    return new Scale(
        List.of(1_000, 10_000, 100_000, 1_000_000),
        10_000,
        List.of(100, 1_000, 10_000, 100_000),
        1_000,
        100,
        20_000,
        10,
        List.of(1_000, 10_000, 20_000),
        Duration.ofMillis(500),
        9,
        Duration.ofMillis(100),
        Duration.ofSeconds(10),
        RelayOptions.full());
  }

  /** Enough to see that everything runs; its figures mean nothing. */
  static Scale smoke() {
    return new Scale(
        List.of(300),
        20,
        List.of(20),
        3,
        2,
        10,
        2,
        List.of(20),
        Duration.ZERO,
        2,
        Duration.ofMillis(1),
        Duration.ofSeconds(1),
        RelayOptions.smoke());
  }

  /** The same with other sizes. */
  Scale withSizes(List<Integer> sizes) {
    return with(sizes, relay);
  }

  /** The same with other options of the relay. */
  Scale withRelay(RelayOptions relay) {
    return with(sizes, relay);
  }

  private Scale with(List<Integer> sizes, RelayOptions relay) {
    return new Scale(
        sizes,
        watchers,
        watcherCounts,
        connections,
        changes,
        channels,
        walkers,
        worstWatchers,
        warmUp,
        rounds,
        round,
        enough,
        relay);
  }
}
