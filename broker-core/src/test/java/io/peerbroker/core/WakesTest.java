package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How often, and on which threads, live lists are woken for what strangers change. */
final class WakesTest {

  private static final Duration PAUSE = Duration.ofMillis(50);

  private final ManualTimer timer = new ManualTimer();
  private final LocalBroker broker =
      (LocalBroker)
          Broker.builder()
              .timer(timer)
              .sessionRate(Limits.Rate.UNLIMITED)
              .maxSessionsPerChannel(3_000)
              .drainTimeout(Duration.ZERO)
              .build();
  private final Party party = new Party(broker);
  private final List<Woken> lists = new ArrayList<>();
  private final Thread changer = Thread.currentThread();

  /** A list's end that counts its wake-ups, and reads at each of them if it is told to. */
  private final class Woken implements Transport {
    final Attachment attachment;
    final boolean reads;
    final AtomicInteger wakeUps = new AtomicInteger();
    final AtomicInteger events = new AtomicInteger();
    final AtomicInteger here = new AtomicInteger();
    volatile CloseReason ended;

    Woken(Attachment attachment, boolean reads) {
      this.attachment = attachment;
      this.reads = reads;
    }

    @Override
    public void ready() {
      wakeUps.incrementAndGet();
      if (Thread.currentThread() == changer) {
        here.incrementAndGet();
      }
      while (reads && attachment.poll() != null) {
        events.incrementAndGet();
      }
    }

    @Override
    public void end(CloseReason reason) {
      ended = reason;
      attachment.detach(reason);
    }
  }

  private void watch(int count, boolean reads) {
    watch("", count, reads);
  }

  private void watch(String filter, int count, boolean reads) {
    for (int i = 0; i < count; i++) {
      Watch unused =
          broker.watch(
              TagFilter.parse(filter),
              attachment -> {
                Woken woken = new Woken(attachment, reads);
                lists.add(woken);
                return woken;
              });
    }
    for (Woken list : lists) {
      while (list.attachment.poll() != null) {
        list.events.incrementAndGet();
      }
      list.wakeUps.set(0);
      list.events.set(0);
      list.here.set(0);
    }
  }

  @AfterEach
  void nothingIsLeft() {
    lists.forEach(list -> list.attachment.detach(CloseReason.GONE));
    broker.close();
    Leftovers.assertNone(broker);
  }

  private void change(Session session) {
    session.update(SessionUpdate.nothing().withMetadata(Json.of(Math.random())));
  }

  private void awaitWakeUps(int each) {
    await()
        .untilAsserted(
            () -> assertThat(lists).allMatch(list -> list.wakeUps.get() == each, each + " times"));
  }

