package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** How often, and on which threads, watches are woken for changes of others. */
final class WakeThrottleTest {

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

  /**
   * A watch's far end that counts its wake-ups, and reads at each of them if the test wants that.
   */
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
          broker
              .gateway()
              .watch(
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
    LeakAssert.assertNone(broker);
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
  @DisplayName("A change wakes a few readers on its own thread and the others elsewhere.")
  void aChangeWakesFewOnItsOwnThread() {
    Session session = party.host("a");
    watch(5_000, true);
    timer.advance(PAUSE);
    change(session);
    assertThat(lists.stream().mapToInt(list -> list.here.get()).sum()).isLessThanOrEqualTo(64);
    awaitWakeUps(1);
    assertThat(lists).allMatch(list -> list.events.get() == 1);
  }

  @Test
  @DisplayName("A channel that closes with all its sessions is one wake-up.")
  void aClosingChannelIsOneWakeUp() {
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
  @Tag("X11")
  @DisplayName("A change beyond the bound ends no reader that reads promptly.")
  void aPromptReaderMayPassTheBoundOnce() {
    for (int i = 0; i < 2_000; i++) {
      party.host("a");
    }
    watch(100, true);
    timer.advance(PAUSE);
    party.channel.close();
    await().untilAsserted(() -> assertThat(lists).allMatch(list -> list.events.get() == 2_000));
    assertThat(lists).allMatch(list -> list.ended == null);
  }

  /** A watch's far end that does not read at once, but when its connection has its turn. */
  private static final class Soon implements Transport {
    final LocalWatch stream;
    final ManualExecutor reads;
    int events;
    @Nullable CloseReason ended;

    Soon(LocalWatch stream, ManualExecutor reads) {
      this.stream = stream;
      this.reads = reads;
    }

    @Override
    public void ready() {
      reads.execute(this::read);
    }

    private void read() {
      while (stream.poll() != null) {
        events++;
      }
    }

    @Override
    public void end(CloseReason reason) {
      ended = reason;
    }
  }

  @Test
  @Tag("X11")
  @DisplayName("A reader that reads within the pause after its wake-up does not fall off.")
  void aReaderWithinThePauseDoesNotFallOff() {
    List<SessionRef> sessions = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      sessions.add(((LocalSession) party.host("a")).ref);
    }
    ManualExecutor elsewhere = new ManualExecutor();
    ManualExecutor reads = new ManualExecutor();
    WakeThrottle wakes = new WakeThrottle(timer, PAUSE, elsewhere);
    WatchIndex watches =
        new WatchIndex(broker.limits(), new ChangeBudget(1 << 26), wakes, tag -> 0);
    List<Soon> readers = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      LocalWatch stream =
          broker.newWatch(
              ParsedFilter.of(TagFilter.parse("a")), null, new Permits("watches", 1).takeAnyway());
      watches.add(stream);
      Soon reader = new Soon(stream, reads);
      readers.add(reader);
      stream.connect(reader);
    }
    reads.runAll();
    feedRemovals(watches, wakes, sessions, 1);
    reads.runAll();
    assertThat(readers).anyMatch(reader -> reader.events == 2_001);
    assertThat(readers).anyMatch(reader -> reader.events == 1);
    // The watches are so many, or the executor so busy, that the round outlasts the pause.
    timer.advance(PAUSE);
    feedRemovals(watches, wakes, sessions.subList(0, 1), 2);
    elsewhere.runAll();
    reads.runAll();
    timer.advance(PAUSE);
    elsewhere.runAll();
    reads.runAll();
    assertThat(readers).allMatch(reader -> reader.ended == null && reader.events == 2_002);
    assertThat(elsewhere.waiting()).isZero();
    assertThat(timer.scheduled()).isZero();
  }

  /** Removes sessions with the tag "a" in one step, and wakes the watches for that. */
  private static void feedRemovals(
      WatchIndex watches, WakeThrottle wakes, List<SessionRef> sessions, long step) {
    List<WatchIndex.Home> touched = new ArrayList<>();
    for (SessionRef session : sessions) {
      Envelope removal = Envelope.removed(session.id);
      WatchIndexTest.feed(
          watches, new SessionChange(session, List.of("a"), null, removal), step, touched);
    }
    touched.forEach(WatchIndex.Home::catchUpWithMuch);
    wakes.touched(touched);
  }

