package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.LIST;

import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.Random;
import java.util.TreeSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** The sets of numbers against the JDK's, small and grown over many leaves. */
final class PostingsTest {

  /** Numbers from the whole range of {@code spread}, so that words hold many or few. */
  @Property(tries = 60)
  void holdsWhatWasAddedAndNotRemoved(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = 400_000) int spread) {
    Random random = new Random(seed);
    Postings postings = new Postings();
    TreeSet<Long> model = new TreeSet<>();
    for (int phase = 0; phase < 4; phase++) {
      boolean growing = phase % 2 == 0;
      for (int i = 0; i < 3_000; i++) {
        if (random.nextInt(10) < (growing ? 9 : 2)) {
          long number = 1L + random.nextInt(spread);
          if (model.add(number)) {
            postings.add(number);
          }
        } else if (!model.isEmpty()) {
          Long number = model.ceiling((long) random.nextInt(spread));
          number = number == null ? model.last() : number;
          model.remove(number);
          postings.remove(number);
        }
      }
      assertThat(postings.count()).isEqualTo(model.size());
      assertThat(all(postings)).containsExactlyElementsOf(model);
      assertSeeks(postings, model, random, spread);
    }
    new ArrayList<>(model).forEach(postings::remove);
    assertThat(postings.count()).isZero();
    assertThat(postings).extracting("leaves").hasToString("[]");
  }

  @Property(tries = 20)
  void growsAtItsEnd(@ForAll @IntRange(min = 1, max = 40_000) int count) {
    Postings postings = new Postings();
    List<Long> numbers = new ArrayList<>();
    for (long number = 1; number <= count; number++) {
      postings.add(number * 70);
      numbers.add(number * 70);
    }
    assertThat(all(postings)).isEqualTo(numbers);
    // Full leaves, not half ones: an addition at the end splits no leaf.
    assertThat(postings)
        .extracting("leaves")
        .asInstanceOf(LIST)
        .hasSize((count + Postings.LEAF_WORDS - 1) / Postings.LEAF_WORDS);
  }

  @Test
  void whatIsLeftOfManyTakesLittle() {
    Postings postings = new Postings();
    int many = 100_000;
    for (long word = 0; word < many; word++) {
      postings.add(word << 6);
    }
    for (long word = 0; word < many; word++) {
      if (word % 100 != 0) {
        postings.remove(word << 6);
      }
    }
    int left = many / 100;
    assertThat(all(postings)).hasSize(left);
    List<long[]> keys = new ArrayList<>();
    assertThat(postings)
        .extracting("leaves")
        .asInstanceOf(LIST)
        // Any two neighbours have more than half of what one may have.
        .hasSizeLessThanOrEqualTo(2 * left / (Postings.LEAF_WORDS / 2) + 1)
        .extracting("keys")
        .allSatisfy(array -> keys.add((long[]) array));
    assertThat(keys.stream().mapToInt(array -> array.length).sum()).isLessThanOrEqualTo(4 * left);
  }

  private static List<Long> all(Postings postings) {
    List<Long> numbers = new ArrayList<>();
    Postings.Cursor cursor = postings.cursor();
    for (long key = 0; cursor.seek(key); key = cursor.key() + 1) {
      assertThat(cursor.word()).isNotZero();
      for (long word = cursor.word(); word != 0; word &= word - 1) {
        numbers.add((cursor.key() << 6) + Long.numberOfTrailingZeros(word));
      }
    }
    return numbers;
  }

  private static void assertSeeks(
      Postings postings, NavigableSet<Long> model, Random random, int spread) {
    for (int round = 0; round < 5; round++) {
      Postings.Cursor cursor = postings.cursor();
      long key = 0;
      while (true) {
        key += random.nextInt(1 + spread / 64 / (1 + random.nextInt(100)));
        Long next = model.ceiling(key << 6);
        assertThat(cursor.seek(key)).isEqualTo(next != null);
        if (next == null) {
          break;
        }
        assertThat(cursor.key()).isEqualTo(Postings.key(next));
        assertThat(cursor.word() & Postings.bit(next)).isNotZero();
        key = Math.max(key + 1, cursor.key());
      }
    }
  }
}
