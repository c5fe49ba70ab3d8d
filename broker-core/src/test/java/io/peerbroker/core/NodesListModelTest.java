package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.ForeignSessions.Told;
import io.peerbroker.core.NodesFixture.Other;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The list of a node against a plain model: its own sessions and those of other nodes come, change,
 * move and go; nodes tell late, out of order, and everything anew; they vanish. Watches at any pace
 * end in the truth (L20), and pages show it in the order of creation, from every cursor on. Each
 * round has its seed.
 */
final class NodesListModelTest {

  private static final int ROUNDS = 150;
  private static final int STEPS = 300;
  private static final Duration PAUSE = Duration.ofMillis(50);
  private static final List<String> TAGS = List.of("a", "b", "c");
  private static final List<String> FILTERS = List.of("", "a", "a,!b", "!c", "b,c");

  private static final class Round {
    private final Random random;
    private final ManualTimer timer = new ManualTimer();
    private final LocalBroker broker;
    private final ForeignSessions foreign;
    private final List<Channel> channels = new ArrayList<>();
    private final List<Session> own = new ArrayList<>();
    private final List<Other> others = new ArrayList<>();
    private final List<ChangeLogModelTest.Reader> readers = new ArrayList<>();

    /** The tag of the next node: a tag does not come back, as each run of a node has another. */
    private int tags = 100;

    Round(long seed, Duration pause) {
      random = new Random(seed);
      broker =
          (LocalBroker)
              NodesFixture.node(random.nextBoolean() ? 0 : 0xFFFFF)
                  .timer(timer)
                  .maxQueuedEvents(10_000)
                  .listPause(pause)
                  .drainTimeout(Duration.ZERO)
                  .build();
      foreign = broker.directory.foreign;
    }

    void step() {
      if (random.nextInt(8) == 0) {
        timer.advance(PAUSE);
      }
      int choice = random.nextInt(100);
      if (choice < 3 || channels.isEmpty()) {
        channels.add(new Party(broker).channel);
      } else if (choice < 5 || others.isEmpty()) {
        others.add(new Other(tags++, foreign));
      } else if (choice < 20) {
        changeOwn();
      } else if (choice < 50) {
        changeOther(others.get(random.nextInt(others.size())));
      } else if (choice < 55) {
        move();
      } else if (choice < 58) {
        tellAnew(others.get(random.nextInt(others.size())));
      } else if (choice < 59) {
        vanish(others.remove(random.nextInt(others.size())));
      } else if (choice < 65) {
        watch();
      } else if (choice < 67) {
        readers.stream().filter(reader -> reader.narrowed).limit(1).forEach(Round::recheck);
      } else if (choice < 72) {
        assertPages();
      } else if (!readers.isEmpty()) {
        ChangeLogModelTest.Reader reader = readers.get(random.nextInt(readers.size()));
        int events = random.nextInt(8) == 0 ? Integer.MAX_VALUE : random.nextInt(5);
        while (events-- > 0 && reader.read()) {}
      }
    }

    private List<String> tags() {
      return TAGS.stream().filter(tag -> random.nextBoolean()).toList();
    }

    private void changeOwn() {
      int choice = random.nextInt(4);
      if (choice < 2 || own.isEmpty()) {
        Channel host = channels.get(random.nextInt(channels.size()));
        own.add(host.openSession(new SessionSpec(tags(), random.nextInt(4) > 0, Json.NULL)));
      } else if (choice == 2) {
        own.remove(random.nextInt(own.size())).close();
      } else {
        own.get(random.nextInt(own.size()))
            .update(new SessionUpdate(tags(), random.nextInt(4) > 0, Json.of(random.nextInt(3))));
      }
    }

    private @Nullable String some(Other other) {
      List<String> ids = List.copyOf(other.sessions.keySet());
      return ids.isEmpty() ? null : ids.get(random.nextInt(ids.size()));
    }

    private void changeOther(Other other) {
      String id = some(other);
      int choice = random.nextInt(4);
      if (choice < 2 || id == null) {
        List<Told> created = new ArrayList<>();
        for (int i = random.nextInt(4); i >= 0; i--) {
          created.add(other.create(1 + random.nextInt(20), tags(), Json.NULL));
        }
        // In any order, as a walk and the changes meanwhile tell of them.
        Collections.shuffle(created, random);
        created.forEach(told -> assertThat(other.telling.put(told)).isTrue());
      } else if (choice == 2) {
        other.sessions.remove(id);
        other.telling.remove(id);
      } else {
        assertThat(other.telling.put(changed(other, id, 0))).isTrue();
      }
    }

    private Told changed(Other other, String id, int moreHops) {
      int hop = other.sessions.get(id).hop() + moreHops;
      return other.change(id, hop, tags(), Json.of(random.nextInt(3)));
    }

    /** Moves a session; what its old node has told of it and not sent yet comes before or after. */
    private void move() {
      Other from = others.get(random.nextInt(others.size()));
      Other to = others.get(random.nextInt(others.size()));
      String id = some(from);
      if (id == null || from == to) {
        return;
      }
      Told late = random.nextBoolean() ? changed(from, id, 0) : null;
      to.sessions.put(id, from.sessions.remove(id));
      assertThat(to.telling.put(changed(to, id, 1))).isTrue();
      if (late != null) {
        assertThat(from.telling.put(late)).isTrue();
      } else if (random.nextBoolean()) {
        from.telling.remove(id);
      }
    }

