package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The cursors of pages, which do not reveal the number of sessions. */
final class PageCursorsTest {

  private final PageCursors cursors = new PageCursors();

  @Test
  void areReadByWhomTheyWereMade() {
    for (long number : new long[] {1, 2, 63, 64, 1L << 40, Long.MAX_VALUE}) {
      ListPosition position = at(number);
      assertThat(cursors.read(cursors.write(position))).isEqualTo(position);
      assertThat(cursors.write(position)).isEqualTo(cursors.write(position)).hasSize(22);
    }
  }

  private static ListPosition at(long number) {
    return new ListPosition(number, Ids.NO_TAG);
  }

  @Test
  @DisplayName("A cursor of one node is good on every other that has the key, and on none without.")
  void areReadByNodesWithTheSameKey() {
    byte[] key = new byte[16];
    PageCursors one = new PageCursors(key);
    PageCursors other = new PageCursors(key.clone());
    for (int tag : new int[] {0, 1, 0x80000, 0xFFFFF}) {
      for (long created : new long[] {1, 1L << 51, Long.MAX_VALUE}) {
        ListPosition position = new ListPosition(created, tag);
        assertThat(other.read(one.write(position))).isEqualTo(position);
      }
    }
    String cursor = one.write(new ListPosition(1, 1));
    key[15] = 1;
    assertThatThrownBy(() -> new PageCursors(key).read(cursor))
        .isInstanceOf(RefusedException.class);
    assertThatThrownBy(() -> new PageCursors(new byte[15]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("A key of cursors has 16 bytes, not 15");
  }

  @Test
  void placesSideBySideHaveNothingInCommon() {
    Set<String> beginnings = new HashSet<>();
    for (long number = 1; number <= 1_000; number++) {
      beginnings.add(cursors.write(at(number)).substring(0, 8));
    }
    assertThat(beginnings).hasSize(1_000);
  }

  @Test
  void noOthersAreTaken() {
    String one = cursors.write(at(1));
    String other = (one.charAt(3) == 'A' ? "B" : "A") + one.substring(1);
    for (String cursor :
        new String[] {
          "",
          "1",
          "x",
          one + "A",
          one.substring(1),
          one + "==",
          other,
          new PageCursors().write(at(1))
        }) {
      assertThatThrownBy(() -> cursors.read(cursor))
          .as(cursor)
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("'after'");
    }
  }

  @Test
  void numbersAreKeptAsTheStepsBetweenThem() {
    DeltaVarints numbers = new DeltaVarints(1);
    long[] all = {1, 2, 129, 130, 1L << 35, Long.MAX_VALUE};
    for (long number : all) {
      numbers.add(0, number);
    }
    DeltaVarints.Reader reader = numbers.read();
    for (long number : all) {
      assertThat(reader.hasNext()).isTrue();
      assertThat(reader.next()).isEqualTo(number);
    }
    assertThat(reader.hasNext()).isFalse();
  }

  @Test
  void seriesOfNumbersAlternate() {
    for (int series : new int[] {1, 2, 3, 16, 17}) {
      DeltaVarints numbers = new DeltaVarints(series);
      int[] which = IntStream.range(0, 200).map(i -> i * i % 31 % series).toArray();
      long[] last = new long[series];
      for (int one : which) {
        numbers.add(one, last[one] += 1 + one);
      }
      DeltaVarints.Reader reader = numbers.read();
      long[] read = new long[series];
      for (int one : which) {
        assertThat(reader.next()).isEqualTo(read[one] += 1 + one);
        assertThat(reader.series()).isEqualTo(one);
      }
      assertThat(reader.hasNext()).isFalse();
    }
  }
}
