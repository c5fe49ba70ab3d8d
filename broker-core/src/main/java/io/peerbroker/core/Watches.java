package io.peerbroker.core;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;

/**
 * The live lists: those with equal filters together, under one tag that their filter requires, so
 * that a change is compared once with each filter that could see it, and with no other.
 *
 * <p>Guarded by the directory's lock.
 */
final class Watches {

  /** The live lists with equal filters. */
  static final class Group {
    final ParsedFilter filter;
    final Set<ListStream> streams = new LinkedHashSet<>();

    /** The tag that it is found under; empty where its filter requires none, as no tag is. */
    private final String home;

    private Group(ParsedFilter filter, String home) {
      this.filter = filter;
      this.home = home;
    }
  }

  private final ToIntFunction<String> frequency;
  private final Map<ParsedFilter, Group> groups = new TreeMap<>();
  private final Map<String, Set<Group>> byTag = new HashMap<>();

  /**
   * @param frequency how many sessions have a tag: the fewer, the better it is to be found under
   */
  Watches(ToIntFunction<String> frequency) {
    this.frequency = frequency;
  }

  void add(ListStream stream) {
    ParsedFilter filter = filterOf(stream);
    Group group = groups.get(filter);
    if (group == null) {
      group = new Group(filter, homeOf(filter));
      groups.put(group.filter, group);
      byTag.computeIfAbsent(group.home, unused -> new LinkedHashSet<>()).add(group);
    }
    group.streams.add(stream);
  }

  void remove(ListStream stream) {
    Group group = groups.get(filterOf(stream));
    if (group != null && group.streams.remove(stream) && group.streams.isEmpty()) {
      groups.remove(group.filter);
      Set<Group> beside = byTag.getOrDefault(group.home, Set.of());
      beside.remove(group);
      if (beside.isEmpty()) {
        byTag.remove(group.home);
      }
    }
  }

  /** There are no filters but these. */
  private static ParsedFilter filterOf(ListStream stream) {
    return (ParsedFilter) stream.filter();
  }

  /** Visits those that could see a session with any of these tags, each once. */
  void forEachThatCouldSee(List<String> tags, List<String> moreTags, Consumer<Group> visit) {
    visit("", visit);
    for (String tag : tags) {
      visit(tag, visit);
    }
    if (moreTags != tags) {
      for (String tag : moreTags) {
        if (!tags.contains(tag)) {
          visit(tag, visit);
        }
      }
    }
  }

  private void visit(String home, Consumer<Group> visit) {
    Set<Group> there = byTag.get(home);
    if (there != null) {
      there.forEach(visit);
    }
  }

  /**
   * The rarest tag that a filter requires. Where none is rarer, that with the fewest others, so
   * that those who watch before anything is there do not all come to lie under one.
   */
  private String homeOf(TagFilter filter) {
    String home = "";
    long best = Long.MAX_VALUE;
    for (String tag : filter.required()) {
      Set<Group> beside = byTag.get(tag);
      long cost = ((long) frequency.applyAsInt(tag) << 32) + (beside == null ? 0 : beside.size());
      if (cost < best) {
        best = cost;
        home = tag;
      }
    }
    return home;
  }
}
