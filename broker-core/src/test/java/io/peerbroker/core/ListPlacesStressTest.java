package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * More clients than there are places for lists come, go and expire: lists give way, and no place
 * and no end is lost.
 */
final class ListPlacesStressTest {

  /** Fewer than the clients want: each that is away with a list holds what another asks for. */
  private static final int PLACES = 3;

  @Test
  @Tag("W6")
  @DisplayName(
      "Lists give way while clients come, go, close and expire: no place and no end is lost.")
  void theyGiveWay() throws Exception {
    Stress.rounds(this::givingWay);
  }

  private void givingWay(long seed) throws Exception {
    ManualTimer timer = new ManualTimer();
    ContractListener witness = new ContractListener();
    LocalBroker broker =
        (LocalBroker)
            Broker.builder()
                .timer(timer)
                .maxWatches(PLACES)
                .listPause(Duration.ZERO)
                .drainTimeout(Duration.ZERO)
                .listener(witness)
                .build();
    AtomicBoolean isLate = new AtomicBoolean();
    List<Guest> guests = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      guests.add(new Guest(broker, new Random(seed + i), isLate));
    }
    AtomicInteger busy = new AtomicInteger(guests.size());
    List<Stress.Part> parts = new ArrayList<>();
    for (Guest guest : guests) {
      parts.add(
          () -> {
            try {
              for (int i = 0; i < 200; i++) {
                guest.step();
              }
            } finally {
              busy.decrementAndGet();
            }
          });
    }
    parts.add(
        () -> {
          while (busy.get() > 0) {
            if (isLate.getAndSet(false)) {
              timer.advance(Duration.ofMinutes(2));
            }
            TestThreads.giveWay();
          }
        });
    Stress.together(parts);
    if (seed % 2 == 0) {
      assertNoListIsLost(broker, guests);
    }
    // All of them give way, also those of a client that has not come back since.
    for (Guest guest : guests) {
      guest.line.cut();
    }
    for (int i = 0; i < PLACES; i++) {
      // A channel that has expired gives its places back on another thread.
      Awaitility.await()
          .ignoreExceptionsInstanceOf(RefusedException.class)
          .until(
              () -> broker.gateway().watch(TagFilter.all(), new ManualTransport()::attach) != null);
    }
    assertThat(broker.streams.watches.taken()).isEqualTo(PLACES);
    broker.close();
    LeakAssert.assertNone(broker);
    witness.assertAgrees(broker);
  }

  private static void assertNoListIsLost(LocalBroker broker, List<Guest> guests) {
    int lists = guests.stream().mapToInt(Guest::listsAfterReturn).sum();
    Awaitility.await()
        .untilAsserted(() -> assertThat(broker.streams.watches.taken()).isEqualTo(lists));
  }

  /** A client with lists, which comes and goes, and never uses a name again. */
  private static final class Guest {
    private final Broker broker;
    private final Random random;
    private final AtomicBoolean isLate;

    /** The lists that it believes to have. */
    private final List<String> lists = new ArrayList<>();

    private int names;
    ManualTransport line;

    /**
     * @param isLate set to have the grace of all that are away expire
     */
    Guest(Broker broker, Random random, AtomicBoolean isLate) {
      this.broker = broker;
      this.random = random;
      this.isLate = isLate;
      line = open(ChannelOptions.none());
      // The first event's id, with which it comes back.
      assertThat(line.readAll()).containsExactly("channel");
    }

    private ManualTransport open(ChannelOptions options) {
      return ManualTransport.open(broker, options.withResume(Duration.ofMinutes(1)));
    }

    void step() {
      // Mostly what makes lists give way: away with lists, while others ask for theirs.
      switch (random.nextInt(12)) {
        case 0, 1, 2 -> line.cut();
        case 3, 4 -> comeBack();
        case 5, 6, 7 -> watch();
        case 8 -> unwatch();
        case 9 -> read();
        case 10 -> failToComeBack();
        default -> leave();
      }
    }

    private void leave() {
      int way = random.nextInt(10);
      if (way == 0) {
        line.channel.close();
      } else if (way == 1) {
        isLate.set(true);
      }
    }

    private Request.Actor actor() {
      return Request.Actor.of(line.channel.id()).withKey(line.channel.key());
    }

    private void watch() {
      // So few that the ends of all of them are repeated.
      if (lists.size() == 4) {
        return;
      }
      String name = "n" + ++names;
      Answer answer = perform(new Request.Watch(actor(), name, TagFilter.all()));
      if (answer instanceof Answer.Refused refused) {
        assertThat(refused.refusal().code())
            .isIn(
                Refusal.Code.AT_CAPACITY,
                Refusal.Code.TOO_MANY_WATCHES,
                Refusal.Code.UNKNOWN_CHANNEL);
      } else {
        lists.add(name);
      }
    }

    private void unwatch() {
      if (!lists.isEmpty()) {
        String name = lists.remove(random.nextInt(lists.size()));
        Answer unused = perform(new Request.Unwatch(actor(), name));
      }
    }

    private Answer perform(Request request) {
      return broker.gateway().perform(request).toCompletableFuture().join();
    }

    private List<String> read() {
      List<String> read = line.readAll();
      lists.removeIf(name -> read.contains(name + ": overflow"));
      return read;
    }

    private void comeBack() {
      ManualTransport before = line;
      line = open(ChannelOptions.none().after(before.lastId()));
      if (line.channel.id().equals(before.channel.id())) {
        line.ids.addAll(before.ids);
      } else {
        lists.clear();
        assertThat(line.readAll()).containsExactly("channel");
      }
      before.cut();
    }

    /** Comes back with a stream that is lost before it is connected. */
    private void failToComeBack() {
      Transport.Opener failing =
          attachment -> {
            for (int i = 0; i < 10; i++) {
              TestThreads.giveWay();
            }
            throw new IllegalStateException("on purpose");
          };
      ChannelOptions options = ChannelOptions.none().withResume(Duration.ofMinutes(1));
      assertThatThrownBy(() -> Wired.openChannel(broker, options.after(line.lastId()), failing))
          .hasMessage("on purpose");
    }

    /** Comes back; returns how many lists there are, each of which is received anew. */
    int listsAfterReturn() {
      comeBack();
      List<String> read = read();
      for (String name : lists) {
        assertThat(read).contains(name + ": ready 0");
      }
      return lists.size();
    }
  }
}
