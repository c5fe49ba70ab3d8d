package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;
import static org.awaitility.Awaitility.await;

import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * The index of watches: a change is handed only to watches whose tag the session has, compared with
 * few filters, and reaches all watches that could see it.
 */
final class WatchIndexTest {

  private final LocalBroker broker = (LocalBroker) Broker.create();
  private final LocalSession session = (LocalSession) new Party(broker).host();
  private final Map<String, Integer> frequencies = new HashMap<>();
  private final ChangeBudget budget = new ChangeBudget(1 << 20);
  private final WatchIndex watches = watches(budget);
  private long step;

  private WatchIndex watches(ChangeBudget of) {
    return new WatchIndex(
        broker.limits(),
        of,
        new WakeThrottle(new ManualTimer(), Duration.ZERO, Runnable::run),
        tag -> frequencies.getOrDefault(tag, 0));
  }

  /** Feeds a change as the directory does. */
  static void feed(
      WatchIndex watches, SessionChange change, long step, List<WatchIndex.Home> touched) {
    watches.prepare(change, step, touched);
    watches.feed(change);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  private LocalWatch add(String filter) {
    LocalWatch stream =
        broker.newWatch(
            ParsedFilter.of(TagFilter.parse(filter)), null, new Permits("watches", 1).takeAnyway());
    watches.add(stream);
    return stream;
  }

  private void remove(LocalWatch stream) {
    WatchIndex.Group empty = watches.remove(stream);
    stream.giveUpPlace();
    if (empty != null) {
      empty.close();
    }
  }

  /** The groups that a change of the session is compared with. */
  private List<WatchIndex.Group> compared(List<String> before, List<String> after) {
    List<WatchIndex.Home> touched = new ArrayList<>();
    feed(
        watches,
        new SessionChange(session.ref, before, after, Envelope.removed(session.id())),
        ++step,
        touched);
    assertThat(touched).doesNotHaveDuplicates();
    return touched.stream().flatMap(home -> home.groups().stream()).toList();
  }

  /** The watches that are woken for a change of the session. */
  private List<LocalWatch> visited(List<String> before, List<String> after) {
    List<LocalWatch> visited = new ArrayList<>();
    for (WatchIndex.Group group : compared(before, after)) {
      assertThat(group.log.catchUp()).isEqualTo(1);
      if (group.log.takeNews()) {
        Collections.addAll(visited, group.streams());
      }
    }
    return visited;
  }

  /** Feeds a change to the watches of "a", and has it passed; returns its place in the feed. */
  private WeakReference<ChangeFeed.Place> feedOne() {
    List<WatchIndex.Home> touched = new ArrayList<>();
    List<String> tags = List.of("a");
    feed(
        watches,
        new SessionChange(session.ref, tags, tags, Envelope.removed(session.id())),
        ++step,
        touched);
    assertThat(touched).hasSize(1);
    WatchIndex.Home home = touched.get(0);
    home.groups().forEach(group -> assertThat(group.log.catchUp()).isEqualTo(1));
    ChangeFeed feed = assertThat(home).extracting("feed", type(ChangeFeed.class)).actual();
    feed.passed(feed.end());
    return new WeakReference<>(feed.end());
  }

  @Test
  @DisplayName("A reference to a watch that has ended keeps nothing of what comes later.")
  void anEndedWatchKeepsNothingLater() {
    LocalWatch kept = add("a,!b");
    add("a");
    try {
      remove(kept);
      WeakReference<ChangeFeed.Place> later = feedOne();
      assertThat(feedOne().get()).isNotNull();
      await()
          .atMost(Duration.ofSeconds(60))
          .until(
              () -> {
                System.gc();
                return later.get() == null;
              });
    } finally {
      Reference.reachabilityFence(kept);
    }
  }

  @Test
  void visitsOnlyThoseThatCouldSeeTheSession() {
    frequencies.put("a", 1);
    frequencies.put("b", 2);
    LocalWatch all = add("");
    LocalWatch notA = add("!a");
    LocalWatch a = add("a");
    LocalWatch b = add("b,!a");
    LocalWatch ab = add("b,a");
    add("c");
    assertThat(visited(null, List.of())).containsExactlyInAnyOrder(all, notA);
    assertThat(visited(List.of("a"), null)).containsExactlyInAnyOrder(all, a);
    assertThat(visited(List.of("a"), List.of())).containsExactlyInAnyOrder(all, notA, a);
    assertThat(visited(List.of("x"), List.of("b"))).containsExactlyInAnyOrder(all, notA, b);
    assertThat(visited(List.of("b", "a"), List.of("a", "b"))).containsExactlyInAnyOrder(all, a, ab);
    assertThat(visited(List.of("b", "a"), List.of("b"))).hasSize(5);
    assertThat(compared(List.of("x"), null)).hasSize(2);
  }

  @Test
  void visitsEachOnce() {
    add("");
    add("a");
    add("a,b");
    List<String> tags = List.of("b", "a");
    assertThat(visited(tags, tags)).hasSize(3).doesNotHaveDuplicates();
    assertThat(visited(tags, List.of("a", "c", "b"))).hasSize(3).doesNotHaveDuplicates();
  }

  @Test
  void forgetsWhomItNoLongerHas() {
    LocalWatch a = add("a");
    LocalWatch other = add("a");
    LocalWatch all = add("");
    remove(a);
    remove(a);
    assertThat(visited(List.of("a"), null)).containsExactlyInAnyOrder(other, all);
    remove(other);
    remove(all);
    assertThat(watches).extracting("byTag").hasToString("{}");
    assertThat(watches).extracting("groups").hasToString("{}");
  }

  @Test
  void looksUnderTheRarestTagThatIsRequired() {
    frequencies.put("lobby", 1_000);
    frequencies.put("game-1", 2);
    frequencies.put("game-2", 3);
    LocalWatch one = add("lobby,game-1,!full");
    LocalWatch two = add("game-2,lobby");
    assertThat(compared(List.of("lobby"), null)).isEmpty();
    assertThat(visited(List.of("lobby", "game-1"), null)).containsExactly(one);
    assertThat(visited(null, List.of("game-2", "lobby"))).containsExactly(two);
  }

  @Test
  @DisplayName("Watches that begin before there is any session are not all indexed under one tag.")
  void earlyWatchesDoNotLieUnderOneTag() {
    for (int i = 0; i < 100; i++) {
      add("a-lobby,game-" + i);
    }
    assertThat(compared(List.of("a-lobby"), null)).hasSizeLessThanOrEqualTo(1);
  }

  @Test
  void comparesOnceForAllWithEqualFilters() {
    List<LocalWatch> equal = List.of(add("a,b,!c"), add(" b , a , a,!c"), add("!c,b,a"));
    List<WatchIndex.Group> groups = compared(List.of("b", "a"), null);
    assertThat(groups).hasSize(1);
    assertThat(groups.get(0).streams()).containsExactlyElementsOf(equal);
  }

  @Test
  @DisplayName("The number of comparisons does not grow with what clients watch.")
  void comparisonsDoNotGrowWithStrangers() {
    List<String> tags = new ArrayList<>();
    for (int i = 0; i < 32; i++) {
      tags.add("tag-" + i);
    }
    for (int i = 0; i < 10_000; i++) {
      add("tag-" + i % 32 + ",!met-" + i);
      add("!met-" + i);
    }
    assertThat(visited(tags, tags)).hasSize(20_000).doesNotHaveDuplicates();
    assertThat(compared(tags, tags)).hasSizeLessThanOrEqualTo(33 * (WatchIndex.MAX_COMPARED + 1));
  }

  @Test
  void forgetsThoseWhoCompareForThemselvesToo() {
    List<LocalWatch> all = new ArrayList<>();
    for (int i = 0; i < 2 * WatchIndex.MAX_COMPARED; i++) {
      all.add(add("a,!met-" + i));
    }
    Collections.shuffle(all, new Random(1));
    all.forEach(this::remove);
    assertThat(watches).extracting("byTag").hasToString("{}");
    assertThat(watches).extracting("groups").hasToString("{}");
    assertThat(visited(List.of("a"), null)).isEmpty();
  }

  @Test
  @DisplayName("A change that waits for groups counts until all of them have examined it.")
  void waitingChangesCountUntilAllHaveLooked() {
    List<LocalWatch> all = List.of(add("a"), add("a,!b"), add("c"));
    List<String> tags = List.of("a", "b");
    List<WatchIndex.Group> groups = compared(tags, null);
    assertThat(groups).hasSize(2);
    assertThat(budget.used()).isPositive();
    // One group that has looked does not remove it; when the last watch has gone, nothing is left.
    assertThat(groups.get(0).log.catchUp()).isEqualTo(1);
    assertThat(budget.used()).isPositive();
    all.forEach(this::remove);
    assertThat(budget.used()).isZero();
  }

  @Test
  void aCallerThatMakesAFeedLongHasItRead() {
    WatchIndex roomy = watches(new ChangeBudget(1L << 40));
    LocalWatch stream =
        broker.newWatch(
            ParsedFilter.of(TagFilter.parse("a")), null, new Permits("watches", 1).takeAnyway());
    roomy.add(stream);
    List<String> tags = List.of("a");
    List<WatchIndex.Home> touched = new ArrayList<>();
    for (int i = 0; i < 10 * ChangeFeed.LONG + 500; i++) {
      SessionChange change =
          new SessionChange(session.ref, tags, tags, Envelope.removed(session.id()));
      feed(roomy, change, ++step, touched);
      touched.forEach(WatchIndex.Home::catchUpWithMuch);
      touched.clear();
    }
    WatchIndex.Group group = roomy.remove(stream);
    assertThat(group).isNotNull();
    assertThat(group.log.catchUp()).isBetween(1, ChangeFeed.LONG);
  }

  @Test
  @DisplayName(
      "A caller that makes many changes makes the groups examine those that wait in feeds.")
  void manyChangesInFeedsAreLookedAt() {
    ChangeBudget narrow = new ChangeBudget(20_000);
    WatchIndex small = watches(narrow);
    List<WatchIndex.Home> touched = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      small.add(
          broker.newWatch(
              ParsedFilter.of(TagFilter.parse("tag-" + i)),
              null,
              new Permits("watches", 1).takeAnyway()));
    }
    for (int i = 0; i < 10_000; i++) {
      List<String> tags = List.of("tag-" + i % 100);
      SessionChange change =
          new SessionChange(session.ref, null, tags, Envelope.removed(session.id()));
      feed(small, change, ++step, touched);
      touched.forEach(WatchIndex.Home::catchUpWithMuch);
      touched.clear();
    }
    // Only the last change of each log is left.
    assertThat(narrow.used()).isLessThan(40_000);
  }

