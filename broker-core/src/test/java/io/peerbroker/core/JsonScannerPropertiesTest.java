package io.peerbroker.core;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import io.peerbroker.core.JsonTexts.Member;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.statistics.Statistics;
import net.jqwik.api.statistics.StatisticsReport;

/**
 * The scanner against two judges that share no code with it: the JDK's UTF-8 decoder, and Gson's
 * strict reader, walked token by token (its {@code skipValue} lets raw control characters pass).
 * Where Gson and RFC 8259 differ, {@link #DIFFERENCES} says which one is right.
 */
class JsonScannerPropertiesTest {

  /** A text about which Gson and the scanner disagree, and the section that decides. */
  private record Difference(String text, boolean legal, boolean gson, String decidedBy) {}

  private static final List<Difference> DIFFERENCES =
      List.of(
          new Difference("\"\\ud800\"", true, false, "8.2: the grammar allows unpaired escapes"),
          new Difference("\"\\udc00\\ud800\"", true, false, "8.2"),
          new Difference("\ufeff1", false, true, "8.1: must not add a BOM; PROTOCOL 6 refuses it"),
          new Difference("1".repeat(5000), true, false, "6: no limit; Gson's buffer ends at 1024"),
          new Difference("[".repeat(256) + "]".repeat(256), true, false, "9: our limit is 512"),
          new Difference("[".repeat(513) + "]".repeat(513), false, false, "9: our limit is 512"));

  @Example
  void theKnownDifferencesAreStillThere() {
    for (Difference difference : DIFFERENCES) {
      assertThat(isAccepted(difference.text().getBytes(UTF_8)))
          .as("scanner, %s", difference.decidedBy())
          .isEqualTo(difference.legal());
      assertThat(isAcceptedByGson(difference.text(), 255))
          .as("Gson, %s", difference.decidedBy())
          .isEqualTo(difference.gson());
    }
  }

  @Property(tries = 1500, seed = "8259", edgeCases = EdgeCasesMode.NONE)
  void acceptsWhatIsLegalAndKeepsIt(@ForAll("documents") String text) throws IOException {
    Json json = Json.parse(text);

    assertThat(json).hasToString(text.strip());
    assertThat(json.depth()).isEqualTo(walk(strictReader(forGson(text), Json.MAX_DEPTH)));
    byte[] line = new byte[json.length()];
    assertThat(json.copyLine(line, 0)).isEqualTo(line.length);
    assertThat(new String(line, UTF_8)).isEqualTo(text.strip().replaceAll("[\r\n]", " "));
  }

  @StatisticsReport(onFailureOnly = true)
  @Property(tries = 6000, seed = "3629", edgeCases = EdgeCasesMode.NONE)
  void agreesWithItsJudgesAboutDamagedDocuments(@ForAll("damaged") byte[] utf8) {
    boolean legal = isLegal(utf8);
    Statistics.collect(legal);
    Statistics.coverage(
        coverage -> {
          coverage.check(true).percentage(share -> share > 10);
          coverage.check(false).percentage(share -> share > 10);
        });

    assertThat(isAccepted(utf8)).isEqualTo(legal);
  }

  @StatisticsReport(onFailureOnly = true)
  @Property(tries = 1000, seed = "7159", edgeCases = EdgeCasesMode.NONE)
  void cutsObjectsWhereTheyWereJoined(@ForAll("objects") List<Member> members) throws IOException {
    String text = JsonTexts.join(members);
    Set<String> names = new HashSet<>();
    boolean twice = false;
    for (Member member : members) {
      twice |= !names.add(readName(member.name()));
    }
    Statistics.collect(twice);
    Statistics.coverage(
        coverage -> {
          coverage.check(true).percentage(share -> share > 5);
          coverage.check(false).percentage(share -> share > 20);
        });

    if (twice) {
      assertThatThrownBy(() -> Json.members(text.getBytes(UTF_8), Json.MAX_DEPTH))
          .hasMessageStartingWith("invalid_request: ");
      return;
    }
    var cut = Json.members(text.getBytes(UTF_8), Json.MAX_DEPTH);
    assertThat(cut).hasSameSizeAs(members);
    assertThat(cut.values())
        .extracting(Json::toString)
        .containsExactlyElementsOf(members.stream().map(Member::value).toList());
    var tree = tree(text).getAsJsonObject();
    assertThat(cut.keySet()).containsExactlyElementsOf(tree.keySet());
    cut.forEach((name, value) -> assertThat(value.toElement()).isEqualTo(tree.get(name)));
  }

