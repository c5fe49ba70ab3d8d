package io.peerbroker.core;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The live lists: those with equal filters together, where a change that they could see comes by,
 * so that it is compared once with each filter that could see it, and with few others.
 *
 * <p>A filter is found under the rarest tag that it requires, and there under the most frequent one
 * that it excludes: a session without the first or with the second is none of its business.
 *
 * <p>Guarded by the directory's lock.
 */
final class Watches {

  /** Stands for the tag that a filter does not require or exclude, as no tag is empty. */
  private static final String NONE = "";

  /** The live lists with equal filters. */
  static final class Group {
    final ParsedFilter filter;
    final Set<ListStream> streams = new LinkedHashSet<>();
    private final String required;
    private final String excluded;

    private Group(ParsedFilter filter, String required, String excluded) {
      this.filter = filter;
      this.required = required;
      this.excluded = excluded;
    }
  }

  /** The groups that are found under one required tag, by the tag that they exclude. */
  private static final class Home {
    final Map<String, Set<Group>> byExcluded = new HashMap<>();
    int count;

    int count(String excluded) {
      return byExcluded.getOrDefault(excluded, Set.of()).size();
    }
  }

  private final ToIntFunction<String> frequency;
  private final Map<ParsedFilter, Group> groups = new TreeMap<>();
  private final Map<String, Home> byTag = new HashMap<>();

  /**
   * @param frequency how many sessions have a tag
   */
  Watches(ToIntFunction<String> frequency) {
    this.frequency = frequency;
  }

  void add(ListStream stream) {
    ParsedFilter filter = filterOf(stream);
    Group group = groups.get(filter);
    if (group == null) {
      String required = requiredOf(filter);
      Home home = byTag.computeIfAbsent(required, unused -> new Home());
      String excluded = excludedOf(filter, home);
      group = new Group(filter, required, excluded);
      home.byExcluded.computeIfAbsent(excluded, unused -> new LinkedHashSet<>()).add(group);
      home.count++;
      groups.put(group.filter, group);
    }
    group.streams.add(stream);
  }

  void remove(ListStream stream) {
    Group group = groups.get(filterOf(stream));
    if (group == null || !group.streams.remove(stream) || !group.streams.isEmpty()) {
      return;
    }
    groups.remove(group.filter);
    byTag.computeIfPresent(
        group.required,
        (required, home) -> {
          home.byExcluded.computeIfPresent(
              group.excluded,
              (excluded, beside) -> beside.remove(group) && beside.isEmpty() ? null : beside);
          home.count--;
          return home.count == 0 ? null : home;
        });
  }

  /** There are no filters but these. */
  private static ParsedFilter filterOf(ListStream stream) {
    return (ParsedFilter) stream.filter();
  }

  /**
   * Visits all that could see a change, each once.
   *
   * @param before the session's tags until now, or null where no list showed it
   * @param now its tags from now on, or null where no list shows it
   */
  void forEachThatCouldSee(
      @Nullable List<String> before, @Nullable List<String> now, Consumer<Group> visit) {
    visit(NONE, before, now, visit);
    if (before != null) {
      for (String tag : before) {
        visit(tag, before, now, visit);
      }
    }
    if (now != null && now != before) {
      for (String tag : now) {
        if (before == null || !before.contains(tag)) {
          visit(tag, before, now, visit);
        }
      }
    }
  }

  private void visit(
      String required,
      @Nullable List<String> before,
      @Nullable List<String> now,
      Consumer<Group> visit) {
    Home home = byTag.get(required);
    if (home == null) {
      return;
    }
    home.byExcluded.forEach(
        (excluded, there) -> {
          if (isWithout(before, excluded) || (now != before && isWithout(now, excluded))) {
            there.forEach(visit);
          }
        });
  }

  private static boolean isWithout(@Nullable List<String> tags, String excluded) {
    return tags != null && !tags.contains(excluded);
  }

  /**
   * The rarest tag that a filter requires. Where none is rarer, that with the fewest others, so
   * that those who watch before anything is there do not all come to lie under one.
   */
  private String requiredOf(TagFilter filter) {
    String rarest = NONE;
    long least = Long.MAX_VALUE;
    for (String tag : filter.required()) {
      Home home = byTag.get(tag);
      long cost = ((long) frequency.applyAsInt(tag) << 32) + (home == null ? 0 : home.count);
      if (cost < least) {
        least = cost;
        rarest = tag;
      }
    }
    return rarest;
  }

  /**
   * The most frequent tag that a filter excludes. Where none is more frequent, that which most
   * others beside it exclude.
   */
  private String excludedOf(TagFilter filter, Home home) {
    String mostFrequent = NONE;
    long most = -1;
    for (String tag : filter.excluded()) {
      long gain = ((long) frequency.applyAsInt(tag) << 32) + home.count(tag);
      if (gain > most) {
        most = gain;
        mostFrequent = tag;
      }
    }
    return mostFrequent;
  }
}
