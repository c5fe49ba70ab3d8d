package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The index of live lists: a change is looked at by those alone that could see it. */
final class WatchesTest {

  private final LocalBroker broker = (LocalBroker) Broker.create();
  private final Map<String, Integer> frequencies = new HashMap<>();
  private final Watches watches =
      new Watches(
          broker.limits(), new ChangeBudget(1 << 20), tag -> frequencies.getOrDefault(tag, 0));

  private ListStream add(String filter) {
    ListStream stream = new ListStream(broker, TagFilter.parse(filter), null, broker.watches);
    watches.add(stream);
    return stream;
  }

  private List<ListStream> visited(List<String> before, List<String> after) {
    List<ListStream> visited = new ArrayList<>();
    watches.forEachThatCouldSee(
        before, after, group -> Collections.addAll(visited, group.streams()));
    return visited;
  }

  @Test
  void visitsOnlyThoseThatCouldSeeTheSession() {
    frequencies.put("a", 1);
    frequencies.put("b", 2);
    ListStream all = add("");
    ListStream notA = add("!a");
    ListStream a = add("a");
    ListStream b = add("b,!a");
    ListStream ab = add("b,a");
    add("c");
    assertThat(visited(null, List.of())).containsExactlyInAnyOrder(all, notA);
    assertThat(visited(List.of("a"), null)).containsExactlyInAnyOrder(all, a, ab);
    assertThat(visited(List.of("a"), List.of())).containsExactlyInAnyOrder(all, notA, a, ab);
    assertThat(visited(List.of("x"), List.of("b"))).containsExactlyInAnyOrder(all, notA, b);
    assertThat(visited(List.of("b", "a"), List.of("a", "b"))).containsExactlyInAnyOrder(all, a, ab);
    assertThat(visited(List.of("b", "a"), List.of("b"))).hasSize(5);
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
    ListStream a = add("a");
    ListStream other = add("a");
    ListStream all = add("");
    watches.remove(a);
    watches.remove(a);
    assertThat(visited(List.of("a"), null)).containsExactlyInAnyOrder(other, all);
    watches.remove(other);
    watches.remove(all);
    assertThat(watches).extracting("byTag").hasToString("{}");
    assertThat(watches).extracting("groups").hasToString("{}");
  }

  @Test
  void looksUnderTheRarestTagThatIsRequired() {
    frequencies.put("lobby", 1_000);
    frequencies.put("game-1", 2);
    frequencies.put("game-2", 3);
    ListStream one = add("lobby,game-1,!full");
    ListStream two = add("game-2,lobby");
    assertThat(visited(List.of("lobby"), null)).isEmpty();
    assertThat(visited(List.of("lobby", "game-1"), null)).containsExactly(one);
    assertThat(visited(null, List.of("game-2"))).containsExactly(two);
  }

  @Test
  void whoeverWatchesBeforeAnythingIsThereDoesNotLieUnderOneTag() {
    for (int i = 0; i < 100; i++) {
      add("lobby,game-" + i);
    }
    assertThat(visited(List.of("lobby"), null)).hasSizeLessThanOrEqualTo(1);
  }

  @Test
  void comparesOnceForAllWithEqualFilters() {
    List<ListStream> equal = List.of(add("a,b,!c"), add(" b , a , a,!c"), add("!c,b,a"));
    List<Watches.Group> groups = new ArrayList<>();
    watches.forEachThatCouldSee(List.of("b", "a"), null, groups::add);
    assertThat(groups).hasSize(1);
    assertThat(groups.get(0).streams()).containsExactlyElementsOf(equal);
  }

  @Test
  void passesByThoseThatExcludeAFrequentTagOfTheSession() {
    frequencies.put("full", 1_000);
    frequencies.put("rare", 1);
    ListStream open = add("lobby,!full,!rare");
    add("lobby,!full,!other");
    List<String> full = List.of("lobby", "full");
    assertThat(visited(null, full)).isEmpty();
    assertThat(visited(full, List.of("lobby", "full", "x"))).isEmpty();
    assertThat(visited(full, List.of("lobby", "rare"))).hasSize(2).contains(open);
    assertThat(visited(List.of("lobby"), null)).hasSize(2);
  }

  @Test
  void whoeverWatchesBeforeAnythingIsThereIsPassedByTogether() {
    add("lobby,!full");
    for (int i = 1; i < Watches.MAX_COMPARED; i++) {
      add("lobby,!full,!met-" + i);
    }
    assertThat(visited(null, List.of("lobby", "full"))).isEmpty();
  }

  @Test
  void howManyAreComparedDoesNotGrowWithWhatStrangersWatch() {
    List<String> tags = new ArrayList<>();
    for (int i = 0; i < 32; i++) {
      tags.add("tag-" + i);
    }
    for (int i = 0; i < 10_000; i++) {
      add("tag-" + i % 32 + ",!met-" + i);
      add("!met-" + i);
    }
    List<Watches.Group> groups = new ArrayList<>();
    watches.forEachThatCouldSee(tags, tags, groups::add);
    assertThat(groups).hasSizeLessThanOrEqualTo(33 * (Watches.MAX_COMPARED + 1));
    // And all are visited all the same.
    assertThat(visited(tags, tags)).hasSize(20_000).doesNotHaveDuplicates();
  }

  @Test
  void forgetsThoseWhoCompareForThemselvesToo() {
    List<ListStream> all = new ArrayList<>();
    for (int i = 0; i < 2 * Watches.MAX_COMPARED; i++) {
      all.add(add("a,!met-" + i));
    }
    Collections.shuffle(all, new Random(1));
    all.forEach(watches::remove);
    assertThat(watches).extracting("byTag").hasToString("{}");
    assertThat(watches).extracting("groups").hasToString("{}");
    assertThat(visited(List.of("a"), null)).isEmpty();
  }
}
