package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * A watch, replayed, always ends in the truth (L16, L20): several threads change their own sessions
 * at random; watchers with different filters and speeds begin at any time; the application shows
 * some of them only a part, which changes at any time. In the end each watcher holds the sessions
 * that the changing threads know to be there.
 */
final class WatchStressTest {

  private static final int CHANGERS = 3;
  private static final int CHANGES = 400;
  private static final int WATCHERS = 8;
  private static final List<String> FILTERS =
      List.of("", "a", "b", "!a", "a,b", "a,!b", "!a,!b", "c,a", "a,!a");

  private final ExecutorService threads = TestThreads.executor(2);

  /** The parts that the application shows to some; the last one counts in the end. */
  private static final List<Predicate<ListedSession>> VISIBLE =
      List.of(
          session -> true,
          session -> session.tags().contains("d"),
          session -> false,
          session -> !session.tags().contains("d"));

  private record Watching(TagFilter filter, @Nullable LocalWatch narrowed, Replay replay) {

    boolean sees(ListedSession session) {
      return narrowed == null || VISIBLE.get(VISIBLE.size() - 1).test(session);
    }
  }

  @Test
  void replayedItEndsInTheTruth() throws Exception {
    try {
      Stress.rounds(this::round);
    } finally {
      threads.shutdown();
    }
  }

  private void round(long seed) throws Exception {
    ContractListener witness = new ContractListener();
    LocalBroker broker =
        (LocalBroker)
            Broker.builder()
                .sessionRate(Limits.Rate.UNLIMITED)
                // At once, and paced: both must end in the truth.
                .listPause(seed % 2 == 0 ? Duration.ZERO : Duration.ofMillis(2))
                .maxQueuedEvents(CHANGERS * CHANGES)
                .listener(witness)
                .build();
    Queue<Watching> watchers = new ConcurrentLinkedQueue<>();
    List<Changer> changers = new ArrayList<>();
    List<Stress.Part> parts = new ArrayList<>();
    for (int i = 0; i < CHANGERS; i++) {
      Changer changer = new Changer(broker, new Random(seed + i));
      changers.add(changer);
      parts.add(changer);
    }
    parts.add(() -> watch(broker, watchers, new Random(seed)));
    Stress.together(parts);

    for (Watching watching : watchers) {
      Set<ListedSession> truth = new HashSet<>();
      changers.forEach(changer -> truth.addAll(changer.shown(watching.filter)));
      assertThat(new HashSet<>(broker.list(watching.filter).sessions())).isEqualTo(truth);
      truth.removeIf(session -> !watching.sees(session));
      Awaitility.await()
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(1))
          .untilAsserted(
              () -> {
                assertThat(new HashSet<>(watching.replay.held())).isEqualTo(truth);
                assertThat(watching.replay.isReady()).isTrue();
              });
      watching.replay.assertNothingWrong();
      assertThat(watching.replay.closed()).isNull();
    }
    broker.close();
    LeakAssert.assertNone(broker);
    witness.assertAgrees(broker);
  }

  private void watch(LocalBroker broker, Queue<Watching> watchers, Random random) {
    List<LocalWatch> narrowed = new ArrayList<>();
    for (int i = 0; i < WATCHERS; i++) {
      TagFilter filter = TagFilter.parse(FILTERS.get(random.nextInt(FILTERS.size())));
      Replay replay = new Replay();
      Predicate<ListedSession> visible = i % 2 == 0 ? null : VISIBLE.get(random.nextInt(3));
      LocalWatch stream =
          broker.watch(
              ParsedFilter.of(filter),
              visible,
              broker.streams.watches,
              broker.opener(replay, speed(random.nextInt(3))));
      if (visible != null) {
        narrowed.add(stream);
      }
      watchers.add(new Watching(filter, visible == null ? null : stream, replay));
      for (LocalWatch some : narrowed) {
        some.recheck(VISIBLE.get(random.nextInt(VISIBLE.size())));
      }
      LockSupport.parkNanos(random.nextInt(300_000));
    }
    narrowed.forEach(stream -> stream.recheck(VISIBLE.get(VISIBLE.size() - 1)));
  }

  /** In place, on a thread, or on a thread that is late each time, so that changes fold. */
  private Executor speed(int number) {
    return switch (number % 3) {
      case 0 -> Runnable::run;
      case 1 -> threads;
      default ->
          task ->
              threads.execute(
                  () -> {
                    LockSupport.parkNanos(200_000);
                    task.run();
                  });
    };
  }

  /** Changes its own channels and sessions, and so knows the truth about them. */
  private static final class Changer implements Stress.Part {

    private final Broker broker;
    private final Random random;
    private final List<Channel> channels = new ArrayList<>();
    private final List<Session> sessions = new ArrayList<>();

    Changer(Broker broker, Random random) {
      this.broker = broker;
      this.random = random;
    }

    @Override
    public void run() {
      for (int i = 0; i < CHANGES; i++) {
        int choice = random.nextInt(20);
        if (choice == 0 || channels.isEmpty()) {
          channels.add(new Party(broker).channel);
        } else if (choice == 1) {
          Channel closed = channels.remove(random.nextInt(channels.size()));
          sessions.removeIf(session -> session.host().equals(closed));
          closed.close();
        } else if (choice < 7 || sessions.isEmpty()) {
          Channel host = channels.get(random.nextInt(channels.size()));
          if (host.sessions().size() < 64) {
            sessions.add(
                host.openSession(new SessionSpec(tags(), random.nextInt(4) > 0, Json.of(i))));
          }
        } else if (choice < 10) {
          sessions.remove(random.nextInt(sessions.size())).close();
        } else {
          Session session = sessions.get(random.nextInt(sessions.size()));
          session.update(
              switch (choice % 3) {
                case 0 -> new SessionUpdate(tags(), null, null);
                case 1 -> new SessionUpdate(null, random.nextBoolean(), null);
                default -> new SessionUpdate(tags(), random.nextBoolean(), Json.of(i));
              });
        }
      }
    }

    private List<String> tags() {
      List<String> tags = new ArrayList<>();
      for (String tag : List.of("a", "b", "c", "d")) {
        if (random.nextBoolean()) {
          tags.add(tag);
        }
      }
      return tags;
    }

    List<ListedSession> shown(TagFilter filter) {
      return sessions.stream()
          .filter(session -> session.isListed() && filter.matches(session.tags()))
          .map(session -> new ListedSession(session.id(), session.tags(), session.metadata()))
          .toList();
    }
  }
}
