package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** The table of sessions against the JDK's map. */
final class SessionTableTest {

  private final SessionTable<Numbered> table = new SessionTable<>();

  private Numbered session(long number) {
    return new Numbered(number) {};
  }

  @Property(tries = 100)
  void holdsWhatWasAddedAndNotRemoved(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = 5_000) int range) {
    Random random = new Random(seed);
    SessionTable<Numbered> table = new SessionTable<>();
    TreeMap<Long, Numbered> model = new TreeMap<>();
    for (int i = 0; i < 4_000; i++) {
      // Grows first, then shrinks.
      long number = 1L + random.nextInt(range);
      if (random.nextInt(4_000) >= i && !model.containsKey(number)) {
        Numbered session = session(number);
        model.put(number, session);
        table.add(session);
      } else if (model.ceilingKey(number) != null) {
        table.remove(model.remove(model.ceilingKey(number)));
      }
    }
    for (long number = 0; number <= range + 1L; number++) {
      assertThat(table.get(number)).isSameAs(model.get(number));
    }
  }

  @Test
  void numbersAtEqualDistancesDoNotCrowd() {
    for (int bits = 0; bits < 40; bits++) {
      SessionTable<Numbered> spread = new SessionTable<>();
      for (long i = 1; i <= 10_000; i++) {
        spread.add(session(i << bits));
      }
      assertThat(longestRun(spread)).as("distance 2^%d", bits).isLessThan(200);
    }
  }

  /** Returns the longest way that a search can take. */
  private static int longestRun(SessionTable<Numbered> table) {
    int longest = 0;
    int run = 0;
    for (Object slot : slots(table)) {
      run = slot == null ? 0 : run + 1;
      longest = Math.max(longest, run);
    }
    return longest;
  }

  private static Object[] slots(SessionTable<Numbered> table) {
    List<Object[]> slots = new ArrayList<>();
    assertThat(table).extracting("slots").satisfies(array -> slots.add((Object[]) array));
    return slots.get(0);
  }

  @Test
  void givesBackWhatItNeededForMany() {
    for (long i = 1; i <= 10_000; i++) {
      table.add(session(i));
    }
    for (long i = 1; i <= 10_000; i++) {
      table.remove(session(i));
    }
    assertThat(slots(table)).hasSize(16);
  }
}
