package io.peerbroker.core;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/** Generates legal JSON text in every spelling, and the same after some damage. */
final class JsonTexts {
  private JsonTexts() {}

  /** A member as it stands in the text, its name with quotes. */
  record Member(String name, String value) {}

  static Arbitrary<String> documents() {
    return Combinators.combine(white(), values(), white()).as((a, value, b) -> a + value + b);
  }

  /** Of an object; a few of them of one name. */
  static Arbitrary<List<Member>> members() {
    Arbitrary<String> names = Arbitraries.oneOf(strings(), Arbitraries.of("\"a\"", "\"\\u0061\""));
    return Combinators.combine(names, values()).as(Member::new).list().ofMaxSize(5);
  }

  static Arbitrary<String> strings() {
    Arbitrary<String> escapes =
        Arbitraries.of("\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\u0000");
    Arbitrary<String> anyEscape =
        Arbitraries.integers().between(0, 0xFFFF).map("\\u%04x"::formatted);
    Arbitrary<String> surrogates = Arbitraries.of("\\ud83d\\uDE00", "\\uD800", "\\udfff");
    Arbitrary<String> plain =
        Arbitraries.strings().withCharRange(' ', '~').excludeChars('"', '\\').ofMaxLength(20);
    Arbitrary<String> wide =
        Arbitraries.of("\u007f", "\u0080", "\u00e9", "\u07ff", "\u2028", "\uffff", "\ud83d\ude00");
    return Arbitraries.oneOf(plain, plain, wide, escapes, anyEscape, surrogates)
        .list()
        .ofMaxSize(5)
        .map(pieces -> '"' + String.join("", pieces) + '"');
  }

  /** Documents after one or two accidents; some of them are still legal. */
  static Arbitrary<byte[]> damaged() {
    return Combinators.combine(
            documents(),
            Arbitraries.of(Damage.values()).list().ofMinSize(1).ofMaxSize(2),
            Arbitraries.integers().between(0, 1_000_000),
            Arbitraries.oneOf(
                Arbitraries.of(" {}[],:;=#\"\\/019+-.eEtu'\n\r\t\f\0".chars().boxed().toList()),
                Arbitraries.of(0x1F, 0x7F, 0x80, 0xA0, 0xBF, 0xC0, 0xC3, 0xED, 0xEF, 0xF4, 0xFF)))
        .as(
            (text, damages, place, b) -> {
              byte[] utf8 = text.getBytes(UTF_8);
              for (Damage damage : damages) {
                utf8 = damage.to(utf8, place % (utf8.length + 1), b.byteValue());
              }
              return utf8;
            });
  }

  private enum Damage {
    INSERT,
    REPLACE,
    DELETE,
    CUT_OFF,
    TWICE;

    byte[] to(byte[] utf8, int place, byte b) {
      int rest = utf8.length - place;
      int skipped = Math.min(1, rest);
      ByteBuffer out = ByteBuffer.allocate(2 * utf8.length + 1).put(utf8, 0, place);
      switch (this) {
        case INSERT -> out.put(b).put(utf8, place, rest);
        case REPLACE -> out.put(b).put(utf8, place + skipped, rest - skipped);
        case DELETE -> out.put(utf8, place + skipped, rest - skipped);
        case CUT_OFF -> {}
        case TWICE -> out.put(utf8, place / 2, utf8.length - place / 2);
      }
      byte[] damaged = new byte[out.flip().remaining()];
      out.get(damaged);
      return damaged;
    }
  }

  private static Arbitrary<String> values() {
    Arbitrary<String> words = Arbitraries.of("null", "true", "false", "[]", "{}", "[ ]", "{\n}");
    Arbitrary<String> scalars = Arbitraries.oneOf(words, numbers(), strings());
    return Arbitraries.recursive(() -> scalars, JsonTexts::nest, 0, 3);
  }

  private static Arbitrary<String> nest(Arbitrary<String> inner) {
    Arbitrary<String> array =
        Combinators.combine(inner.list().ofMinSize(1).ofMaxSize(3), white(), white())
            .as((elements, a, b) -> "[" + a + String.join(b + "," + a, elements) + b + "]");
    Arbitrary<String> object =
        Combinators.combine(
                Combinators.combine(strings(), inner).as(Member::new).list().ofMaxSize(3), white())
            .as((members, a) -> join(members) + a);
    return Arbitraries.oneOf(array, object.map(String::strip));
  }

  private static Arbitrary<String> numbers() {
    return Combinators.combine(
            Arbitraries.of("", "-"),
            Arbitraries.of("0", "1", "42", "12345678901234567890"),
            Arbitraries.of("", "", ".0", ".50", ".000001"),
            Arbitraries.of("", "", "e1", "E+400", "e-07"))
        .as((sign, whole, fraction, exponent) -> sign + whole + fraction + exponent);
  }

  private static Arbitrary<String> white() {
    return Arbitraries.of("", "", " ", "\n", "\r\n", "\t", " \n\t ");
  }

  static String join(List<Member> members) {
    return members.stream()
        .map(member -> member.name() + " :\r\n" + member.value())
        .collect(Collectors.joining("\n, ", "{ ", " }"));
  }
}
