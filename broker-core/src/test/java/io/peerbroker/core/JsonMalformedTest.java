package io.peerbroker.core;

import static io.peerbroker.core.RefusalAssert.assertRefused;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.peerbroker.core.Refusal.Code;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Hostile input: what is refused, at which byte, in which words; and the bounds of legal input. */
class JsonMalformedTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      ignoreLeadingAndTrailingWhitespace = true,
      textBlock =
          """
          ``            | 0  | the text ends, expected a value
          ` `           | 1  | the text ends, expected a value
          01            | 1  | leading zeros
          -01           | 2  | leading zeros
          +1            | 0  | found +, expected a value
          .5            | 0  | found ., expected a value
          1.            | 2  | a digit
          1.e5          | 2  | a digit
          1e            | 2  | a digit
          1e+           | 3  | a digit
          -             | 1  | a digit
          -a            | 1  | a digit
          0x10          | 1  | found x, expected nothing more
          NaN           | 0  | found N, expected a value
          -Infinity     | 1  | a digit
          TRUE          | 0  | found T, expected a value
          tRUE          | 1  | the word true
          nul           | 3  | the text ends, expected the word null
          truefalse     | 4  | nothing more
          'a'           | 0  | double quotes
          a             | 0  | found a, expected a value
          [1,]          | 3  | found ], expected a value
          [,1]          | 1  | found ,, expected a value
          [1 2]         | 3  | found 2, expected ',' or ']'
          [1}           | 2  | ',' or ']'
          [1;2]         | 2  | found ;, expected ',' or ']'
          {"a":1;"b":2} | 6  | found ;, expected ',' or '}'
          {"a"=1}       | 4  | ':'
          [             | 1  | expected a value
          {             | 1  | or '}'
          {"a":1,}      | 7  | no comma ends an object
          {"a":1]       | 6  | ',' or '}'
          {"a" 1}       | 5  | ':'
          {"a":}        | 5  | expected a value
          {"a"}         | 4  | ':'
          {a:1}         | 1  | found a, expected a member name in double quotes or '}'
          {'a':1}       | 1  | double quotes
          {1:1}         | 1  | double quotes
          {,}           | 1  | double quotes
          }             | 0  | expected a value
          []]           | 2  | nothing more
          1 2           | 2  | nothing more
          {}{}          | 2  | nothing more
          /**/1         | 0  | found /, expected a value
          1 // one      | 2  | nothing more
          # 1           | 0  | found #, expected a value
          "abc          | 4  | double quote that ends
          "abc\\        | 5  | after a backslash
          "abc\\"       | 6  | double quote that ends
          "\\x"         | 2  | found x, expected one of
          "\\'"         | 2  | found ', expected one of
          "\\U0041"     | 2  | found U, expected one of
          "\\u004"      | 6  | hexadecimal
          "\\u004g"     | 6  | hexadecimal
          "\\u+041"     | 3  | hexadecimal
          """)
  void refusesWhatIsNotJson(String text, int at, String detail) {
    assertMalformed(text.getBytes(UTF_8), at, detail);
  }

  @ParameterizedTest
  @CsvSource({
    // A raw control character at every phase of the eight-byte stride.
    "22 0A 22,                            1, found byte 0x0A",
    "22 61 62 63 64 65 66 67 0D 22,       8, found byte 0x0D",
    "22 61 62 63 64 65 66 67 68 00 22,    9, found byte 0x00",
    "22 61 61 61 09 61 61 61 61 61 61 22, 4, found byte 0x09",
    "22 1F 22,                            1, found byte 0x1F",
    "0B 31,                               0, found byte 0x0B",
    "31 00,                               1, nothing more",
    // U+00A0 and U+2028 are no white space in JSON.
    "C2 A0 31,                            0, found byte 0xC2",
    "E2 80 A8 31,                         0, found byte 0xE2",
    "EF BB BF 31,                         0, byte order mark",
    "FF FE 31 00,                         0, found byte 0xFF",
    "20 EF BB BF 31,                      1, found byte 0xEF",
    // Cut off, alone, overlong, surrogates (CESU-8), beyond U+10FFFF.
    "22 C3 22,                            1, well-formed UTF-8",
    "22 E2 82 22,                         1, well-formed UTF-8",
    "22 F0 9F 98 22,                      1, well-formed UTF-8",
    "22 C3,                               1, well-formed UTF-8",
    "22 E2 82,                            1, well-formed UTF-8",
    "22 F0 9F 98,                         1, well-formed UTF-8",
    "22 80 22,                            1, well-formed UTF-8",
    "22 C0 AF 22,                         1, well-formed UTF-8",
    "22 C1 BF 22,                         1, well-formed UTF-8",
    "22 E0 9F BF 22,                      1, well-formed UTF-8",
    "22 F0 8F BF BF 22,                   1, well-formed UTF-8",
    "22 ED A0 80 22,                      1, well-formed UTF-8",
    "22 ED A0 BD ED B8 80 22,             1, well-formed UTF-8",
    "22 F4 90 80 80 22,                   1, well-formed UTF-8",
    "22 F5 80 80 80 22,                   1, well-formed UTF-8",
    "22 FF 22,                            1, well-formed UTF-8",
    "22 C3 C3 22,                         1, well-formed UTF-8",
    "22 61 61 61 61 61 61 61 61 FF 22,    9, found byte 0xFF",
  })
  void refusesBytesThatCanNotBe(String hex, int at, String detail) {
    assertMalformed(HexFormat.ofDelimiter(" ").parseHex(hex), at, detail);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "C2 80",
        "DF BF",
        "E0 A0 80",
        "ED 9F BF",
        "EE 80 80",
        "EF BB BF",
        "EF BF BF",
        "F0 90 80 80",
        "F4 8F BF BF",
        "7F"
      })
  void acceptsTheEdgesOfUtf8(String hex) {
    byte[] utf8 = HexFormat.ofDelimiter(" ").parseHex("22 " + hex + " 22");
    assertThat(Json.parse(utf8).toBytes()).isEqualTo(utf8);
  }

  @Test
  void refusesADocumentCutOffAnywhere() {
    byte[] whole =
        "{\"a\":[1.5e-3,-0,true,false,null,{}],\"\\u00e9\\n\":\"caf\u00e9 \u20ac \ud83d\ude00\", \"b\":[[ ]]}"
            .getBytes(UTF_8);
    assertThat(Json.parse(whole).length()).isEqualTo(whole.length);
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertRefused(() -> Json.parse(cut), Code.MALFORMED_JSON);
      assertRefused(() -> Json.members(cut, 9), Code.MALFORMED_JSON);
    }
  }

  @Test
  void refusesUnpairedSurrogatesInText() {
    for (String text : List.of("\"a\ud800\"", "\"\udc00\ud83d\ude00\"", "\"\ude00\ud83d\"")) {
      assertRefused(() -> Json.parse(text), Code.MALFORMED_JSON)
          .contains("lone surrogate", "escape");
    }
    assertRefused(() -> Json.parse("\"ab\ud83d\ude00\udc00\""), Code.MALFORMED_JSON)
        .contains("At char 5", "U+DC00");
    assertRefused(() -> Json.parse("\ufeff1"), Code.MALFORMED_JSON).contains("byte order mark");
  }

  @Test
  void callsABodyMalformedBeforeAnythingElse() {
    assertRefused(() -> Json.members("{\"a\":1,\"a\":2".getBytes(UTF_8), 9), Code.MALFORMED_JSON);
    assertRefused(() -> Json.members("[1,2".getBytes(UTF_8), 9), Code.MALFORMED_JSON);
  }

  @Test
  void parsesUpToTheHardLimit() {
    assertThat(Json.parse("[".repeat(512) + "]".repeat(512)).depth()).isEqualTo(512);
    assertRefused(() -> Json.parse("[".repeat(513) + "]".repeat(513)), Code.MALFORMED_JSON)
        .contains("At byte 512", "512 levels");
    assertThatIllegalArgumentException().isThrownBy(() -> Json.members(nested(2), 0));
    assertThatIllegalArgumentException().isThrownBy(() -> Json.members(nested(2), 513));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 63, 64, 65, 128, Json.MAX_DEPTH})
  void nestsUpToItsLimitAndNoFurther(int limit) {
    var members = Json.members(nested(limit), limit);
    assertThat(members).containsOnlyKeys("a");
    assertThat(Json.parse(nested(limit)).members().values().iterator().next().depth())
        .isEqualTo(limit - 1);
    assertRefused(() -> Json.members(nested(limit + 1), limit), Code.MALFORMED_JSON)
        .contains("deeper than the " + limit + " levels");
  }

  /**
   * Objects and arrays in turn, so that every bit of the scanner's stack is needed to close them.
   */
  private static byte[] nested(int depth) {
    var text = new StringBuilder();
    for (int level = 1; level < depth; level++) {
      text.append(level % 3 == 1 ? "{\"a\":" : "[");
    }
    text.append(depth % 3 == 1 ? "{\"a\":0}" : "[0]");
    for (int level = depth - 1; level >= 1; level--) {
      text.append(level % 3 == 1 ? "}" : "]");
    }
    return text.toString().getBytes(UTF_8);
  }

  private static void assertMalformed(byte[] utf8, int at, String detail) {
    assertRefused(() -> Json.parse(utf8), Code.MALFORMED_JSON)
        .startsWith("At byte " + at + " of the JSON text: ")
        .contains(detail)
        .endsWith(".")
        .hasSizeLessThan(200);
  }
}
