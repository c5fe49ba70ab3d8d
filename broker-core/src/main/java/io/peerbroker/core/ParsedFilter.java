package io.peerbroker.core;

import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A filter as {@link TagFilter#parse} makes it; equal when it means the same. */
record ParsedFilter(Set<String> required, Set<String> excluded) implements TagFilter {

  static final TagFilter ALL = new ParsedFilter(Set.of(), Set.of());

  /** The filter in its written form, sorted. */
  @Override
  public String toString() {
    return Stream.concat(
            required.stream().sorted(), excluded.stream().sorted().map(tag -> "!" + tag))
        .collect(Collectors.joining(","));
  }
}
