package io.peerbroker.core;

import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A filter as {@link TagFilter#parse} makes it. Two filters are equal if they mean the same. */
record ParsedFilter(TagSet required, TagSet excluded)
    implements TagFilter, Comparable<ParsedFilter> {

  static final TagFilter ALL = new ParsedFilter(List.of(), List.of());

  ParsedFilter(Collection<String> required, Collection<String> excluded) {
    this(new TagSet(required), new TagSet(excluded));
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
