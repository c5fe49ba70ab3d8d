package io.peerbroker.core;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A filter as {@link TagFilter#parse} makes it; equal when it means the same. */
record ParsedFilter(TagSet required, TagSet excluded) implements TagFilter {

  static final TagFilter ALL = new ParsedFilter(List.of(), List.of());

  /** An order of all filters, in which equal ones are at one place. */
  static final Comparator<TagFilter> ORDER =
      Comparator.comparing(
          filter -> (ParsedFilter) filter,
          Comparator.comparing(ParsedFilter::required).thenComparing(ParsedFilter::excluded));

  ParsedFilter(Collection<String> required, Collection<String> excluded) {
    this(new TagSet(required), new TagSet(excluded));
  }

  /** The filter in its written form, sorted. */
  @Override
  public String toString() {
    return Stream.concat(required.stream(), excluded.stream().map(tag -> "!" + tag))
        .collect(Collectors.joining(","));
  }
}
