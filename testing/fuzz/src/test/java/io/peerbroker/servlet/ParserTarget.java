package io.peerbroker.servlet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Held;
import io.peerbroker.core.Refusal;
import io.peerbroker.core.RefusedException;
import io.peerbroker.fuzz.Input;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The small parsers for everything outside of bodies: event ids, the query, the header Accept. */
public final class ParserTarget {

  private static final Pattern EVENT_ID =
      Pattern.compile("[^.]*\\.[^.]*\\.[1-9][0-9]{0,17}", Pattern.DOTALL);

  /** A quoted string (RFC 9110, section 5.6.4). */
  private static final Pattern QUOTED =
      Pattern.compile("\"(?:[^\"\\\\]++|\\\\.)*+\"", Pattern.DOTALL);

  private static final Pattern ENCODED = Pattern.compile("(?:[!-$&-~]|%[0-9A-Fa-f]{2})*");

  private ParserTarget() {}

  /** One input: which parser, then its text. */
  public static void fuzzerTestOneInput(byte[] bytes) {
    Input input = new Input(bytes);
    switch (input.below(3)) {
      case 0 -> eventId(input.text());
      case 1 -> query(new String(input.part(), ISO_8859_1));
      default -> accept(new String(input.part(), ISO_8859_1), new String(input.part(), ISO_8859_1));
    }
  }

  /** A reader returns what was written, and reads nothing else. */
  private static void eventId(String text) {
    boolean legal = text.length() <= 128 && EVENT_ID.matcher(text).matches();
    assertThat(Held.readAndWrite(text)).isEqualTo(legal ? text : null);
  }

  /** Cut naively and decoded by the JDK. */
  private static void query(String raw) {
    QueryString query = new QueryString(raw);
    List<String> values = new ArrayList<>();
    boolean unreadable = false;
    boolean onlyFilter = true;
    for (String parameter : raw.split("&", -1)) {
      if (parameter.isEmpty()) {
        continue;
      }
      String[] parts = parameter.split("=", 2);
      if ("filter".equals(decoded(parts[0]))) {
        String value = decoded(parts.length == 1 ? "" : parts[1]);
        unreadable |= value == null;
        values.add(value);
      } else {
        onlyFilter = false;
      }
    }
    String found;
    try {
      found = query.value("filter", Refusal.Code.INVALID_FILTER);
      assertThat(values.size() <= 1 && !unreadable).isTrue();
      assertThat(found).isEqualTo(values.isEmpty() ? null : values.get(0));
    } catch (RefusedException refused) {
      assertThat(refused.refusal().code()).isEqualTo(Refusal.Code.INVALID_FILTER);
      assertThat(values.size() > 1 || unreadable).isTrue();
    }
    try {
      query.allowOnly(java.util.Set.of("filter"));
      assertThat(onlyFilter).isTrue();
    } catch (RefusedException refused) {
      assertThat(refused.refusal().code()).isEqualTo(Refusal.Code.INVALID_REQUEST);
      assertThat(onlyFilter).isFalse();
    }
  }

  private static @Nullable String decoded(String raw) {
    if (!ENCODED.matcher(raw).matches()) {
      return null;
    }
    // One char for each byte, which is then UTF-8 or is not.
    String chars = URLDecoder.decode(raw, ISO_8859_1);
    try {
      return UTF_8.newDecoder().decode(ByteBuffer.wrap(chars.getBytes(ISO_8859_1))).toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }

  /**
   * Weights are weights; lines are one line; a quoted string does not count, nor does a quote that
   * begins none; the most specific range decides.
   */
  private static void accept(String line, String another) {
    // A quote in one line may find its end in the next: then they are compared without.
    boolean apart = isClosed(line) && isClosed(another);
    String first = apart ? line : withoutQuotes(line);
    String second = apart ? another : withoutQuotes(another);
    String joined = line + "," + another;
    for (String type : new String[] {AcceptHeader.JSON, AcceptHeader.EVENT_STREAM}) {
      assertThat(of(joined).quality(type)).isBetween(0.0, 1.0);
      assertThat(of(line, another).quality(type)).isEqualTo(of(joined).quality(type));
      assertThat(of(withoutQuotes(joined)).quality(type)).isEqualTo(of(joined).quality(type));
      assertThat(of(second, first).quality(type)).isEqualTo(of(first, second).quality(type));
      assertThat(of(first, second, type).quality(type)).isEqualTo(1);
      if (!first.toLowerCase(Locale.ROOT).contains(type)) {
        assertThat(of(first, type + ";q=0").allows(type)).isFalse();
        assertThat(of(first, "*/*;q=0.001").allows(type))
            .isEqualTo(of(first, "*/*;q=0.001", "*/*;q=0").allows(type));
      }
    }
  }

  /** Whether no quote is left but those of whole quoted strings. */
  private static boolean isClosed(String line) {
    return !QUOTED.matcher(line).replaceAll("").contains("\"");
  }

  /**
   * Returns an equivalent text: a character that no range contains replaces each quoted string or
   * quote.
   */
  private static String withoutQuotes(String line) {
    return QUOTED.matcher(line).replaceAll("!").replace('"', '!');
  }

  private static AcceptHeader of(String... lines) {
    return new AcceptHeader(Collections.enumeration(List.of(lines)));
  }
}
