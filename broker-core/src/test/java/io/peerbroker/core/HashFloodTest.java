package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/**
 * Clients choose tags and filters, and so their hash codes: their choice must not make a change
 * expensive, since changes hold the directory's lock.
 */
final class HashFloodTest {

  private static final int TERMS = 256;
  private static final int FILTERS = 2_000;

  @Test
  void tagsWithEqualHashCodesAreFoundAsFast() {
    TagFilter odd = filter(colliding().subList(0, TERMS), 0);
    TagFilter even = filter(ordinary().subList(0, TERMS), 0);
    List<String> oddTags = colliding().subList(1_000, 1_032);
    List<String> evenTags = ordinary().subList(1_000, 1_032);
    assertThat(nanos(() -> odd.matches(oddTags)))
        .isLessThan(10 * nanos(() -> even.matches(evenTags)));
  }

  @Test
  void filtersWithEqualHashCodesAreFoundAsFast() {
    assertThat(nanosToWatch(colliding())).isLessThan(10 * nanosToWatch(ordinary()));
  }

  /** Returns the cost of one more watcher beside many. */
  private static long nanosToWatch(List<String> terms) {
    ManualTimer timer = new ManualTimer();
    try (Broker broker = Broker.builder().timer(timer).build()) {
      WakeThrottle wakes = new WakeThrottle(timer, Duration.ZERO, Runnable::run);
      WatchIndex watches =
          new WatchIndex(broker.limits(), new ChangeBudget(1 << 20), wakes, tag -> 0);
      for (int i = 0; i < FILTERS; i++) {
        watches.add(stream(broker, filter(terms.subList(0, TERMS), i)));
      }
      LocalWatch next = stream(broker, filter(terms.subList(0, TERMS), FILTERS));
      return nanos(
          () -> {
            watches.add(next);
            WatchIndex.Group unused = watches.remove(next);
            return true;
          });
    }
  }

  private static LocalWatch stream(Broker broker, TagFilter filter) {
    LocalBroker local = (LocalBroker) broker;
    return local.newWatch(ParsedFilter.of(filter), null, new Permits("watches", 1).takeAnyway());
  }

  /** All terms except two, excluded: another filter for each number. */
  private static TagFilter filter(List<String> terms, int number) {
    List<String> left = new ArrayList<>(terms);
    left.remove(number / 100);
    left.remove(100 + number % 100);
    return TagFilter.parse("!" + String.join(",!", left));
  }

  /** 1,089 tags of two code points and one hash code. */
  private static List<String> colliding() {
    List<String> halves = new ArrayList<>();
    for (int i = 0; i < 33; i++) {
      halves.add("" + (char) (0xD800 + i) + (char) (0xDFFF - 31 * i));
    }
    List<String> tags = new ArrayList<>();
    halves.forEach(first -> halves.forEach(second -> tags.add(first + second)));
    assertThat(tags).extracting(String::hashCode).containsOnly(tags.get(0).hashCode());
    return tags;
  }

  private static List<String> ordinary() {
    List<String> tags = new ArrayList<>();
    for (int i = 0; i < 1_089; i++) {
      tags.add(Character.toString(0x10000 + 7 * i) + Character.toString(0x20000 + 13 * i));
    }
    return tags;
  }

  /** The best of several tries, each of many. */
  private static long nanos(BooleanSupplier task) {
    long best = Long.MAX_VALUE;
    boolean done = true;
    for (int round = 0; round < 20; round++) {
      long start = System.nanoTime();
      for (int i = 0; i < 50; i++) {
        done &= task.getAsBoolean();
      }
      best = Math.min(best, System.nanoTime() - start);
    }
    assertThat(done).isTrue();
    return best;
  }
}
