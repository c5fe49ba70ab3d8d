package io.peerbroker.core;

import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A filter as {@link TagFilter#parse} makes it. Two filters are equal if they mean the same. */
record ParsedFilter(TagSet required, TagSet excluded)
    implements TagFilter, Comparable<ParsedFilter> {

  static final ParsedFilter ALL = new ParsedFilter(List.of(), List.of());

  ParsedFilter(Collection<String> required, Collection<String> excluded) {
    this(new TagSet(required), new TagSet(excluded));
  }

  /**
   * Returns a filter that a caller has passed, if the broker may evaluate it inside its lock.
   *
   * @throws IllegalArgumentException for a filter of another implementation
   */
  static ParsedFilter of(TagFilter filter) {
    Objects.requireNonNull(filter, "filter");
    if (filter instanceof ParsedFilter parsed) {
      return parsed;
    }
    throw new IllegalArgumentException(
        "A filter must come from TagFilter.parse, requiring, all or and, since the broker evaluates"
            + " it inside its lock; this one is a "
            + filter.getClass().getName()
            + ".");
  }

  @Override
  public boolean matches(List<String> tags) {
    Objects.requireNonNull(tags, "tags");
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

  @Override
  public ParsedFilter and(TagFilter other) {
    Objects.requireNonNull(other, "other");
    ParsedFilter more = of(other);
    if (more.required.isEmpty() && more.excluded.isEmpty()) {
      return this;
    }
    return new ParsedFilter(union(required, more.required), union(excluded, more.excluded));
  }

  private static Set<String> union(Set<String> some, Set<String> more) {
    Set<String> all = new LinkedHashSet<>(some);
    all.addAll(more);
    return all;
  }

  @Override
  public int compareTo(ParsedFilter other) {
    int order = required.compareTo(other.required);
    return order != 0 ? order : excluded.compareTo(other.excluded);
  }

  /** Returns the filter in its written form, sorted. */
  @Override
  public String toString() {
    return Stream.concat(required.stream(), excluded.stream().map(tag -> "!" + tag))
        .collect(Collectors.joining(","));
  }
}