  @Test
  @Tag("X11")
  @DisplayName("A reader that does not read ends when it is woken again.")
  void aReaderThatStandsStillEnds() {
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
    WatchIndex.Group group = ((LocalWatch) lists.get(0).attachment).group();
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
  void aWatchThatCannotSeeAChangeIsNotWoken() {
    watch("a,!b", 3, true);
    watch("!b", 3, true);
    timer.advance(PAUSE);
    party.host("a", "b");
    timer.advance(PAUSE);
    party.host("b").close();
    timer.advance(PAUSE);
    Session seen = party.host("a");
    awaitEvents(1);
    awaitWakeUps(1);
    seen.close();
    awaitEvents(2);
    awaitWakeUps(2);
  }

  @Test
  void whateverWaitsForThePauseIsToldWhenItIsOver() {
    watch("a", 1, true);
    watch("b", 1, true);
    timer.advance(PAUSE);
    party.host("a");
    timer.advance(PAUSE.dividedBy(2));
    party.host("b");
    // The one that waits longer was not the first to wait.
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
  @DisplayName("Thousands of filters do not occupy a thread that changes what all of them see.")
  void thousandsOfFiltersKeepNoChangingThread() {
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

  /** A timer that refuses tasks when the test wants that. */
  private static final class Refusing implements Timer {
    final ManualTimer timer = new ManualTimer();
    boolean refuses;

    @Override
    public long nanoTime() {
      return timer.nanoTime();
    }

    @Override
    public Scheduled schedule(Duration delay, Runnable task) {
      if (refuses) {
        throw new RejectedExecutionException("The timer of the test refuses.");
      }
      return timer.schedule(delay, task);
    }
  }

  private Woken watch(Broker of, String filter) {
    List<Woken> opened = new ArrayList<>();
    Watch unused =
        of.gateway()
            .watch(
                TagFilter.parse(filter),
                attachment -> {
                  Woken woken = new Woken(attachment, true);
                  opened.add(woken);
                  return woken;
                });
    Woken list = opened.get(0);
    assertThat(list.events).hasValue(1);
    return list;
  }

  /** As above; the round that was last may have ended after the time went on. */
  private static void awaitEvents(ManualTimer timer, Woken list, int events) {
    await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () -> {
              timer.advance(PAUSE);
              return list.events.get() == events;
            });
  }

  @Test
  void aTimerThatRefusesSilencesNoWatch() {
    Refusing refusing = new Refusing();
    try (Broker other =
        Broker.builder().timer(refusing).sessionRate(Limits.Rate.UNLIMITED).build()) {
      Party host = new Party(other);
      Woken b = watch(other, "b");
      Woken a = watch(other, "a");
      refusing.timer.advance(PAUSE);
      host.host("b");
      assertThat(b.events).hasValue(2);
      // Those under "b" have their pause, those under "a" do not.
      refusing.refuses = true;
      assertThatThrownBy(() -> host.host("b", "a")).hasMessageContaining("refuses");
      await().untilAsserted(() -> assertThat(a.events).hasValue(2));
      refusing.refuses = false;
      // If nothing was sent when the pause was over, the next change wakes the watch.
      refusing.timer.advance(PAUSE);
      assertThat(b.events).hasValue(2);
      host.host("a");
      awaitEvents(refusing.timer, a, 3);
      host.host("b");
      awaitEvents(refusing.timer, b, 4);
    }
  }

  @Test
  @DisplayName("A timer that refuses a task that must run before another one silences no watch.")
  void aRefusingTimerSilencesNoWatch() {
    Refusing refusing = new Refusing();
    ManualExecutor elsewhere = new ManualExecutor();
    WakeThrottle wakes = new WakeThrottle(refusing, PAUSE, elsewhere);
    AtomicInteger late = new AtomicInteger();
    AtomicInteger early = new AtomicInteger();
    WakeThrottle.Turn one = turn(late);
    WakeThrottle.Turn two = turn(early);
    assertThat(wakes.touched(two, 1)).isEqualTo(0);
    refusing.timer.advance(PAUSE.dividedBy(2));
    assertThat(wakes.touched(one, 1)).isEqualTo(0);
    assertThat(wakes.touched(one, 1)).isEqualTo(1);
    refusing.refuses = true;
    assertThatThrownBy(() -> wakes.touched(two, 1)).hasMessageContaining("refuses");
    refusing.refuses = false;
    assertThat(wakes.touched(one, 1)).isEqualTo(1);
    refusing.timer.advance(PAUSE);
    elsewhere.runAll();
    assertThat(late).hasValue(2);
    assertThat(early).hasValue(2);
    assertThat(refusing.timer.scheduled()).isZero();
  }

  /** Rounds of one step, which are counted. */
  private static WakeThrottle.Turn turn(AtomicInteger rounds) {
    return new WakeThrottle.Turn(
        () ->
            new WakeThrottle.Round() {
              private boolean over;

              @Override
              public boolean isOver() {
                return over;
              }

              @Override
              public int go(int max) {
                over = true;
                rounds.incrementAndGet();
                return max - 1;
              }
            });
  }
}
