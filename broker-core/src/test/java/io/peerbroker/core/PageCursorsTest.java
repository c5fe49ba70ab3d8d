package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The cursors of pages, which do not reveal the number of sessions. */
final class PageCursorsTest {

  private final PageCursors cursors = new PageCursors();

  @Test
  void areReadByWhomTheyWereMade() {
    for (long number : new long[] {1, 2, 63, 64, 1L << 40, Long.MAX_VALUE}) {
      assertThat(cursors.read(cursors.write(number))).isEqualTo(number);
      assertThat(cursors.write(number)).isEqualTo(cursors.write(number)).hasSize(22);
    }
  }

  @Test
  void placesSideBySideHaveNothingInCommon() {
    Set<String> beginnings = new HashSet<>();
    for (long number = 1; number <= 1_000; number++) {
      beginnings.add(cursors.write(number).substring(0, 8));
    }
    assertThat(beginnings).hasSize(1_000);
  }

  @Test
  void noOthersAreTaken() {
    String one = cursors.write(1);
    String other = (one.charAt(3) == 'A' ? "B" : "A") + one.substring(1);
    for (String cursor :
        new String[] {
          "", "1", "x", one + "A", one.substring(1), one + "==", other, new PageCursors().write(1)
        }) {
      assertThatThrownBy(() -> cursors.read(cursor))
          .as(cursor)
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("'after'");
    }
  }

  @Test
  void numbersAreKeptAsTheStepsBetweenThem() {
    DeltaVarints numbers = new DeltaVarints();
    long[] all = {1, 2, 129, 130, 1L << 35, Long.MAX_VALUE};
    for (long number : all) {
      numbers.add(number);
    }
    DeltaVarints.Reader reader = numbers.read();
    for (long number : all) {
      assertThat(reader.hasNext()).isTrue();
      assertThat(reader.next()).isEqualTo(number);
    }
    assertThat(reader.hasNext()).isFalse();
  }
}