  @Property(tries = 1000, seed = "9457", edgeCases = EdgeCasesMode.NONE)
  void cutsArraysWhereTheyWereJoined(@ForAll("arrays") List<String> elements) {
    Json array = Json.parse("[" + String.join("\n,", elements) + " ]");

    assertThat(array.elements())
        .extracting(Json::toString)
        .containsExactlyElementsOf(elements.stream().map(String::strip).toList());
  }

  @Property(tries = 1500, seed = "6901", edgeCases = EdgeCasesMode.NONE)
  void unescapesAsGsonDoes(@ForAll("strings") String text) {
    assertThat(Json.parse(text).asString()).isEqualTo(tree(text).getAsString());
  }

  @Provide
  Arbitrary<String> documents() {
    return JsonTexts.documents();
  }

  @Provide
  Arbitrary<byte[]> damaged() {
    return JsonTexts.damaged();
  }

  @Provide
  Arbitrary<List<Member>> objects() {
    return JsonTexts.members();
  }

  @Provide
  Arbitrary<List<String>> arrays() {
    return JsonTexts.documents().list().ofMinSize(1).ofMaxSize(5);
  }

  @Provide
  Arbitrary<String> strings() {
    return JsonTexts.strings();
  }

  private static boolean isAccepted(byte[] utf8) {
    try {
      Json.parse(utf8);
      return true;
    } catch (RefusedException e) {
      assertThat(e.refusal().code()).isEqualTo(Refusal.Code.MALFORMED_JSON);
      return false;
    }
  }

  private static boolean isLegal(byte[] utf8) {
    try {
      String text = UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString();
      return !text.startsWith("\ufeff") && isAcceptedByGson(forGson(text), Json.MAX_DEPTH);
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  /** As legal as before, but without escapes of surrogates, see {@link #DIFFERENCES}. */
  private static String forGson(String text) {
    return text.replaceAll("\\\\u[dD][89a-fA-F][0-9a-fA-F]{2}", "\\\\u0041");
  }

  private static boolean isAcceptedByGson(String text, int maxDepth) {
    try {
      walk(strictReader(text, maxDepth));
      return true;
    } catch (IOException | IllegalStateException e) {
      return false;
    }
  }

  private static JsonReader strictReader(String text, int maxDepth) {
    var reader = new JsonReader(new StringReader(text));
    reader.setStrictness(Strictness.STRICT);
    reader.setNestingLimit(maxDepth);
    return reader;
  }

  /** Reads every token to the end of the document; returns the depth. */
  private static int walk(JsonReader reader) throws IOException {
    int depth = 0;
    int deepest = 0;
    while (true) {
      switch (reader.peek()) {
        case BEGIN_ARRAY -> {
          reader.beginArray();
          deepest = Math.max(deepest, ++depth);
        }
        case BEGIN_OBJECT -> {
          reader.beginObject();
          deepest = Math.max(deepest, ++depth);
        }
        case END_ARRAY -> {
          reader.endArray();
          depth--;
        }
        case END_OBJECT -> {
          reader.endObject();
          depth--;
        }
        case NAME -> {
          var unused = reader.nextName();
        }
        case STRING, NUMBER -> {
          var unused = reader.nextString();
        }
        case BOOLEAN -> {
          var unused = reader.nextBoolean();
        }
        case NULL -> reader.nextNull();
        case END_DOCUMENT -> {
          return deepest;
        }
      }
    }
  }

  /** Gson's tree, by a reader that takes lone surrogates. */
  private static JsonElement tree(String text) {
    try {
      return new Gson().getAdapter(JsonElement.class).fromJson(text);
    } catch (IOException e) {
      throw new AssertionError(text, e);
    }
  }

  private static String readName(String name) throws IOException {
    var reader = new JsonReader(new StringReader("{" + name + ":0}"));
    reader.beginObject();
    assertThat(reader.peek()).isEqualTo(JsonToken.NAME);
    return reader.nextName();
  }
}
