package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The log that watches with equal filters share, against a plain model: streams at any place of it
 * begin, read a little or nothing, fall off and end at any time; the application shows some of them
 * only a part. They receive what makes them hold the truth, and no removal without an addition
 * (L16, L20). Each round has its seed.
 */
final class ChangeLogModelTest {

  private static final int ROUNDS = 400;
  private static final int STEPS = 300;
  private static final Duration PAUSE = Duration.ofMillis(50);
  private static final List<String> TAGS = List.of("a", "b", "c");

  /** The events of one reader, by hand: it polls when it likes. */
  static final class Reader implements Transport {
    final TagFilter filter;
    final Attachment attachment;

    /** Whether the application shows it only sessions without the tag "c". */
    final boolean narrowed;

    final Map<String, ListedSession> held = new LinkedHashMap<>();
    boolean ready;

    /**
     * Written by the thread that wakes watches: one that makes a change, or one of the broker's.
     */
    volatile boolean ended;

    Reader(TagFilter filter, boolean narrowed, Attachment attachment) {
      this.filter = filter;
      this.narrowed = narrowed;
      this.attachment = attachment;
    }

    @Override
    public void ready() {}

    @Override
    public void end(CloseReason reason) {
      ended = true;
      attachment.detach(reason);
    }

    /** Whether the broker has decided that it must end, notified or not. */
    boolean isOver() {
      return ((AbstractAttachment) attachment).isEnding();
    }

    /** Reads one event; false if there was none. */
    boolean read() {
      boolean over = isOver();
      Envelope envelope = attachment.poll();
      if (envelope == null) {
        return false;
      }
      assertThat(over).as("there is nothing to read after the end").isFalse();
      if (envelope.event() instanceof Event.Added added) {
        held.put(added.session().id(), added.session());
      } else if (envelope.event() instanceof Event.Removed removed) {
        assertThat(held.remove(removed.sid())).as("removed, so it was added").isNotNull();
      } else if (envelope.event() instanceof Event.Ready told) {
        assertThat(ready).isFalse();
        assertThat(told.count()).isEqualTo(held.size());
        ready = true;
      }
      return true;
    }
  }

  /** One broker, the operations on it, and the expected outcome. */
  private static final class Round {
    private final Random random;
    private final ManualTimer timer = new ManualTimer();
    private final LocalBroker broker;
    private final List<Channel> channels = new ArrayList<>();
    private final List<Session> sessions = new ArrayList<>();
    private final List<Reader> readers = new ArrayList<>();
    private final int filters;
    private int overflows;

    /**
     * @param pause zero has each change taken up at once; else much waits until time goes on, and
     *     each reader takes it up by itself
     */
    Round(long seed, int maxEvents, int filters, Duration pause) {
      random = new Random(seed);
      this.filters = filters;
      broker =
          (LocalBroker)
              Broker.builder()
                  .timer(timer)
                  .sessionRate(Limits.Rate.UNLIMITED)
                  .maxQueuedEvents(maxEvents)
                  .listPause(pause)
                  .drainTimeout(Duration.ZERO)
                  .build();
    }

    void step() {
      if (random.nextInt(8) == 0) {
        timer.advance(PAUSE);
      }
      int choice = random.nextInt(100);
      if (choice < 2 || channels.isEmpty()) {
        channels.add(new Party(broker).channel);
      } else if (choice < 3) {
        Channel closed = channels.remove(random.nextInt(channels.size()));
        sessions.removeIf(session -> session.host().equals(closed));
        closed.close();
      } else if (choice < 12 || sessions.isEmpty()) {
        Channel host = channels.get(random.nextInt(channels.size()));
        if (host.sessions().size() < 60) {
          sessions.add(host.openSession(new SessionSpec(tags(), random.nextInt(4) > 0, Json.NULL)));
        }
      } else if (choice < 17) {
        sessions.remove(random.nextInt(sessions.size())).close();
      } else if (choice < 45) {
        Session session = sessions.get(random.nextInt(Math.min(8, sessions.size())));
        session.update(
            switch (random.nextInt(3)) {
              case 0 -> new SessionUpdate(tags(), null, null);
              case 1 -> new SessionUpdate(null, random.nextBoolean(), null);
              default -> new SessionUpdate(null, null, Json.of(random.nextInt()));
            });
      } else if (choice < 50) {
        watch();
      } else if (choice < 52 && !readers.isEmpty()) {
        recheck(readers.get(random.nextInt(readers.size())));
      } else if (choice < 55 && !readers.isEmpty()) {
        Reader gone = readers.remove(random.nextInt(readers.size()));
        gone.attachment.detach(CloseReason.GONE);
      } else if (!readers.isEmpty()) {
        Reader reader = readers.get(random.nextInt(readers.size()));
        int events = random.nextInt(8) == 0 ? Integer.MAX_VALUE : random.nextInt(5);
        while (events-- > 0 && reader.read()) {}
      }
      overflows += (int) readers.stream().filter(reader -> reader.ended).count();
      readers.removeIf(reader -> reader.ended);
    }

