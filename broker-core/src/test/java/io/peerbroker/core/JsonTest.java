package io.peerbroker.core;

import static io.peerbroker.core.RefusalAssert.assertRefused;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peerbroker.core.Refusal.Code;
import java.util.Arrays;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a value reports about itself; nothing about it changes on the way through. */
class JsonTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "1.0",
        "1e400",
        "-0",
        "0E+2",
        "12345678901234567890",
        "{\"a\":1,\"a\":2}",
        "\"\u2028\\u2028\"",
        "\"\\ud800 \\uDC00\\uD800\"",
        "\"\\u0000\"",
        "\"\\/ \u00e9 \\u00E9 \ud83d\ude00\"",
        "[ 1 ,\t{ \"a\" : [ ] } ]",
        "\"\"",
        "true"
      })
  void isRelayedAsItCame(String text) {
    byte[] body = ("{\"before\":0, \"message\" : " + text + " }").getBytes(UTF_8);
    Json message = member(body, "message");

    assertThat(message)
        .hasToString(text)
        .isEqualTo(Json.parse(text))
        .hasSameHashCodeAs(Json.parse(text));
    assertThat(message.toBytes()).isEqualTo(text.getBytes(UTF_8));
    assertThat(message.length()).isEqualTo(text.getBytes(UTF_8).length);
  }

  @Test
  void whatHoldsItselfHasNoJson() {
    java.util.List<Object> list = new java.util.ArrayList<>();
    list.add(list);
    java.util.Map<String, Object> map = new java.util.HashMap<>();
    map.put("self", map);
    for (Object cyclic : new Object[] {list, map}) {
      org.assertj.core.api.Assertions.assertThatIllegalArgumentException()
          .isThrownBy(() -> Json.of(cyclic))
          .withMessageContaining("part of itself");
    }
  }

  @Test
  void theBytesThatAreParsedStayTheCallers() {
    byte[] bytes = {'"', 'a', '"'};
    Json json = Json.parse(bytes);
    bytes[1] = '\n';
    assertThat(json).hasToString("\"a\"");
  }

  @Test
  void isEqualByBytesAlone() {
    assertThat(Json.parse("1.0")).isNotEqualTo(Json.parse("1"));
    assertThat(Json.parse("\"a\"")).isNotEqualTo(Json.parse("\"\\u0061\""));
    assertThat(Json.parse(" null ")).isEqualTo(Json.NULL);
  }

  @Test
  void knowsItsKind() {
    assertThat(kinds("null")).isEqualTo("null");
    assertThat(kinds("true")).isEqualTo("boolean");
    assertThat(kinds("false")).isEqualTo("boolean");
    assertThat(kinds("-1")).isEqualTo("number");
    assertThat(kinds("0")).isEqualTo("number");
    assertThat(kinds("9")).isEqualTo("number");
    assertThat(kinds("\"1\"")).isEqualTo("string");
    assertThat(kinds(" [1]")).isEqualTo("array");
    assertThat(kinds("{}")).isEqualTo("object");
  }

  private static String kinds(String text) {
    Json json = Json.parse(text);
    return (json.isNull() ? "null" : "")
        + (json.isBoolean() ? "boolean" : "")
        + (json.isNumber() ? "number" : "")
        + (json.isString() ? "string" : "")
        + (json.isArray() ? "array" : "")
        + (json.isObject() ? "object" : "");
  }

  @Test
  void unescapesStrings() {
    assertThat(Json.parse("\"\"").asString()).isEmpty();
    assertThat(Json.parse("\"caf\u00e9 \ud83d\ude00\"").asString())
        .isEqualTo("caf\u00e9 \ud83d\ude00");
    assertThat(Json.parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00E9z\"").asString())
        .isEqualTo("\"\\/\b\f\n\r\tA\u00e9z");
    assertThat(Json.parse("\"\\ud83d\\ude00\"").asString()).isEqualTo("\ud83d\ude00");
    assertThat(Json.parse("\"a\\ud800b\"").asString()).isEqualTo("a\ud800b");
    assertThat(Json.parse("\"\\u0000\"").asString()).isEqualTo("\0");
    assertThat(Json.parse("\"\\\\u0041\"").asString()).isEqualTo("\\u0041");
  }

  @Test
  void readsTruthValues() {
    assertThat(Json.parse("true").asBoolean()).isTrue();
    assertThat(Json.parse("false").asBoolean()).isFalse();
  }

  @Test
  void cutsArrays() {
    assertThat(Json.parse("[]").elements()).isEmpty();
    assertThat(Json.parse("[ 1.0 , [2,3],{\"a\":1,\"a\":2}\n]").elements())
        .extracting(Json::toString)
        .containsExactly("1.0", "[2,3]", "{\"a\":1,\"a\":2}");
  }

  @Test
  void refusesTheWrongKind() {
    assertThatIllegalStateException()
        .isThrownBy(Json.NULL::asString)
        .withMessageContaining("string");
    assertThatIllegalStateException()
        .isThrownBy(Json.NULL::asBoolean)
        .withMessageContaining("true");
    assertThatIllegalStateException()
        .isThrownBy(Json.NULL::elements)
        .withMessageContaining("array");
    assertThatIllegalStateException()
        .isThrownBy(Json.NULL::members)
        .withMessageContaining("object");
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '\'',
      textBlock =
          """
          1,                        0
          'x',                      0
          '[]',                     1
          '{}',                     1
          '[{}]',                   2
          '{"a":[[]],"b":1}',       3
          '{"b":1,"a":[1,[1],[]]}', 3
          """)
  void countsItsDepth(String text, int depth) {
    assertThat(Json.parse(text.equals("x") ? "\"[[{\"" : text).depth()).isEqualTo(depth);
  }

  @Test
  void countsTheDepthOfEachPart() {
    var members =
        Json.members("{\"a\":[[[]]],\"b\":1,\"c\":{\"d\":[]},\"e\":[]}".getBytes(UTF_8), 4);
    assertThat(members.values()).extracting(Json::depth).containsExactly(3, 0, 2, 1);
    assertThat(Json.parse("[[[]],2,{}]").elements())
        .extracting(Json::depth)
        .containsExactly(2, 0, 1);
  }

  @Test
  void copiesOntoOneLine() {
    Json json = member("{\"a\":\r\n[1,\r\n\t\"\\r\\n\" ,\n2\r]\n,\"b\":\n0}".getBytes(UTF_8), "a");
    byte[] into = "data: ????????????????????????".getBytes(UTF_8);

    int end = json.copyLine(into, 6);

    assertThat(new String(into, 0, end, UTF_8)).isEqualTo("data: [1,  \t\"\\r\\n\" , 2 ]");
    assertThat(into[end]).isEqualTo((byte) '?');
    assertThat(json).hasToString("[1,\r\n\t\"\\r\\n\" ,\n2\r]");
  }

  @Test
  void copiesOntoOneLineWhateverWayItWasCut() {
    String text = "[[1,\n2],{\"a\":\r3,\"b\":[4\n]},5]";
    for (Json part : Json.parse(text).elements()) {
      assertThat(line(part)).isEqualTo(part.toString().replaceAll("[\r\n]", " "));
      assertThat(line(part.compact())).isEqualTo(line(part));
    }
    assertThat(line(Json.parse(text))).isEqualTo("[[1, 2],{\"a\": 3,\"b\":[4 ]},5]");
    assertThat(line(Json.parse("\n 7 \n"))).isEqualTo("7");
  }

  private static String line(Json json) {
    byte[] into = new byte[json.length()];
    assertThat(json.copyLine(into, 0)).isEqualTo(into.length);
    return new String(into, UTF_8);
  }

  @Test
  void compactsToItsOwnSize() {
    byte[] body = "{\"metadata\":[1,2],\"other\":3}".getBytes(UTF_8);
    Json slice = member(body, "metadata");
    Json compact = slice.compact();
    Arrays.fill(body, (byte) '!');

    assertThat(compact).hasToString("[1,2]");
    assertThat(compact.depth()).isEqualTo(1);
    assertThat(compact.compact()).isSameAs(compact);
    Json head = Json.parse("7 ");
    assertThat(head.compact())
        .as("at the front of a larger array")
        .isNotSameAs(head)
        .isEqualTo(head);
    assertThat(slice).as("shares the body's array").hasToString("!!!!!");
  }

  @ParameterizedTest
  @CsvSource({"80, true", "79, false"})
  @DisplayName("What is queued keeps at most an eighth more bytes than its own.")
  void keepsAnEighthAtMost(int length, boolean shared) {
    // The rest of the array has 10 bytes.
    byte[] body = ("{\"m\":\"" + "x".repeat(length - 2) + "\"    }").getBytes(UTF_8);
    Json nearly = member(body, "m").nearlyCompact();
    Arrays.fill(body, (byte) '!');
    assertThat(nearly.length()).isEqualTo(length);
    assertThat(nearly.toString().startsWith("!")).isEqualTo(shared);
  }

  @Test
  void givesNoWayToChangeIt() {
    Json json = Json.parse("[1]");
    json.toBytes()[1] = '2';
    assertThat(json).hasToString("[1]");
    assertThatThrownBy(() -> json.elements().clear())
        .isInstanceOf(UnsupportedOperationException.class);
    assertThatThrownBy(() -> Json.parse("{\"a\":1}").members().clear())
        .isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  void cutsBodiesIntoTheirMembers() {
    var members =
        Json.members(
            " { \"b\" : 1.0 ,\n\"\\u0061\":[ ], \"\":{\"x\":0,\"x\":1}}\r\n".getBytes(UTF_8), 2);
    assertThat(members.keySet()).containsExactly("b", "a", "");
    assertThat(members.values())
        .extracting(Json::toString)
        .containsExactly("1.0", "[ ]", "{\"x\":0,\"x\":1}");
    assertThat(Json.members("{}".getBytes(UTF_8), 1)).isEmpty();
  }

  @Test
  void refusesMembersGivenTwice() {
    assertRefused(
            () -> Json.members("{\"key\":1,\"b\":{},\"\\u006bey\":2}".getBytes(UTF_8), 9),
            Code.INVALID_REQUEST)
        .contains("\"key\"", "twice");
    Json values = member("{\"values\":{\"list\":true,\"list\":true}}".getBytes(UTF_8), "values");
    assertRefused(values::members, Code.INVALID_REQUEST).contains("\"list\"");
  }

  @Test
  void showsNoMoreOfANameThanNeeded() {
    String name = "\ud83d\ude00".repeat(64);
    String twice = "{\"%1$s\":1,\"%1$s\":2}";
    assertRefused(() -> Json.parse(twice.formatted(name)).members(), Code.INVALID_REQUEST)
        .contains('"' + name + '"');
    assertRefused(() -> Json.parse(twice.formatted(name + "x")).members(), Code.INVALID_REQUEST)
        .contains('"' + name + "…\"")
        .doesNotContain("x…");
    assertRefused(
            () -> Json.parse(twice.formatted("a\\r\\n\\u202e\\ud800b")).members(),
            Code.INVALID_REQUEST)
        .contains("\"a\\u000d\\u000a\\u202e\\ud800b\"");
  }

  @ParameterizedTest
  @ValueSource(strings = {"[]", "[1,2]", "1", "\"{}\"", "null", " true "})
  void refusesBodiesThatAreNoObject(String body) {
    assertRefused(() -> Json.members(body.getBytes(UTF_8), 9), Code.INVALID_REQUEST)
        .contains("JSON object");
  }

  private static Json member(byte[] body, String name) {
    Json member = Json.members(body, Json.MAX_DEPTH).get(name);
    if (member == null) {
      throw new AssertionError("no member " + name);
    }
    return member;
  }
}
