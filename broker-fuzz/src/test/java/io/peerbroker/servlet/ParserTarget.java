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
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The small parsers of what stands outside of bodies: event ids, the query, the header Accept. */
public final class ParserTarget {

  private static final Pattern EVENT_ID =
      Pattern.compile("[^.]*\\.[^.]*\\.[1-9][0-9]{0,17}", Pattern.DOTALL);
  private static final Pattern ENCODED = Pattern.compile("(?:[!-$&-~]|%[0-9A-Fa-f]{2})*");

  private ParserTarget() {}

  /** One input: which parser, then what it is given. */
  public static void fuzzerTestOneInput(byte[] bytes) {
    Input input = new Input(bytes);
    switch (input.below(3)) {
      case 0 -> eventId(input.text());
      case 1 -> query(new String(input.part(), ISO_8859_1));
      default -> accept(new String(input.part(), ISO_8859_1), new String(input.part(), ISO_8859_1));
    }
  }

  /** What is read is what was written, and nothing else is read. */
  private static void eventId(String text) {
    boolean legal = text.length() <= 128 && EVENT_ID.matcher(text).matches();
    assertThat(Held.readAndWrite(text)).isEqualTo(legal ? text : null);
  }

  /** Cut naively and decoded by the JDK. */
  private static void query(String raw) {
    Query query = new Query(raw);
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

  /** Weights are weights; lines are one line; the most specific range decides. */
  private static void accept(String line, String another) {
    for (String type : new String[] {Accept.JSON, Accept.EVENT_STREAM}) {
      double quality = of(line, another).quality(type);
      assertThat(quality).isBetween(0.0, 1.0);
      if ((line + another).contains("\"")) {
        // A quoted string reaches as far as its end, which may be on the other line.
        continue;
      }
      assertThat(of(line + "," + another).quality(type)).isEqualTo(quality);
      assertThat(of(another, line).quality(type)).isEqualTo(quality);
      assertThat(of(line, another, type).quality(type)).isEqualTo(1);
      if (!line.toLowerCase(java.util.Locale.ROOT).contains(type)) {
        assertThat(of(line, type + ";q=0").allows(type)).isFalse();
        assertThat(of(line, "*/*;q=0.001").allows(type))
            .isEqualTo(of(line, "*/*;q=0.001", "*/*;q=0").allows(type));
      }
    }
  }

  private static Accept of(String... lines) {
    return new Accept(Collections.enumeration(List.of(lines)));
  }
}