  /** Lets the time go on until all have read so much: rounds end, and others are due, meanwhile. */
  private void awaitEvents(int each) {
    await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () -> {
              timer.advance(PAUSE);
              return lists.stream().allMatch(list -> list.events.get() == each);
            });
  }

  @Test
  void tenChangesWithinAPauseAreTwoWakeUps() {
    Session session = party.host("a");
    watch(3, true);
    timer.advance(PAUSE);
    change(session);
    // At once, on this thread.
    assertThat(lists).allMatch(list -> list.wakeUps.get() == 1 && list.events.get() == 1);
    for (int i = 0; i < 9; i++) {
      change(session);
    }
    timer.advance(PAUSE.minusNanos(1));
    assertThat(lists).allMatch(list -> list.wakeUps.get() == 1);
    timer.advance(Duration.ofNanos(1));
    awaitWakeUps(2);
    assertThat(lists).allMatch(list -> list.events.get() == 2);
    // After a silence it is at once again.
    timer.advance(PAUSE.multipliedBy(2));
    change(session);
    assertThat(lists).allMatch(list -> list.wakeUps.get() == 3);
    assertThat(timer.scheduled()).isZero();
  }

  @Test
  void whatCancelsItselfIsNotTold() {
    watch(1, true);
    party.host("first");
    party.host("brief").close();
    timer.advance(PAUSE);
    awaitWakeUps(2);
    assertThat(lists.get(0).events).hasValue(1);
  }

  @Test
  void aChangeWakesFewOnItsOwnThreadAndTheOthersElsewhere() {
    Session session = party.host("a");
    watch(5_000, true);
    timer.advance(PAUSE);
    change(session);
    assertThat(lists.stream().mapToInt(list -> list.here.get()).sum()).isLessThanOrEqualTo(64);
    awaitWakeUps(1);
    assertThat(lists).allMatch(list -> list.events.get() == 1);
  }

  @Test
  void aChannelThatClosesWithAllItsSessionsIsOneWakeUp() {
    for (int i = 0; i < 64; i++) {
      party.host("a");
    }
    watch(500, true);
    timer.advance(PAUSE);
    party.channel.close();
    awaitWakeUps(1);
    await().untilAsserted(() -> assertThat(lists).allMatch(list -> list.events.get() == 64));
    assertThat(timer.scheduled()).isZero();
  }

  @Test
  void x11OneChangeBeyondTheBoundEndsNobodyWhoReadsAtOnce() {
    for (int i = 0; i < 2_000; i++) {
      party.host("a");
    }
    watch(100, true);
    timer.advance(PAUSE);
    party.channel.close();
    await().untilAsserted(() -> assertThat(lists).allMatch(list -> list.events.get() == 2_000));
    assertThat(lists).allMatch(list -> list.ended == null);
  }

  @Test
  void x11WhoDoesNotReadEndsWhenItIsWokenAgain() {
    for (int i = 0; i < 2_000; i++) {
      party.host("a");
    }
    watch(3, false);
    timer.advance(PAUSE);
    party.channel.close();
    awaitWakeUps(1);
    timer.advance(PAUSE);
    Party other = new Party(broker);
    other.host("b");
    await()
        .untilAsserted(
            () -> assertThat(lists).allMatch(list -> list.ended == CloseReason.OVERFLOW));
    assertThat(broker.directory.watchBytes.used()).isLessThan(1_000);
  }

  @Test
  void aChangeIsKeptOnceHoweverManyWait() {
    Session session = party.host("a");
    watch(2_000, false);
    timer.advance(PAUSE);
    for (int i = 0; i < 100; i++) {
      change(session);
      timer.advance(PAUSE);
    }
    Watches.Group group = ((ListStream) lists.get(0).attachment).group();
    // Once in the log, and once in its tail, which is yet to be announced.
    assertThat(group.log.events()).isLessThanOrEqualTo(2);
    assertThat(broker.directory.watchBytes.used()).isLessThan(1_000);
  }

  @Test
  void withoutAPauseEachChangeIsTold() {
    try (LocalBroker eager =
        (LocalBroker) Broker.builder().timer(timer).listPause(Duration.ZERO).build()) {
      Session session = new Party(eager).host("a");
      Replay replay = new Replay();
      eager.watch(TagFilter.all(), replay, Runnable::run);
      for (int i = 0; i < 10; i++) {
        change(session);
      }
      assertThat(replay.told()).hasSize(1 + 1 + 10);
    }
  }

  @Test
  void whoeverCannotSeeAChangeIsNotWoken() {
    watch("a,!b", 3, true);
    watch("!b", 3, true);
    timer.advance(PAUSE);
    party.host("a", "b");
    timer.advance(PAUSE);
    party.host("b").close();
    timer.advance(PAUSE);
    Session seen = party.host("a");
    awaitWakeUps(1);
    timer.advance(PAUSE);
    seen.close();
    awaitWakeUps(2);
    assertThat(lists).allMatch(list -> list.events.get() == 2);
  }

  @Test
  void whateverWaitsForThePauseIsToldWhenItIsOver() {
    watch("a", 1, true);
    watch("b", 1, true);
    timer.advance(PAUSE);
    party.host("a");
    timer.advance(PAUSE.dividedBy(2));
    party.host("b");
    // What waits longer was not the first to wait.
    party.host("b");
    party.host("a");
    assertThat(timer.scheduled()).isEqualTo(1);
    timer.advance(PAUSE.dividedBy(2));
    await().untilAsserted(() -> assertThat(lists.get(0).events).hasValue(2));
    assertThat(lists.get(1).events).hasValue(1);
    timer.advance(PAUSE.dividedBy(2));
    await().untilAsserted(() -> assertThat(lists.get(1).events).hasValue(2));
    timer.advance(PAUSE);
    assertThat(timer.scheduled()).isZero();
  }

  @Test
  void thousandsOfFiltersKeepNoThreadThatChangesWhatAllOfThemSee() {
    List<String> tags = new ArrayList<>();
    for (int i = 0; i < 32; i++) {
      tags.add("tag-" + i);
    }
    for (int i = 0; i < 1_000; i++) {
      watch("tag-" + i % 32 + ",!x" + i, 1, true);
    }
    timer.advance(PAUSE);
    for (int i = 0; i < 64; i++) {
      party.host(tags.toArray(String[]::new));
    }
    awaitEvents(64);
    timer.advance(PAUSE);
    lists.forEach(list -> list.here.set(0));
    party.channel.close();
    assertThat(lists.stream().mapToInt(list -> list.here.get()).sum()).isLessThanOrEqualTo(64);
    awaitEvents(128);
  }
}
