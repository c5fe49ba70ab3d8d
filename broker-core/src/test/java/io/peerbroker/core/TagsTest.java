package io.peerbroker.core;

import static io.peerbroker.core.RefusalAssert.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Refusal.Code;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The rules S16 to S19 of docs/protocol.md. */
final class TagsTest {

  /** Every code point with the property White_Space in Unicode's PropList.txt. */
  private static final int[] WHITE_SPACE = {
    0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004,
    0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000
  };

  private static List<String> normalize(String... tags) {
    return Tags.normalize(List.of(tags));
  }

  @Test
  @Tag("S16")
  void trimsExactlyWhiteSpace() {
    for (int codePoint = 0; codePoint <= Character.MAX_CODE_POINT; codePoint++) {
      String padded = Character.toString(codePoint) + "a" + Character.toString(codePoint);
      boolean trimmed = Tags.trim(padded).equals("a");
      assertThat(trimmed)
          .as("U+%04X", codePoint)
          .isEqualTo(java.util.Arrays.binarySearch(WHITE_SPACE, codePoint) >= 0);
    }
  }

  @Test
  @Tag("S16")
  void trimsBeforeAnyOtherCheck() {
    assertThat(normalize("\t chess\u3000\n")).containsExactly("chess");
    assertThat(normalize(" ".repeat(100) + "a" + "\n".repeat(100))).containsExactly("a");
    assertThat(normalize("two words")).containsExactly("two words");
    assertRefused(() -> normalize(" !a"), Code.INVALID_TAG);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "\u3000\u2028\t"})
  @Tag("S17")
  void refusesAnEmptyTag(String tag) {
    assertRefused(() -> normalize(tag), Code.INVALID_TAG).contains("empty");
  }

  @Test
  @Tag("S17")
  void countsCodePointsNotChars() {
    String astral = "\uD83D\uDE00";
    assertThat(normalize("a".repeat(64), astral.repeat(64))).hasSize(2);
    assertRefused(() -> normalize("a".repeat(65)), Code.INVALID_TAG).contains("64");
    assertRefused(() -> normalize(astral.repeat(65)), Code.INVALID_TAG).contains("64");
  }

  @ParameterizedTest
  @ValueSource(ints = {0x00, 0x1B, 0x1C, 0x1F, 0x7F, 0x80, 0x84, 0x86, 0x9F})
  @Tag("S17")
  void refusesControlCharactersAtEitherEnd(int codePoint) {
    String control = Character.toString(codePoint);
    assertRefused(() -> normalize("a" + control + "b"), Code.INVALID_TAG).contains("control");
    assertRefused(() -> normalize(control + "b"), Code.INVALID_TAG).contains("control");
    assertRefused(() -> normalize("a" + control), Code.INVALID_TAG).contains("control");
  }

  @Test
  @Tag("S17")
  void refusesControlWhiteSpaceInside() {
    assertRefused(() -> normalize("a\nb"), Code.INVALID_TAG);
    assertRefused(() -> normalize("a\u0085b"), Code.INVALID_TAG);
    assertThat(normalize("a\u2028b")).containsExactly("a\u2028b");
  }

  @ParameterizedTest
  @ValueSource(strings = {"\uD83D", "a\uDE00", "\uDE00\uD83D", "\uD83D\uD83D\uDE00"})
  @Tag("S17")
  void refusesLoneSurrogates(String tag) {
    assertRefused(() -> normalize(tag), Code.INVALID_TAG).contains("surrogate");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a,b", ",", "a,", "!a", "!", "! a"})
  @Tag("S17")
  void refusesTheSyntaxOfFilters(String tag) {
    assertRefused(() -> normalize(tag), Code.INVALID_TAG).contains("'!'");
  }

  @Test
  @Tag("S17")
  void takesAnExclamationMarkElsewhere() {
    assertThat(normalize("a!", "a!b")).containsExactly("a!", "a!b");
  }

  @Test
  @Tag("S17")
  @DisplayName("The refusal names the tag, without characters that would break the line.")
  void quotesTheTagOnOneLine() {
    assertRefused(() -> normalize("fine", "b\u0000\u202Ed"), Code.INVALID_TAG)
        .contains("\"b\\u0000\\u202ed\"");
    assertRefused(() -> normalize("x".repeat(1_000)), Code.INVALID_TAG)
        .contains("\"" + "x".repeat(64) + "…\"")
        .hasSizeLessThan(200);
  }

  @Test
  @Tag("S18")
  void keepsTheOrderAndDropsDuplicates() {
    assertThat(normalize("b", "a", " b", "c", "a ")).containsExactly("b", "a", "c");
  }

  @Test
  @Tag("S19")
  void comparesCodePointsAndNormalisesNothing() {
    assertThat(normalize("Ada", "ada", "\u00E9", "e\u0301")).hasSize(4);
  }
}
