package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A channel's stream carries messages and lists while it is cut again and again: the messages come
 * once and in order, each list, replayed, ends in the truth, and nothing is left.
 */
final class ChannelWatchesStressTest {

  private static final int MESSAGES = 300;
  private static final List<String> NAMES = List.of("x", "y", "z");
  private static final List<String> FILTERS = List.of("", "a", "!a", "a,b");

  @Test
  @DisplayName("Replayed, messages and lists are complete, however often the stream is cut.")
  void replayedItEndsInTheTruth() throws Exception {
    Stress.rounds(this::round);
  }

  @Test
  @Tag("W5")
  @DisplayName("No event of a new list comes before the end of the last one of its name.")
  void theEndComesFirst() throws Exception {
    try (Broker broker = Broker.builder().drainTimeout(Duration.ZERO).build()) {
      Reader reader = new Reader(broker, new Random(1));
      watch(broker, reader, "x", "");
      AtomicInteger begun = new AtomicInteger();
      AtomicInteger rounds = new AtomicInteger(1);
      AtomicBoolean isOver = new AtomicBoolean();
      Stress.together(
          List.of(
              () -> {
                try {
                  while (!isOver.get()) {
                    // Fails at a second "ready" without an end before it.
                    reader.readAll();
                    begun.set(reader.begun);
                  }
                } finally {
                  reader.isOver = true;
                }
              },
              () -> {
                try {
                  long end = System.nanoTime() + Stress.duration().toNanos();
                  while ((rounds.get() < 3 || System.nanoTime() < end) && !reader.isOver) {
                    unwatch(broker, reader, "x");
                    watch(broker, reader, "x", "");
                    rounds.incrementAndGet();
                    // One list may have ended before it was read. Later ones wait for each other.
                    awaitBegun(begun, rounds.get() - 1, reader);
                  }
                } finally {
                  isOver.set(true);
                }
              }));
      reader.readAll();
      assertThat(reader.ready).as("the last list").containsExactly("x");
      assertThat(reader.begun).isBetween(rounds.get() - 1, rounds.get()).isGreaterThan(1);
    }
  }