  @Test
  void aChangeComparesLittleOnItsOwnThread() {
    ManualExecutor elsewhere = new ManualExecutor();
    WakeThrottle wakes = new WakeThrottle(new ManualTimer(), Duration.ZERO, elsewhere);
    WatchIndex many = new WatchIndex(broker.limits(), new ChangeBudget(1 << 20), wakes, tag -> 0);
    List<String> tags = new ArrayList<>();
    for (int i = 0; i < 32; i++) {
      tags.add("tag-" + i);
    }
    for (int i = 0; i < 500; i++) {
      many.add(
          broker.newWatch(
              ParsedFilter.of(TagFilter.parse("tag-" + i % 32 + ",!met-" + i)),
              null,
              new Permits("watches", 1).takeAnyway()));
    }
    List<WatchIndex.Home> touched = new ArrayList<>();
    step++;
    for (int i = 0; i < 16; i++) {
      feed(
          many,
          new SessionChange(session.ref, tags, tags, Envelope.removed(session.id())),
          step,
          touched);
    }
    wakes.touched(touched);
    List<WatchIndex.Group> groups =
        touched.stream().flatMap(home -> home.groups().stream()).toList();
    assertThat(groups).hasSize(500);
    // The groups with nothing left to look at have looked already: 64 changes are four of them.
    assertThat(groups.stream().filter(group -> group.log.catchUp() == 0).count()).isBetween(1L, 8L);
  }

  @Test
  @DisplayName("Under the lock, a change takes no lock that readers hold.")
  void aChangeTakesNoLockOfReaders() throws Exception {
    LocalWatch stream = add("a");
    WatchIndex.Group group = compared(List.of("a"), null).get(0);
    ReentrantLock ofTheReaders =
        assertThat(group.log).extracting("lock", type(ReentrantLock.class)).actual();
    // Work with the directory locked never waits for a reader.
    Thread directory =
        new Thread(
            () -> {
              assertThat(compared(List.of("a"), List.of("a"))).containsExactly(group);
              group.log.open(false).mark();
              assertThat(watches.remove(add("a"))).isNull();
              assertThat(watches.remove(stream)).isSameAs(group);
            });
    ofTheReaders.lock();
    try {
      directory.start();
      directory.join(30_000);
      assertThat(directory.isAlive()).isFalse();
    } finally {
      ofTheReaders.unlock();
      directory.join();
    }
    assertThat(stream.group()).isNull();
  }
}
