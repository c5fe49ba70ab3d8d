package io.peerbroker.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The watches, grouped by equal filters, and the groups by a tag, so that a change is added once
 * for each tag of its session and compared with few filters.
 *
 * <p>A group's home is the rarest tag that its filter requires: a session without that tag does not
 * concern it. A home has a feed. Each change of a session with that tag is appended to it, and the
 * groups of the home take it from the feed and compare it later, outside the directory's lock. So
 * the cost of a change under that lock does not depend on the watches: at most one append for each
 * tag.
 *
 * <p>Changed and fed while the directory is write-locked.
 */
final class WatchIndex {

  /** The home of filters that require no tag; no tag is empty. */
  private static final String NONE = "";

  /**
   * How many filters of one home are compared with each change. The watches of all further filters
   * share a group whose filter is the home's tag, and compare for themselves when they are read.
   */
  static final int MAX_COMPARED = 16;

  private static final LocalWatch[] NO_STREAMS = {};
  private static final Group[] NO_GROUPS = {};

  /**
   * Watches that receive the same changes: those with equal filters, or those whose filters are too
   * many to be compared with each change.
   */
  final class Group {
    final ParsedFilter filter;
    final ChangeLog log;
    private final Home home;

    /**
     * When its watches are woken: whenever its home has news for it, with a pause in between. If
     * one round followed another at once, the watches that were woken last would have no time to
     * read, and the next round drops the ones that have not.
     */
    final WakeThrottle.Turn turn = new WakeThrottle.Turn(this::round);

    // Changed with the directory write-locked and the lock below, read with either.
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable LocalWatch[] streams = NO_STREAMS;
    private int count;

    private Group(ParsedFilter filter, ChangeLog log, Home home) {
      this.filter = filter;
      this.log = log;
      this.home = home;
    }

    private WakeThrottle.Round round() {
      log.beginRound();
      return new WakeAll(streams());
    }

    /**
     * Frees what the group held after its last watch has gone. Called outside the directory's lock.
     */
    void close() {
      log.close();
      budget.logClosed();
      if (home.isEmpty()) {
        home.feed.passed(home.feed.end());
      }
    }

    /** Returns its current watches. */
    LocalWatch[] streams() {
      lock.lock();
      try {
        return Arrays.copyOf(streams, count, LocalWatch[].class);
      } finally {
        lock.unlock();
      }
    }

