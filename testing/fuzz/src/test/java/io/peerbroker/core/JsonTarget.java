package io.peerbroker.core;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Any bytes to the JSON scanner, with the JDK's UTF-8 decoder and Jackson for judges. {@link
 * #judge} says where they differ: a byte order mark, and how deep a text may be.
 */
public final class JsonTarget {

  private static final int BODY_DEPTH = 64;

  private static final JsonFactory JACKSON =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(Integer.MAX_VALUE)
                  .maxNumberLength(Integer.MAX_VALUE)
                  .maxStringLength(Integer.MAX_VALUE)
                  .maxNameLength(Integer.MAX_VALUE)
                  .build())
          .build();

  /** A token with its text, and how many brackets are open around it. */
  private record Token(JsonToken kind, String text, int depth) {}

  private JsonTarget() {}

  /** One input. */
  public static void fuzzerTestOneInput(byte[] utf8) {
    List<Token> judged = judge(utf8);
    int depth = judged == null ? 0 : deepest(judged);
    Json json = accepted(utf8);

    assertThat(json != null).isEqualTo(judged != null && depth <= Json.MAX_DEPTH);
    if (json == null || judged == null) {
      return;
    }
    assertThat(json.depth()).isEqualTo(depth);
    assertRelayed(json, utf8);
    assertThat(json.compact()).isEqualTo(json).hasToString(json.toString());
    assertThat(judge(json.toBytes())).isEqualTo(judged);
    if (json.isArray()) {
      assertThat(json.elements().stream().map(part -> judge(part.toBytes())).toList())
          .isEqualTo(parts(judged, false).stream().map(Part::value).toList());
    }
    if (json.isString()) {
      assertThat(json.asString()).isEqualTo(judged.get(0).text());
    }
    assertCut(utf8, judged, depth);
  }

  /** The output is the input, except for white space between tokens, and it is one line. */
  private static void assertRelayed(Json json, byte[] utf8) {
    String text = new String(utf8, UTF_8);
    int start = 0;
    int end = text.length();
    while (" \t\r\n".indexOf(text.charAt(start)) >= 0) {
      start++;
    }
    while (" \t\r\n".indexOf(text.charAt(end - 1)) >= 0) {
      end--;
    }
    String bare = text.substring(start, end);
    assertThat(json.toString()).isEqualTo(bare);
    byte[] line = new byte[json.length() + 2];
    assertThat(json.copyLine(line, 1)).isEqualTo(line.length - 1);
    assertThat(new String(line, 1, json.length(), UTF_8))
        .isEqualTo(bare.replace('\r', ' ').replace('\n', ' '));
  }

  /** As a request body it is cut where Jackson sees its members. */
  private static void assertCut(byte[] utf8, List<Token> judged, int depth) {
    Map<String, Json> members;
    try {
      members = Json.members(utf8, BODY_DEPTH);
    } catch (RefusedException refused) {
      if (depth > BODY_DEPTH) {
        assertThat(refused.refusal().code()).isEqualTo(Refusal.Code.MALFORMED_JSON);
        return;
      }
      assertThat(refused.refusal().code()).isEqualTo(Refusal.Code.INVALID_REQUEST);
      Set<String> names = new HashSet<>();
      assertThat(
              judged.get(0).kind() != JsonToken.START_OBJECT
                  || !parts(judged, true).stream().allMatch(part -> names.add(part.name())))
          .as("it is no object, or names a member twice")
          .isTrue();
      return;
    }
    List<Part> expected = parts(judged, true);
    assertThat(depth).isLessThanOrEqualTo(BODY_DEPTH);
    assertThat(judged.get(0).kind()).isEqualTo(JsonToken.START_OBJECT);
    assertThat(List.copyOf(members.keySet())).isEqualTo(expected.stream().map(Part::name).toList());
    List<Part> cut = new ArrayList<>();
    members.forEach((name, value) -> cut.add(new Part(name, judge(value.toBytes()))));
    assertThat(cut).isEqualTo(expected);
  }

  private static @Nullable Json accepted(byte[] utf8) {
    try {
      return Json.parse(utf8);
    } catch (RefusedException refused) {
      assertThat(refused.refusal().code()).isEqualTo(Refusal.Code.MALFORMED_JSON);
      return null;
    }
  }

  /** Returns the tokens of a JSON text, or null if it is malformed. */
  private static @Nullable List<Token> judge(byte[] utf8) {
    String text;
    try {
      text = UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString();
    } catch (CharacterCodingException e) {
      return null;
    }
    // RFC 8259, 8.1: senders must not send one; the protocol refuses it.
    if (text.startsWith("\uFEFF")) {
      return null;
    }
    List<Token> tokens = new ArrayList<>();
    int open = 0;
    try (JsonParser parser = JACKSON.createParser(text)) {
      for (JsonToken kind = parser.nextToken(); kind != null; kind = parser.nextToken()) {
        if (open == 0 && !tokens.isEmpty()) {
          return null;
        }
        open -= kind.isStructEnd() ? 1 : 0;
        tokens.add(new Token(kind, parser.getText(), open));
        open += kind.isStructStart() ? 1 : 0;
      }
    } catch (IOException e) {
      return null;
    }
    return tokens.isEmpty() ? null : tokens;
  }

  private static int deepest(List<Token> tokens) {
    return tokens.stream()
        .mapToInt(token -> token.kind().isStructStart() ? token.depth() + 1 : 0)
        .max()
        .orElseThrow();
  }

  /** A member, or an element with an empty name; the tokens of its value as of a text by itself. */
  private record Part(String name, @Nullable List<Token> value) {}

  private static List<Part> parts(List<Token> whole, boolean members) {
    List<Part> parts = new ArrayList<>();
    String name = "";
    List<Token> value = new ArrayList<>();
    for (Token token : whole.subList(1, Math.max(1, whole.size() - 1))) {
      if (members && token.depth() == 1 && token.kind() == JsonToken.FIELD_NAME) {
        name = token.text();
        continue;
      }
      value.add(new Token(token.kind(), token.text(), token.depth() - 1));
      if (token.depth() == 1 && !token.kind().isStructStart()) {
        parts.add(new Part(name, List.copyOf(value)));
        value.clear();
      }
    }
    return parts;
  }
}
