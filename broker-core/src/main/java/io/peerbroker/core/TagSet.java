package io.peerbroker.core;

import java.util.AbstractSet;
import java.util.Arrays;
import java.util.Collection;
import java.util.Iterator;

/**
 * The tags of one side of a filter, in order; unmodifiable.
 *
 * <p>Uses binary search, not hashing: clients choose the tags and could make their hash codes
 * collide, within one filter and across all filters, so that each change compared with them would
 * be expensive.
 */
final class TagSet extends AbstractSet<String> implements Comparable<TagSet> {

  private final String[] sorted;

  TagSet(Collection<String> tags) {
    sorted = tags.stream().distinct().sorted().toArray(String[]::new);
  }

  @Override
  public boolean contains(Object tag) {
    return tag instanceof String text && Arrays.binarySearch(sorted, text) >= 0;
  }

  @Override
  public Iterator<String> iterator() {
    return Arrays.asList(sorted).iterator();
  }

  @Override
  public int size() {
    return sorted.length;
  }

  @Override
  public int compareTo(TagSet other) {
    return Arrays.compare(sorted, other.sorted);
  }
}
