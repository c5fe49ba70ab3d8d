package io.peerbroker.core;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The live lists: those with equal filters together, where a change that they could see comes by,
 * so that it is compared once with each filter that could see it, and with few others.
 *
 * <p>A filter is found under the rarest tag that it requires, and there under the most frequent one
 * that it excludes: a session without the first or with the second is none of its business. Under
 * one tag at most {@link #MAX_COMPARED} filters are compared, so that a change of a session costs
 * no more than that for each of its tags, whatever strangers watch.
 *
 * <p>Guarded by the directory's lock.
 */
final class Watches {

  /** Stands for the tag that a filter does not require or exclude, as no tag is empty. */
  private static final String NONE = "";

  /**
   * How many filters under one tag are compared with each change, while the lock is held. The live
   * lists of all further ones share a group whose filter is that tag, and compare for themselves
   * when they are read.
   */
  static final int MAX_COMPARED = 16;

  private static final ListStream[] NO_STREAMS = {};

  /**
   * The live lists that are told of the same changes: those with equal filters, or those whose
   * filters are too many to be compared with each change.
   */
  static final class Group {
    final ParsedFilter filter;
    final ChangeLog log;
    private final Home home;
    private final String excluded;

    /** The last step of the directory that has touched it; guarded by the directory's lock. */
    long touched;

    /** When its lists are woken. */
    final Wakes.Turn turn = new Wakes.Turn(this);

    // Changed with the directory write-locked and the lock below, read with either.
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable ListStream[] streams = NO_STREAMS;
    private int count;

    private Group(ParsedFilter filter, ChangeLog log, Home home, String excluded) {
      this.filter = filter;
      this.log = log;
      this.home = home;
      this.excluded = excluded;
    }

    /** All of its live lists now. */
    ListStream[] streams() {
      lock.lock();
      try {
        return Arrays.copyOf(streams, count, ListStream[].class);
      } finally {
        lock.unlock();
      }
    }

    private void add(ListStream stream) {
      lock.lock();
      try {
        if (count == streams.length) {
          streams = Arrays.copyOf(streams, Math.max(2, count * 2));
        }
        streams[count] = stream;
        stream.join(this, count, log.open(stream.looksAhead()));
        count++;
      } finally {
        lock.unlock();
      }
    }

    /** Takes a list out; the last one takes its place. */
    private void remove(ListStream stream) {
      lock.lock();
      try {
        count--;
        ListStream last = streams[count];
        streams[stream.slot()] = last;
        last.moveTo(stream.slot());
        streams[count] = null;
        if (count < streams.length / 4) {
          streams = Arrays.copyOf(streams, count * 2);
        }
      } finally {
        lock.unlock();
      }
      stream.leave();
    }

    private boolean isEmpty() {
      return count == 0;
    }
  }

  /** The groups that are found under one required tag, by the tag that they exclude. */
  private static final class Home {
    final String required;
    final Map<String, Set<Group>> byExcluded = new HashMap<>();
    int count;

    /** The group of those that compare for themselves; null until there are so many. */
    @Nullable Group further;

    Home(String required) {
      this.required = required;
    }

    int count(String excluded) {
      return byExcluded.getOrDefault(excluded, Set.of()).size();
    }
  }

  private final Limits limits;
  private final ChangeBudget budget;
  private final ToIntFunction<String> frequency;
  private final Map<ParsedFilter, Group> groups = new TreeMap<>();
  private final Map<String, Home> byTag = new HashMap<>();

  /**
   * @param frequency how many sessions have a tag
   */
  Watches(Limits limits, ChangeBudget budget, ToIntFunction<String> frequency) {
    this.limits = limits;
    this.budget = budget;
    this.frequency = frequency;
  }

  void add(ListStream stream) {
    ParsedFilter filter = filterOf(stream);
    Group group = groups.get(filter);
    if (group == null) {
      String required = requiredOf(filter);
      Home home = byTag.computeIfAbsent(required, Home::new);
      if (home.count >= MAX_COMPARED) {
        furtherOf(home).add(stream);
        return;
      }
      String excluded = excludedOf(filter, home);
      group = open(filter, home, excluded);
      home.byExcluded.computeIfAbsent(excluded, unused -> new LinkedHashSet<>()).add(group);
      home.count++;
      groups.put(group.filter, group);
    }
    group.add(stream);
  }

  private Group furtherOf(Home home) {
    Group further = home.further;
    if (further == null) {
      List<String> required = home.required.equals(NONE) ? List.of() : List.of(home.required);
      further = open(new ParsedFilter(required, List.of()), home, NONE);
      home.further = further;
    }
    return further;
  }

  private Group open(ParsedFilter filter, Home home, String excluded) {
    budget.logOpened();
    return new Group(filter, new ChangeLog(limits, budget), home, excluded);
  }

  void remove(ListStream stream) {
    Group group = stream.group();
    if (group == null) {
      return;
    }
    group.remove(stream);
    if (!group.isEmpty()) {
      return;
    }
    group.log.close();
    budget.logClosed();
    Home home = group.home;
    if (home.further == group) {
      home.further = null;
    } else {
      groups.remove(group.filter);
      home.byExcluded.computeIfPresent(
          group.excluded,
          (excluded, beside) -> beside.remove(group) && beside.isEmpty() ? null : beside);
      home.count--;
    }
    if (home.count == 0 && home.further == null) {
      byTag.remove(home.required);
    }
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
    if (home.further != null) {
      visit.accept(home.further);
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
