package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.fuzz.Input;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Any text for a filter, and any for tags, against a naive form of the rules L2 to L6 and S16 to
 * S19.
 */
public final class FilterTarget {

  /** By the JDK's tables; the filter has a list of its own. */
  private static final BitSet WHITE = new BitSet();

  static {
    Pattern white = Pattern.compile("\\p{IsWhite_Space}");
    for (char c = 0; c < Character.MAX_VALUE; c++) {
      WHITE.set(c, white.matcher(String.valueOf(c)).matches());
    }
  }

  private FilterTarget() {}

  /** One input: a filter, then tags. */
  public static void fuzzerTestOneInput(byte[] bytes) {
    Input input = new Input(bytes);
    String text = input.text();
    List<String> tags = new ArrayList<>();
    while (input.hasMore() && tags.size() < 8) {
      String tag = trimmed(input.text());
      boolean legal = isTerm(tag);
      assertThat(isTag(tag)).isEqualTo(legal);
      if (legal && !tags.contains(tag)) {
        tags.add(tag);
      }
    }

    Terms expected = terms(text);
    TagFilter filter = parsed(text);
    assertThat(filter == null ? null : new Terms(filter.required(), filter.excluded()))
        .isEqualTo(expected);
    if (filter == null || expected == null) {
      return;
    }
    assertThat(TagFilter.parse(filter.toString())).isEqualTo(filter).hasToString(filter.toString());
    assertThat(filter.matches(tags))
        .isEqualTo(
            tags.containsAll(expected.required())
                && tags.stream().noneMatch(expected.excluded()::contains));
  }

  private record Terms(Set<String> required, Set<String> excluded) {}

  private static @Nullable Terms terms(String text) {
    Terms terms = new Terms(new TreeSet<>(), new TreeSet<>());
    if (text.codePoints().count() > 1_024) {
      return null;
    }
    if (trimmed(text).isEmpty()) {
      return terms;
    }
    for (String term : text.split(",", -1)) {
      String bare = trimmed(term);
      boolean excluded = bare.startsWith("!");
      String tag = excluded ? trimmed(bare.substring(1)) : bare;
      if (!isTerm(tag)) {
        return null;
      }
      (excluded ? terms.excluded() : terms.required()).add(tag);
    }
    return terms;
  }

  private static String trimmed(String text) {
    String bare = text;
    while (!bare.isEmpty() && WHITE.get(bare.charAt(0))) {
      bare = bare.substring(1);
    }
    while (!bare.isEmpty() && WHITE.get(bare.charAt(bare.length() - 1))) {
      bare = bare.substring(0, bare.length() - 1);
    }
    return bare;
  }

  private static boolean isTerm(String bare) {
    long length = bare.codePoints().count();
    return length >= 1
        && length <= 64
        && bare.codePoints()
            .noneMatch(c -> c == ',' || Character.isISOControl(c) || (c >= 0xD800 && c <= 0xDFFF))
        && !bare.startsWith("!");
  }

  private static boolean isTag(String tag) {
    try {
      return SessionSpec.listed(tag).tags().equals(List.of(tag));
    } catch (RefusedException refused) {
      assertThat(refused.refusal().code()).isEqualTo(Refusal.Code.INVALID_TAG);
      return false;
    }
  }

  private static @Nullable TagFilter parsed(String text) {
    try {
      return TagFilter.parse(text);
    } catch (RefusedException refused) {
      assertThat(refused.refusal().code()).isEqualTo(Refusal.Code.INVALID_FILTER);
      // Shown to a client, on one line.
      assertThat(refused.refusal().detail().chars())
          .noneMatch(c -> Character.isISOControl(c) || c == 0x2028);
      return null;
    }
  }
}
