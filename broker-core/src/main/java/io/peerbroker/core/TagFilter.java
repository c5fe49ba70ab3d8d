package io.peerbroker.core;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * What chooses sessions by their tags: all required tags must be there, and none of the excluded
 * ones.
 *
 * <p>Written as a list: {@code chess,!full} asks for sessions with the tag {@code chess} and
 * without {@code full}. Tags compare by exact code points. Immutable.
 *
 * <p>Sealed, since filters are asked while the broker holds its lock, where no foreign code may
 * run.
 */
public sealed interface TagFilter permits ParsedFilter {

  /** How many code points a filter may have, decoded. */
  int MAX_CODE_POINTS = 1_024;

  /** The tags that must be there; unmodifiable. */
  Set<String> required();

  /**
   * The tags that must not be there; unmodifiable. A tag may be in both sets: then nothing matches.
   */
  Set<String> excluded();

  /** Whether a session with these tags (distinct ones) passes. */
  default boolean matches(List<String> tags) {
    Objects.requireNonNull(tags, "tags");
    Set<String> required = required();
    Set<String> excluded = excluded();
    int missing = required.size();
    if (missing > tags.size()) {
      return false;
    }
    for (String tag : tags) {
      if (excluded.contains(tag)) {
        return false;
      }
      if (missing > 0 && required.contains(tag)) {
        missing--;
      }
    }
    return missing == 0;
  }

  /** The filter that passes what both this and another pass. */
  default TagFilter and(TagFilter other) {
    Objects.requireNonNull(other, "other");
    if (other.required().isEmpty() && other.excluded().isEmpty()) {
      return this;
    }
    return new ParsedFilter(
        union(required(), other.required()), union(excluded(), other.excluded()));
  }

  private static Set<String> union(Set<String> some, Set<String> more) {
    Set<String> all = new LinkedHashSet<>(some);
    all.addAll(more);
    return all;
  }

  /** The filter that passes every listed session. */
  static TagFilter all() {
    return ParsedFilter.ALL;
  }

  /**
   * The filter that passes a session with all of these tags, whatever characters they have: for
   * tags that are made of a name, where {@link #parse} would read a comma in it as two terms.
   *
   * @throws IllegalArgumentException for a text that cannot be a tag
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
   * Reads a filter: terms with commas between them, {@code !} before a tag to exclude it, white
   * space around terms ignored. An empty text passes everything.
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
            "A tag in a filter takes one '!' at the most; " + Tags.quote(term) + " has more.");
      }
      (exclude ? excluded : required).add(tag);
      start = end + 1;
    }
    return new ParsedFilter(required, excluded);
  }

  private static RefusedException invalid(String detail) {
    return new RefusedException(Refusal.of(Refusal.Code.INVALID_FILTER, detail));
  }
}