    private void watch() {
      TagFilter filter = filter(random.nextInt(filters));
      boolean narrowed = random.nextInt(3) == 0;
      LocalWatch unused =
          broker.watch(
              ParsedFilter.of(filter),
              narrowed ? Round::isVisible : null,
              broker.streams.watches,
              attachment -> {
                Reader reader = new Reader(filter, narrowed, attachment);
                readers.add(reader);
                return reader;
              });
    }

    private static void recheck(Reader reader) {
      if (reader.narrowed) {
        ((LocalWatch) reader.attachment).recheck(Round::isVisible);
      }
    }

    private static boolean isVisible(ListedSession session) {
      return !session.tags().contains("c");
    }

    /** Returns that many different filters; possibly far more than are compared for one tag. */
    private static TagFilter filter(int number) {
      return switch (number) {
        case 0 -> TagFilter.all();
        case 1 -> TagFilter.parse("a");
        case 2 -> TagFilter.parse("a,!b");
        case 3 -> TagFilter.parse("!c");
        default -> TagFilter.parse((number % 2 == 0 ? "a,!b" : "!c") + ",!x" + number);
      };
    }

    private List<String> tags() {
      return TAGS.stream().filter(tag -> random.nextBoolean()).toList();
    }

    void assertTruth() {
      for (Reader reader : List.copyOf(readers)) {
        Set<ListedSession> truth = truth(reader.filter);
        truth.removeIf(session -> reader.narrowed && !isVisible(session));
        while (reader.read()) {}
        if (!reader.isOver()) {
          assertThat(reader.ready).isTrue();
          assertThat(new HashSet<>(reader.held.values())).isEqualTo(truth);
        }
      }
      readers.forEach(reader -> reader.attachment.detach(CloseReason.GONE));
      channels.forEach(Channel::close);
      broker.close();
      LeakAssert.assertNone(broker);
    }

    private Set<ListedSession> truth(TagFilter filter) {
      Set<ListedSession> truth = new HashSet<>();
      for (Session session : sessions) {
        if (session.isListed() && filter.matches(session.tags())) {
          truth.add(new ListedSession(session.id(), session.tags(), session.metadata()));
        }
      }
      return truth;
    }
  }

  private static int rounds(int maxEvents, int filters, Duration pause) {
    int overflows = 0;
    for (long seed = 0; seed < ROUNDS; seed++) {
      Round round = new Round(seed, maxEvents, filters, pause);
      try {
        for (int i = 0; i < STEPS; i++) {
          round.step();
        }
        round.assertTruth();
      } catch (RuntimeException | AssertionError failed) {
        throw new AssertionError("Seed " + seed, failed);
      }
      overflows += round.overflows;
    }
    return overflows;
  }

  @Test
  @Tag("L20")
  void readersAtAnyPaceEndInTheTruth() {
    assertThat(rounds(10_000, 4, Duration.ZERO)).isZero();
  }

  @Test
  @Tag("L20")
  void readersOfUntakenChangesEndInTheTruth() {
    assertThat(rounds(10_000, 4, PAUSE)).isZero();
  }

  @Test
  @Tag("X11")
  void overflowEndsOneAndOthersEndInTheTruth() {
    assertThat(rounds(6, 4, Duration.ZERO)).isPositive();
    assertThat(rounds(6, 4, PAUSE)).isPositive();
  }

  @Test
  @Tag("L20")
  void readersWithManyFiltersEndInTheTruth() {
    Round round = new Round(0, 10_000, 1_000, Duration.ZERO);
    for (int i = 0; i < 400; i++) {
      round.watch();
    }
    for (int i = 0; i < 20 * STEPS; i++) {
      round.step();
    }
    round.assertTruth();
  }
}