  private static void awaitBegun(AtomicInteger begun, int lists, Reader reader) {
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (begun.get() < lists && !reader.isOver) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("A list was lost: " + begun + " of " + lists + " were received");
      }
      TestThreads.giveWay();
    }
  }

  @Test
  @Tag("W5")
  @DisplayName("The stream is woken for the end of a list that another thread is beginning.")
  void theEndWakesTheStream() throws Exception {
    try (Broker broker = Broker.builder().drainTimeout(Duration.ZERO).build()) {
      CyclicBarrier both = new CyclicBarrier(2);
      AtomicReference<Request.Actor> actor = new AtomicReference<>();
      Stress.together(
          List.of(
              () -> {
                try {
                  long end = System.nanoTime() + Stress.duration().toNanos();
                  while (System.nanoTime() < end) {
                    Woken line = new Woken();
                    Channel channel =
                        Wired.openChannel(
                            broker,
                            ChannelOptions.none().withResume(Duration.ofMinutes(1)),
                            line::attach);
                    actor.set(Request.Actor.of(channel.id()).withKey(channel.key()));
                    both.await(20, TimeUnit.SECONDS);
                    perform(broker, new Request.Watch(actor.get(), "x", TagFilter.all()));
                    both.await(20, TimeUnit.SECONDS);
                    assertThat(line.poll()).as("what is left").isNull();
                    channel.close();
                  }
                } finally {
                  actor.set(null);
                  both.await(20, TimeUnit.SECONDS);
                }
              },
              () -> {
                both.await(20, TimeUnit.SECONDS);
                while (actor.get() != null) {
                  for (int i = 0; i < 20; i++) {
                    perform(broker, new Request.Unwatch(actor.get(), "x"));
                  }
                  both.await(20, TimeUnit.SECONDS);
                  both.await(20, TimeUnit.SECONDS);
                }
              }));
    }
  }

  /** Polls only when it is woken. */
  private static final class Woken implements Transport {
    private Attachment attachment;

    Transport attach(Attachment given) {
      attachment = given;
      return this;
    }

    @Override
    public synchronized void ready() {
      while (attachment.poll() != null) {
        attachment.consumed(1);
      }
    }

    synchronized Envelope poll() {
      return attachment.poll();
    }

    @Override
    public void end(CloseReason reason) {
      attachment.detach(reason);
    }
  }

  private void round(long seed) throws Exception {
    ContractListener witness = new ContractListener();
    Broker broker =
        Broker.builder()
            .sessionRate(Limits.Rate.UNLIMITED)
            .messageRate(Limits.Rate.UNLIMITED)
            .listPause(seed % 2 == 0 ? Duration.ZERO : Duration.ofMillis(2))
            // Some lists do not keep up.
            .maxQueuedEvents(20)
            .maxReplayEvents(10_000)
            .maxReplayBytes(10 << 20)
            .listener(witness)
            .build();
    Reader reader = new Reader(broker, new Random(seed));
    AtomicBoolean read = new AtomicBoolean();
    Party host = new Party(broker);
    Stress.together(
        List.of(
            () -> {
              try {
                send(broker, reader);
                change(host, new Random(seed + 1));
              } finally {
                read.set(true);
              }
            },
            () -> change(new Party(broker), new Random(seed + 2)),
            () -> ask(broker, reader, new Random(seed + 3)),
            () -> {
              try {
                while (!read.get()) {
                  reader.step();
                }
              } finally {
                reader.isOver = true;
              }
            }));
    for (String name : NAMES) {
      unwatch(broker, reader, name);
    }
    reader.comeBack();
    for (int i = 0; i < NAMES.size(); i++) {
      watch(broker, reader, NAMES.get(i), FILTERS.get(i));
    }
    Awaitility.await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(1))
        .untilAsserted(
            () -> {
              reader.readAll();
              assertThat(reader.messages).hasSize(MESSAGES);
              for (int i = 0; i < NAMES.size(); i++) {
                Set<ListedSession> truth =
                    new HashSet<>(broker.list(TagFilter.parse(FILTERS.get(i))).sessions());
                assertThat(reader.ready).contains(NAMES.get(i));
                assertThat(new HashSet<>(reader.held(NAMES.get(i)).values())).isEqualTo(truth);
              }
            });
    for (int i = 0; i < MESSAGES; i++) {
      assertThat(reader.messages.get(i)).isEqualTo(Integer.toString(i));
    }
    broker.close();
    LeakAssert.assertNone(broker);
    witness.assertAgrees(broker);
  }

  private static void send(Broker broker, Reader reader) {
    Party sender = new Party(broker);
    for (int i = 0; i < MESSAGES && !reader.isOver; ) {
      if (sender.send(reader.cid, Integer.toString(i)) instanceof Delivery.Refused refused) {
        assertThat(refused.refusal().code()).isEqualTo(Refusal.Code.TARGET_BUSY);
        Thread.onSpinWait();
      } else {
        i++;
      }
    }
  }

  private static void change(Party host, Random random) {
    List<Session> sessions = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      if (sessions.size() < 5 || random.nextInt(3) == 0) {
        sessions.add(host.host(random.nextBoolean() ? "a" : "c", random.nextBoolean() ? "b" : "d"));
      } else {
        Session session = sessions.get(random.nextInt(sessions.size()));
        if (random.nextBoolean()) {
          session.update(SessionUpdate.nothing().withTags(random.nextBoolean() ? "a" : "b"));
        } else {
          sessions.remove(session);
          session.close();
        }
      }
    }
  }

  private static Answer perform(Broker broker, Request request) {
    return broker.gateway().perform(request).toCompletableFuture().join();
  }

  private static void watch(Broker broker, Reader reader, String name, String filter) {
    assertThat(perform(broker, new Request.Watch(reader.actor, name, TagFilter.parse(filter))))
        .isEqualTo(Answer.Done.DONE);
  }

  private static void unwatch(Broker broker, Reader reader, String name) {
    assertThat(perform(broker, new Request.Unwatch(reader.actor, name)))
        .isEqualTo(Answer.Done.DONE);
  }

  private static void ask(Broker broker, Reader reader, Random random) {
    for (int i = 0; i < 200; i++) {
      String name = NAMES.get(random.nextInt(NAMES.size()));
      if (random.nextInt(3) == 0) {
        unwatch(broker, reader, name);
      } else {
        TagFilter filter = TagFilter.parse(FILTERS.get(random.nextInt(FILTERS.size())));
        Answer answer = perform(broker, new Request.Watch(reader.actor, name, filter));
        if (answer instanceof Answer.Refused refused) {
          assertThat(refused.refusal().code())
              .isIn(Refusal.Code.INVALID_REQUEST, Refusal.Code.TOO_MANY_WATCHES);
        }
      }
    }
  }

  /** A client that comes back: it replays lists and messages. Used by one thread at a time. */
  private static final class Reader {
    final String cid;
    final Request.Actor actor;
    final List<String> messages = new ArrayList<>();
    final Set<String> ready = new HashSet<>();
    private final Map<String, Map<String, ListedSession>> lists = new HashMap<>();
    private final Broker broker;
    private final Random random;

    /** Set when it reads no more, perhaps because it has failed. */
    volatile boolean isOver;

    private Attachment attachment;
    private String lastId = "";

    /** How many lists it has received. */
    int begun;

    private int untaken;
    private Event.Opened opened;

    Reader(Broker broker, Random random) {
      this.broker = broker;
      this.random = random;
      open(ChannelOptions.none());
      readAll();
      cid = opened.id();
      actor = Request.Actor.of(cid).withKey(opened.key());
    }

    private void open(ChannelOptions options) {
      Wired.openChannel(
          broker,
          options.withResume(Duration.ofMinutes(1)),
          given -> {
            attachment = given;
            return new ManualTransport();
          });
      lists.clear();
      ready.clear();
      untaken = 0;
    }

    void comeBack() {
      Attachment before = attachment;
      boolean isCutBefore = random.nextBoolean();
      if (isCutBefore) {
        before.detach(CloseReason.GONE);
      }
      open(ChannelOptions.none().after(lastId));
      if (!isCutBefore) {
        before.poll();
        before.consumed(1);
        before.detach(CloseReason.GONE);
      }
    }

    void step() {
      for (int i = random.nextInt(60); i >= 0; i--) {
        if (!readOne()) {
          Thread.onSpinWait();
        }
        if (random.nextInt(4) == 0) {
          attachment.consumed(untaken);
          untaken = 0;
        }
      }
      if (random.nextInt(4) == 0) {
        comeBack();
      }
    }

    void readAll() {
      while (readOne()) {
        attachment.consumed(untaken);
        untaken = 0;
      }
    }

    private boolean readOne() {
      Envelope envelope = attachment.poll();
      if (envelope == null) {
        return false;
      }
      untaken++;
      if (envelope.id() != null) {
        lastId = envelope.id();
      }
      Event event = envelope.event();
      if (event instanceof Event.Opened first) {
        opened = first;
      } else if (event instanceof Event.Received received) {
        messages.add(received.message().json().toString());
      } else if (event instanceof Event.Unwatched unwatched) {
        lists.remove(unwatched.watch());
        ready.remove(unwatched.watch());
      } else if (event instanceof Event.Watched watched) {
        assertThat(envelope.id()).isNull();
        replay(watched.watch(), watched.shared().event());
      }
      return true;
    }

    private void replay(String name, Event event) {
      Map<String, ListedSession> held = held(name);
      if (event instanceof Event.Added added) {
        held.put(added.session().id(), added.session());
      } else if (event instanceof Event.Removed removed) {
        assertThat(held.remove(removed.sid())).as("removed from " + name).isNotNull();
      } else if (event instanceof Event.Ready told) {
        begun++;
        assertThat(ready.add(name)).as("ready once").isTrue();
        assertThat(held).hasSize(told.count());
      }
    }

    Map<String, ListedSession> held(String name) {
      return lists.computeIfAbsent(name, unused -> new HashMap<>());
    }
  }
}
