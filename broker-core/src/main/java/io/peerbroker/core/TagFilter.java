package io.peerbroker.core;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * Selects sessions by their tags: all required tags must be present, and none of the excluded ones.
 *
 * <p>Written as a list: {@code chess,!full} selects sessions with the tag {@code chess} and without
 * {@code full}. Tags compare by exact code points. Immutable; two filters are equal if they mean
 * the same.
 *
 * <p>Filters come from {@link #parse}, {@link #requiring}, {@link #all} and {@link #and}. The
 * broker evaluates them while it holds its lock, where no foreign code may run, so it accepts no
 * others: it refuses another implementation, such as a mock, with {@link IllegalArgumentException}.
 * A mock serves tests of code that only passes a filter on.
 */
public interface TagFilter {

  /** The most code points that a filter may have, decoded. */
  int MAX_CODE_POINTS = 1_024;

  /** Returns the required tags; unmodifiable. */
  Set<String> required();

  /** Returns the excluded tags; unmodifiable. If a tag is in both sets, nothing matches. */
  Set<String> excluded();

  /** Returns whether a session with these distinct tags passes. */
  boolean matches(List<String> tags);

  /**
   * Returns the filter that passes what both this one and another pass.
   *
   * @throws IllegalArgumentException for a filter of another implementation
   */
  TagFilter and(TagFilter other);

  /** Returns the filter that passes every listed session. */
  static TagFilter all() {
    return ParsedFilter.ALL;
  }

  /**
   * Returns the filter that passes sessions with all of these tags. The tags may have any
   * characters: in a tag that is made from a name, {@link #parse} would read a comma as the end of
   * a term.
   *
   * @throws IllegalArgumentException if a text cannot be a tag
   */
  static TagFilter requiring(String... tags) {
    Objects.requireNonNull(tags, "tags");
    try {
      return new ParsedFilter(Tags.normalize(List.of(tags)), List.of());
    } catch (RefusedException notATag) {
      throw new IllegalArgumentException(notATag.refusal().detail(), notATag);
    }
  }

  /**
   * Parses a filter: terms separated by commas, with {@code !} before a tag to exclude it. White
   * space around terms is ignored. The empty text passes everything.
   *
   * @throws RefusedException {@code invalid_filter} for an empty term, a bare {@code !}, {@code
   *     !!}, a control character, a lone surrogate, a term of more than 64 code points or a text of
   *     more than {@value #MAX_CODE_POINTS}
   */
  static TagFilter parse(String text) {
    Objects.requireNonNull(text, "text");
    if (text.codePointCount(0, text.length()) > MAX_CODE_POINTS) {
      throw invalid("A filter must have at most " + MAX_CODE_POINTS + " code points.");
    }
    if (Tags.trim(text).isEmpty()) {
      return all();
    }
    Set<String> required = new LinkedHashSet<>();
    Set<String> excluded = new LinkedHashSet<>();
    int start = 0;
    while (start <= text.length()) {
      int comma = text.indexOf(',', start);
      int end = comma < 0 ? text.length() : comma;
      String term = Tags.trim(text.substring(start, end));
      boolean exclude = term.startsWith("!");
      String tag = exclude ? Tags.trim(term.substring(1)) : term;
      Tags.checkTerm(tag, Refusal.Code.INVALID_FILTER, "a tag in a filter");
      if (tag.startsWith("!")) {
        throw invalid(
            "A tag in a filter takes at most one '!'; " + Refusal.quote(term) + " has more.");
      }
      (exclude ? excluded : required).add(tag);
      start = end + 1;
    }
    return new ParsedFilter(required, excluded);
  }

  private static RefusedException invalid(String detail) {
    return RefusedException.of(Refusal.Code.INVALID_FILTER, detail);
  }
}