    private void add(LocalWatch stream) {
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

    /** Removes a watch; the last one takes its slot. */
    private void remove(LocalWatch stream) {
      lock.lock();
      try {
        count--;
        LocalWatch last = streams[count];
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

  /** A round through the watches of a group. */
  private static final class WakeAll implements WakeThrottle.Round {
    private final LocalWatch[] streams;
    private int at;

    WakeAll(LocalWatch[] streams) {
      this.streams = streams;
    }

    @Override
    public boolean isOver() {
      return at == streams.length;
    }

    @Override
    public int go(int max) {
      int left = max;
      while (left > 0 && !isOver()) {
        left--;
        streams[at++].flush();
      }
      return left;
    }
  }

  /** The groups under one required tag, and their feed. */
  final class Home implements WakeThrottle.Throttled {
    private final String required;
    private final ChangeFeed feed = new ChangeFeed(budget);

    /** Replaced as a whole while the directory is write-locked. */
    private volatile Group[] groups = NO_GROUPS;

    /**
     * The group of the watches that compare for themselves; null until there are that many filters.
     */
    private @Nullable Group further;

    /** The directory's last step that touched it; guarded by the directory's lock. */
    private long touched;

    /** The place prepared for the next change; guarded by the directory's lock. */
    private ChangeFeed.@Nullable Place prepared;

    /** When its groups examine the feed. */
    private final WakeThrottle.Turn turn = new WakeThrottle.Turn(Round::new);

    private Home(String required) {
      this.required = required;
    }

    @Override
    public WakeThrottle.Turn turn() {
      return turn;
    }

    /** Returns its groups. Called outside the directory's lock. */
    List<Group> groups() {
      return List.of(groups);
    }

    /** Does what may fail about appending a change: makes its place, and notes the home. */
    private void prepare(SessionChange change, long step, List<Home> homes) {
      prepared = feed.prepare(change);
      if (touched != step) {
        homes.add(this);
        touched = step;
      }
    }

    /** Appends the change that was prepared. */
    private void append(SessionChange change) {
      ChangeFeed.Place place = prepared;
      if (place != null) {
        prepared = null;
        feed.append(place, change);
      }
    }

    /**
     * If the feed has become long, lets all groups examine it: the thread that adds to the feed
     * does the work. Called outside the directory's lock.
     */
    void catchUpWithMuch() {
      if (feed.isLong()) {
        ChangeFeed.Place end = feed.end();
        for (Group group : groups) {
          group.log.catchUp();
        }
        feed.passed(end);
      }
    }

    private int compared() {
      return groups.length - (further == null ? 0 : 1);
    }

    private boolean isEmpty() {
      return groups.length == 0;
    }

    private void add(Group group) {
      Group[] more = Arrays.copyOf(groups, groups.length + 1);
      more[groups.length] = group;
      groups = more;
    }

    private void remove(Group group) {
      groups = Arrays.stream(groups).filter(other -> other != group).toArray(Group[]::new);
      if (further == group) {
        further = null;
      }
    }

    /** A round through the groups, which begins the rounds of those that have news. */
    private final class Round implements WakeThrottle.Round {
      private final ChangeFeed.Place end = feed.end();
      private final Group[] all = groups;
      private int at;
      private int caughtUp;

      @Override
      public boolean isOver() {
        return at == all.length;
      }

      @Override
      public int go(int max) {
        int left = max;
        while (left > 0 && !isOver()) {
          Group group = all[at++];
          left -= Math.max(1, group.log.catchUp());
          // If one has failed, it has yet to examine them.
          if (++caughtUp == all.length) {
            feed.passed(end);
          }
          if (group.log.takeNews()) {
            left = wakes.touched(group.turn, Math.max(0, left));
          }
        }
        return Math.max(0, left);
      }
    }
  }

  private final Limits limits;
  private final ChangeBudget budget;
  private final WakeThrottle wakes;
  private final ToIntFunction<String> frequency;
  private final Map<ParsedFilter, Group> groups = new TreeMap<>();
  private final Map<String, Home> byTag = new HashMap<>();

  /** The homes of the change that was prepared last, so that they are looked up once. */
  private final List<Home> prepared = new ArrayList<>();

  /**
   * @param wakes decides when watches are woken
   * @param frequency returns how many sessions have a tag
   */
  WatchIndex(
      Limits limits, ChangeBudget budget, WakeThrottle wakes, ToIntFunction<String> frequency) {
    this.limits = limits;
    this.budget = budget;
    this.wakes = wakes;
    this.frequency = frequency;
  }

  void add(LocalWatch stream) {
    ParsedFilter filter = stream.filter();
    Group group = groups.get(filter);
    if (group == null) {
      Home home = byTag.computeIfAbsent(requiredOf(filter), Home::new);
      if (home.compared() < MAX_COMPARED) {
        group = open(filter, home);
        groups.put(filter, group);
      } else {
        group = furtherOf(home);
      }
    }
    group.add(stream);
  }

  private Group furtherOf(Home home) {
    Group further = home.further;
    if (further == null) {
      List<String> required = home.required.equals(NONE) ? List.of() : List.of(home.required);
      further = open(new ParsedFilter(required, List.of()), home);
      home.further = further;
    }
    return further;
  }

  private Group open(ParsedFilter filter, Home home) {
    budget.logOpened();
    Group group = new Group(filter, new ChangeLog(limits, budget, filter, home.feed), home);
    home.add(group);
    return group;
  }

  /**
   * Removes a watch.
   *
   * @return its group if the watch was the last one in it, to be closed outside the directory's
   *     lock
   */
  @Nullable Group remove(LocalWatch stream) {
    Group group = stream.group();
    if (group == null) {
      return null;
    }
    group.remove(stream);
    if (!group.isEmpty()) {
      return null;
    }
    Home home = group.home;
    if (home.further != group) {
      groups.remove(group.filter);
    }
    home.remove(group);
    if (home.isEmpty()) {
      byTag.remove(home.required);
    }
    return group;
  }

  /**
   * Prepares a change for all homes whose watches could see it. Does everything that may fail, so
   * that {@link #feed} reaches all of these homes, or the change none.
   *
   * @param step the directory's step, which may consist of several changes
   * @param touched receives the homes for which this is the step's first change
   */
  void prepare(SessionChange change, long step, List<Home> touched) {
    prepared.clear();
    for (int i = 0, tags = tagsOf(change); i < tags; i++) {
      Home home = homeOf(change, i);
      if (home != null) {
        home.prepare(change, step, touched);
        prepared.add(home);
      }
    }
  }

  /** Feeds the change that was prepared last to its homes, once each. Needs no memory. */
  void feed(SessionChange change) {
    // By position: an iterator would need memory.
    for (int i = 0; i < prepared.size(); i++) {
      prepared.get(i).append(change);
    }
    prepared.clear();
  }

  /** Returns how many homes a change may concern: that of no tag, and one for each tag. */
  private static int tagsOf(SessionChange change) {
    return 1
        + size(change.before())
        + (change.after() == change.before() ? 0 : size(change.after()));
  }

  private static int size(@Nullable List<String> tags) {
    return tags == null ? 0 : tags.size();
  }

  /** Returns a home by its position; null if no watch is there, or it has come before. */
  private @Nullable Home homeOf(SessionChange change, int position) {
    if (position == 0) {
      return byTag.get(NONE);
    }
    List<String> before = change.before();
    List<String> after = change.after();
    int at = position - 1;
    if (before != null && at < before.size()) {
      return byTag.get(before.get(at));
    }
    String tag = after == null ? NONE : after.get(at - size(before));
    return before != null && before.contains(tag) ? null : byTag.get(tag);
  }

  /**
   * Returns the rarest tag that a filter requires. Among equally rare ones, it is the tag with the
   * fewest filters, so that watches that begin before there are sessions do not all end up under
   * one tag.
   */
  private String requiredOf(ParsedFilter filter) {
    String rarest = NONE;
    long least = Long.MAX_VALUE;
    for (String tag : filter.required()) {
      Home home = byTag.get(tag);
      long cost = ((long) frequency.applyAsInt(tag) << 32) + (home == null ? 0 : home.compared());
      if (cost < least) {
        least = cost;
        rarest = tag;
      }
    }
    return rarest;
  }
}