    /** A node is not heard for a while, and then tells everything anew. */
    private void tellAnew(Other other) {
      other.sessions.keySet().removeIf(id -> random.nextInt(3) == 0);
      other.telling = foreign.begin(other.tag);
      for (String id : List.copyOf(other.sessions.keySet())) {
        Told told = other.sessions.get(id);
        if (told != null) {
          other.telling.put(random.nextInt(3) == 0 ? changed(other, id, 0) : told);
        }
        if (random.nextInt(4) == 0) {
          changeOther(other);
          changeOwn();
          readers.forEach(ChangeLogModelTest.Reader::read);
        }
      }
      drop(other.telling.dropOlder());
    }

    private void vanish(Other other) {
      drop(foreign.drop(other.tag));
    }

    private void drop(ForeignSessions.Drop drop) {
      while (drop.next()) {
        readers.forEach(ChangeLogModelTest.Reader::read);
      }
    }

    private void watch() {
      TagFilter filter = TagFilter.parse(FILTERS.get(random.nextInt(FILTERS.size())));
      boolean narrowed = random.nextInt(3) == 0;
      LocalWatch unused =
          broker.watch(
              ParsedFilter.of(filter),
              narrowed ? Round::isVisible : null,
              broker.streams.watches,
              attachment -> {
                ChangeLogModelTest.Reader reader =
                    new ChangeLogModelTest.Reader(filter, narrowed, attachment);
                readers.add(reader);
                return reader;
              });
    }

    private static void recheck(ChangeLogModelTest.Reader reader) {
      ((LocalWatch) reader.attachment).recheck(Round::isVisible);
    }

    private static boolean isVisible(ListedSession session) {
      return !session.tags().contains("c");
    }

    /** The sessions that pass a filter, in order of creation. */
    private NavigableMap<ListPosition, ListedSession> truth(TagFilter filter) {
      NavigableMap<ListPosition, ListedSession> truth = new TreeMap<>();
      for (Session session : own) {
        if (session.isListed()) {
          truth.put(
              ((LocalSession) session).ref.position(),
              new ListedSession(session.id(), session.tags(), session.metadata()));
        }
      }
      for (Other other : others) {
        for (Told told : other.sessions.values()) {
          truth.put(
              NodesFixture.position(told),
              new ListedSession(told.id(), told.spec().tags(), told.spec().metadata()));
        }
      }
      truth.values().removeIf(session -> !filter.matches(session.tags()));
      return truth;
    }

    /** Reads all pages; between two of them, the list may change. */
    private void assertPages() {
      TagFilter filter = TagFilter.parse(FILTERS.get(random.nextInt(FILTERS.size())));
      int limit = 1 + random.nextInt(10);
      PageCursors cursors = new PageCursors(NodesFixture.KEY);
      String after = null;
      do {
        ListPosition start = after == null ? ListPosition.START : cursors.read(after);
        Map<ListPosition, ListedSession> left = truth(filter).tailMap(start, false);
        List<ListedSession> expected = left.values().stream().limit(limit).toList();
        Page page = broker.list(filter, limit, after);
        assertThat(page.sessions()).isEqualTo(expected);
        assertThat(page.next() != null).isEqualTo(left.size() > limit);
        PageReader reader = broker.gateway().readPage(filter, limit, after);
        assertThat(reader.next()).isEqualTo(page.next());
        List<ListedSession> read = new ArrayList<>();
        for (List<ListedSession> some = reader.more(); !some.isEmpty(); some = reader.more()) {
          read.addAll(some);
        }
        assertThat(read).isEqualTo(expected);
        after = page.next();
        if (random.nextInt(3) == 0) {
          changeOwn();
        }
        if (random.nextInt(3) == 0) {
          changeOther(others.get(random.nextInt(others.size())));
        }
      } while (after != null);
    }

    void assertTruth() {
      assertPages();
      assertThat(broker.directory.listedCount()).isEqualTo(truth(TagFilter.all()).size());
      for (ChangeLogModelTest.Reader reader : readers) {
        while (reader.read()) {}
        assertThat(reader.ended).isFalse();
        HashSet<ListedSession> truth = new HashSet<>(truth(reader.filter).values());
        truth.removeIf(session -> reader.narrowed && !isVisible(session));
        assertThat(reader.ready).isTrue();
        assertThat(new HashSet<>(reader.held.values())).isEqualTo(truth);
      }
      others.forEach(this::vanish);
      for (ChangeLogModelTest.Reader reader : readers) {
        reader.attachment.detach(CloseReason.GONE);
      }
      channels.forEach(Channel::close);
      broker.close();
      LeakAssert.assertNone(broker);
    }
  }

  private static void rounds(Duration pause) {
    for (long seed = 0; seed < ROUNDS; seed++) {
      Round round = new Round(seed, pause);
      try {
        for (int i = 0; i < STEPS; i++) {
          round.step();
        }
        round.assertTruth();
      } catch (RuntimeException | AssertionError failed) {
        throw new AssertionError("Seed " + seed, failed);
      }
    }
  }

  @Test
  @Tag("L20")
  @DisplayName("Pages and watches of a node show what there is on all nodes.")
  void pagesAndWatchesShowTheTruth() {
    rounds(Duration.ZERO);
  }

  @Test
  @Tag("L20")
  @DisplayName("So do watches of which much waits.")
  void watchesOfUntakenChangesEndInTheTruth() {
    rounds(PAUSE);
  }
}
