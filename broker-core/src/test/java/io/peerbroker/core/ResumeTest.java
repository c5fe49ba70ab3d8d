package io.peerbroker.core;

import static io.peerbroker.core.RefusalAssert.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peerbroker.core.Refusal.Code;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A channel outlives its stream if that was granted, and nothing is lost or doubled. */
final class ResumeTest {

  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final Duration MOMENT = Duration.ofNanos(1);
  private static final ChannelOptions RESUME = ChannelOptions.none().withResume(MINUTE);

  private final ManualTimer timer = new ManualTimer();
  private final Broker broker = broker(100);
  private final Party sender = new Party(broker);

  private Broker broker(int channels) {
    return Broker.builder()
        .timer(timer)
        .maxChannels(channels)
        .maxReplayEvents(5)
        .maxReplayBytes(3_000)
        .maxTotalQueuedBytes(4_000_000)
        .messageRate(Limits.Rate.UNLIMITED)
        .drainTimeout(Duration.ZERO)
        .build();
  }

  @AfterEach
  void nothingIsLeft() {
    broker.close();
    LeakAssert.assertNone(broker);
    assertThat(timer.scheduled()).isZero();
  }

  private ManualTransport open(ChannelOptions options) {
    return ManualTransport.open(broker, options);
  }

  /** Returns a reader that has read its first event. */
  private ManualTransport opened() {
    ManualTransport line = open(RESUME);
    assertThat(line.readAll()).containsExactly("channel");
    return line;
  }

  private void send(ManualTransport to, int from, int last) {
    for (int i = from; i <= last; i++) {
      assertThat(sender.send(to.channel.id(), Integer.toString(i)))
          .isNotInstanceOf(Delivery.Refused.class);
    }
  }

  private ManualTransport comeBack(ManualTransport line) {
    return open(RESUME.after(line.lastId()));
  }

  private static void assertSame(ManualTransport before, ManualTransport after) {
    assertThat(after.channel).isSameAs(before.channel);
    assertThat(after.channel.isOpen()).isTrue();
  }

  private static void assertNew(ManualTransport before, ManualTransport after) {
    assertThat(after.channel.id()).isNotEqualTo(before.channel.id());
    assertThat(after.readAll()).containsExactly("channel");
  }

  private long kept() {
    LocalBroker local = (LocalBroker) broker;
    return local.budgets.queues.used() + local.budgets.replay.used();
  }

  private int permitsTaken() {
    return LeakAssert.permitsTaken(broker);
  }

  // Grants

  @Test
  @Tag("R1")
  @DisplayName("A requested grace is granted up to the maximum, and reported.")
  void grants() {
    for (int asked : new int[] {0, 1, 59, 60, 61, 1_000_000}) {
      ChannelOptions options = ChannelOptions.none().withResume(Duration.ofSeconds(asked));
      List<Event> events = new ArrayList<>();
      Wired.openChannel(
          broker,
          options,
          attachment -> {
            events.add(attachment.poll().event());
            return new ManualTransport().attach(attachment);
          });
      assertThat(((Event.Opened) events.get(0)).resume())
          .isEqualTo(Duration.ofSeconds(Math.min(asked, 60)));
    }
  }

  @Test
  @Tag("R1")
  @DisplayName(
      "A maximum of 0 turns resuming off, and such a channel closes when its stream breaks.")
  void canBeTurnedOff() {
    try (Broker off = Broker.builder().timer(timer).maxResume(Duration.ZERO).build()) {
      ManualTransport line = ManualTransport.open(off, RESUME);
      line.readAll();
      assertThat(line.ids).isEmpty();
      line.cut();
      assertThat(line.channel.isOpen()).isFalse();
      assertThat(timer.scheduled()).isZero();
    }
  }

  @Test
  @Tag("R2")
  @DisplayName("With the grant, each event has an id of its own, which is not the key.")
  void everyEventHasAnId() {
    ManualTransport line = opened();
    send(line, 1, 3);
    line.readAll();
    assertThat(line.ids).hasSize(4).doesNotHaveDuplicates();
    assertThat(line.ids).noneMatch(id -> id.contains(line.channel.key()));
    ManualTransport without = open(ChannelOptions.none());
    without.readAll();
    assertThat(without.ids).isEmpty();
  }

  @Test
  void noTextForLogsShowsAnId() {
    ManualTransport line = opened();
    ResumeId id = ResumeId.parse(line.lastId());
    assertThat(RESUME.after(line.lastId()) + " " + id + " " + line.channel)
        .doesNotContain(id.secret());
    assertThat(RESUME.after(line.lastId()).toString()).doesNotContain(line.channel.id());
    assertThat(RESUME.toString()).isEqualTo("ChannelOptions[resume=PT1M, lease=PT0S]");
  }

  // Breaking and coming back

  @Test
  @Tag("R3")
  @Tag("M15")
  @DisplayName("When the stream breaks, the channel and its sessions live on, and messages wait.")
  void livesOn() {
    ManualTransport line = opened();
    Session session = line.channel.openSession(SessionSpec.listed("a"));
    assertThat(sender.send(session.id(), "1")).isEqualTo(new Delivery.Sent());
    line.cut();
    assertThat(line.channel.isOpen()).isTrue();
    assertThat(broker.list(TagFilter.all()).sessions()).hasSize(1);
    Delivery second = sender.send(session.id(), "2");
    Delivery third = sender.send(line.channel.id(), "3");
    assertThat(List.of(second, third))
        .allSatisfy(queued -> assertThat(queued).isInstanceOf(Delivery.Queued.class))
        .doesNotHaveDuplicates();
    ManualTransport back = comeBack(line);
    assertSame(line, back);
    assertThat(back.readAll()).containsExactly("1", "2", "3");
    assertThat(sender.send(session.id(), "4")).isEqualTo(new Delivery.Sent());
    assertThat(back.readAll()).containsExactly("4");
  }

  @Test
  @Tag("R4")
  @DisplayName(
      "A client that comes back gets every event after the one it names, once and in order.")
  void goesOnAfterAnyEvent() {
    for (int seen = 0; seen <= 5; seen++) {
      for (int taken = 0; taken <= 5; taken++) {
        ManualTransport line = open(RESUME);
        send(line, 1, 6);
        for (int i = 0; i <= 5; i++) {
          line.poll();
        }
        line.consumed(taken);
        line.cut();
        ManualTransport back = open(RESUME.after(line.ids.get(seen)));
        assertSame(line, back);
        List<String> all = new ArrayList<>(line.read.subList(0, seen + 1));
        all.addAll(back.readAll());
        assertThat(all).containsExactly("channel", "1", "2", "3", "4", "5", "6");
        assertThat(back.ids.subList(0, 5 - seen))
            .isEqualTo(line.ids.subList(seen + 1, line.ids.size()));
        line.channel.close();
        back.cut();
      }
    }
  }

  @Test
  @Tag("R4")
  @DisplayName(
      "A client may come back repeatedly, and an event that only an earlier stream has "
          + "given counts as given.")
  void comesBackManyTimes() {
    ManualTransport line = opened();
    send(line, 1, 4);
    line.readAll();
    String fourth = line.lastId();
    // The second stream has sent less when the third names an event that the first had sent.
    ManualTransport second = open(RESUME.after(line.ids.get(1)));
    assertSame(line, second);
    assertThat(second.poll()).isEqualTo("2");
    ManualTransport third = open(RESUME.after(fourth));
    assertSame(line, third);
    assertThat(third.readAll()).isEmpty();
    send(line, 5, 5);
    assertThat(third.readAll()).containsExactly("5");
    third.cut();
    second.cut();
    line.cut();
    assertSame(line, comeBack(third));
  }

  @Test
  @Tag("R6")
  @DisplayName("The first grant stands; later requests for one are ignored.")
  void theFirstGrantStands() {
    ManualTransport line = opened();
    line.cut();
    ManualTransport back = open(ChannelOptions.none().withLease(MINUTE).after(line.lastId()));
    assertSame(line, back);
    timer.advance(MINUTE.multipliedBy(10));
    back.cut();
    timer.advance(MINUTE.minus(MOMENT));
    assertThat(line.channel.isOpen()).isTrue();
  }

  @Test
  @Tag("R7")
  @DisplayName("The newest stream wins: the older one is notified and gets nothing more.")
  void supersedes() {
    ManualTransport line = opened();
    send(line, 1, 2);
    assertThat(line.poll()).isEqualTo("1");
    ManualTransport back = open(RESUME.after(line.firstId()));
    assertSame(line, back);
    assertThat(line.told).containsExactly("superseded");
    assertThat(line.poll()).isNull();
    // It is too late to count, and the end of a stream that is not the newest ends nothing.
    line.consumed(1);
    line.cut();
    send(line, 3, 3);
    assertThat(back.readAll()).containsExactly("1", "2", "3");
    assertThat(back.told).isEmpty();
    assertThat(timer.scheduled()).isZero();
    back.cut();
    assertSame(line, comeBack(back));
  }

  @Test
  @Tag("R8")
  @DisplayName(
      "The grace ends on time and not earlier; a client that comes later gets a new channel.")
  void expires() {
    ManualTransport line = opened();
    Session session = line.channel.openSession(SessionSpec.listed("a"));
    line.cut();
    timer.advance(MINUTE.minus(MOMENT));
    ManualTransport back = comeBack(line);
    assertSame(line, back);
    // The first grace is over.
    timer.advance(MINUTE);
    assertSame(line, back);
    back.cut();
    timer.advance(MINUTE.minus(MOMENT));
    assertThat(line.channel.isOpen()).isTrue();
    timer.advance(MOMENT);
    assertThat(line.channel.isOpen()).isFalse();
    assertThat(broker.list(TagFilter.all()).sessions()).isEmpty();
    Party.assertRefused(sender.send(session.id(), "1"), Code.UNKNOWN_TARGET);
    assertNew(line, comeBack(line));
  }

  @Test
  @Tag("R11")
  @DisplayName("A close during the grace takes effect at once.")
  void closesInTheGrace() {
    ManualTransport line = opened();
    line.cut();
    Wired.claim(broker, line.channel.id(), line.channel.key()).close();
    assertThat(line.channel.isOpen()).isFalse();
    assertThat(timer.scheduled()).isZero();
    assertNew(line, comeBack(line));
  }

  @Test
  void aShutdownInTheGraceLeavesNothing() {
    ManualTransport line = opened();
    line.cut();
    send(line, 1, 3);
    broker.close();
    assertThat(line.channel.isOpen()).isFalse();
    assertRefused(() -> comeBack(line), Code.SHUTTING_DOWN);
  }

  // Replay

  @Test
  @Tag("R9")
  @Tag("X15")
  @DisplayName("Beyond the bound of events, the oldest is dropped, and there is never a gap.")
  void isTooOldByEvents() {
    for (int seen : new int[] {0, 1}) {
      ManualTransport line = opened();
      send(line, 1, 6);
      line.readAll();
      // Five are kept: 2 to 6.
      ManualTransport back = open(RESUME.after(line.ids.get(seen)));
      if (seen == 1) {
        assertSame(line, back);
      } else {
        assertNew(line, back);
        assertThat(line.channel.isOpen()).isFalse();
        assertThat(line.told).containsExactly("superseded");
      }
    }
  }

  @Test
  @Tag("R9")
  @Tag("X15")
  @DisplayName("Beyond the bound of bytes, the oldest is dropped.")
  void isTooOldByBytes() {
    String json = "\"" + "x".repeat(1_100) + "\"";
    for (int seen : new int[] {0, 1}) {
      ManualTransport line = opened();
      for (int i = 0; i < 3; i++) {
        Party.assertSent(sender.send(line.channel.id(), json));
      }
      line.readAll();
      ManualTransport back = open(RESUME.after(line.ids.get(seen)));
      if (seen == 1) {
        assertSame(line, back);
        assertThat(back.readAll()).hasSize(2);
      } else {
        assertNew(line, back);
        assertThat(line.channel.isOpen()).isFalse();
      }
    }
  }

  @Test
  @Tag("R9")
  @DisplayName("Events that the network has not taken are not dropped, however many there are.")
  void keepsWhatWaits() {
    ManualTransport line = opened();
    line.cut();
    send(line, 1, 100);
    ManualTransport back = comeBack(line);
    assertThat(back.poll()).isEqualTo("1");
    back.cut();
    ManualTransport again = comeBack(line);
    assertThat(again.readAll()).hasSize(100).startsWith("1").endsWith("100");
  }

  @Test
  @Tag("R10")
  @DisplayName("Confirmed events are not kept; an id of another channel confirms nothing.")
  void confirms() {
    ManualTransport line = opened();
    ManualTransport other = opened();
    send(line, 1, 3);
    line.readAll();
    long all = kept();
    line.channel.confirm(other.lastId());
    line.channel.confirm("");
    line.channel.confirm(line.lastId() + "0");
    line.channel.confirm(line.lastId().replaceFirst("\\.[^.]*\\.", ".forged."));
    assertThat(kept()).isEqualTo(all);
    line.channel.confirm(line.ids.get(1));
    assertThat(kept()).isLessThan(all);
    long some = kept();
    line.channel.confirm(line.ids.get(0));
    assertThat(kept()).isEqualTo(some);
    assertSame(line, open(RESUME.after(line.ids.get(1))));
    ManualTransport late = open(RESUME.after(line.ids.get(0)));
    assertNew(line, late);
  }

  @Test
  @DisplayName("An event that is confirmed before the network reports it taken is not kept.")
  void anEarlyConfirmationCounts() {
    ManualTransport line = opened();
    send(line, 1, 2);
    line.poll();
    line.poll();
    line.channel.confirm(line.lastId());
    line.consumed(2);
    assertThat(kept()).isZero();
    assertSame(line, comeBack(line));
  }

  @Test
  @Tag("X15")
  @DisplayName("A new channel keeps some events, however many the others keep.")
  void everyoneKeepsSomething() {
    ByteBudget replay = ((LocalBroker) broker).budgets.replay;
    assertThat(replay.reserve(500_000)).isTrue();
    assertThat(replay.reserve(1)).isFalse();
    ManualTransport line = opened();
    send(line, 1, 4);
    line.readAll();
    ManualTransport back = open(RESUME.after(line.ids.get(0)));
    assertSame(line, back);
    assertThat(back.readAll()).containsExactly("1", "2", "3", "4");
    replay.release(500_000);
  }

  // Ids that lead nowhere

  @Test
  @Tag("C21")
  @DisplayName("An id that was never issued leads to a new channel and touches no other.")
  void forged() {
    ManualTransport line = opened();
    send(line, 1, 2);
    assertThat(line.poll()).isEqualTo("1");
    ManualTransport other = opened();
    String cid = line.channel.id();
    ResumeId id = ResumeId.parse(line.lastId());
    ResumeId others = ResumeId.parse(other.lastId());
    long used = kept();
    try (Broker elsewhere = Broker.builder().timer(timer).drainTimeout(Duration.ZERO).build()) {
      ManualTransport foreign = ManualTransport.open(elsewhere, RESUME);
      foreign.readAll();
      for (String wrong :
          List.of(
              "",
              ".",
              "..",
              "...",
              cid,
              cid + ".",
              cid + "..1",
              cid + "." + id.secret(),
              cid + "." + id.secret() + ".",
              cid + "." + id.secret() + ".0",
              cid + "." + id.secret() + ".01",
              cid + "." + id.secret() + ".+1",
              cid + "." + id.secret() + ".-1",
              cid + "." + id.secret() + ".1 ",
              cid + "." + id.secret() + ".١",
              cid + "." + id.secret() + ".3",
              cid + "." + id.secret() + ".999999999999999999",
              cid + "." + id.secret() + ".9999999999999999999",
              cid + "." + others.secret() + ".1",
              cid + "." + id.secret().toLowerCase(java.util.Locale.ROOT) + "!.1",
              cid + "." + line.channel.key() + ".1",
              cid.toUpperCase(java.util.Locale.ROOT) + "." + id.secret() + ".1",
              "x".repeat(10_000),
              ".".repeat(10_000),
              foreign.lastId())) {
        ManualTransport answer = open(RESUME.after(wrong));
        assertNew(line, answer);
        assertThat(answer.channel).isNotSameAs(other.channel);
        answer.channel.close();
        answer.cut();
      }
    }
    assertThat(line.told).isEmpty();
    assertThat(other.told).isEmpty();
    assertThat(kept()).isEqualTo(used);
    assertThat(line.readAll()).containsExactly("2");
  }

  @Test
  @Tag("R16")
  @DisplayName("A channel that asked for resume or lease hosts sessions only for its key.")
  void hostingTakesTheKey() {
    for (ChannelOptions asked :
        List.of(RESUME, ChannelOptions.none().withLease(Duration.ofSeconds(1)))) {
      ManualTransport line = open(asked);
      assertRefused(() -> Wired.claimHost(broker, line.channel.id(), null), Code.INVALID_REQUEST);
      assertThat(Wired.claimHost(broker, line.channel.id(), line.channel.key()))
          .isSameAs(line.channel);
    }
    assertThat(Wired.claimHost(broker, open(ChannelOptions.none()).channel.id(), null)).isNotNull();
  }

  // Permits

  @Test
  void everyStreamHasASeatAndSoHasAChannelThatWaits() {
    sender.channel.close();
    assertThat(permitsTaken()).isZero();
    ManualTransport line = opened();
    assertThat(permitsTaken()).isEqualTo(1);
    line.cut();
    assertThat(permitsTaken()).isEqualTo(1);
    ManualTransport second = comeBack(line);
    assertThat(permitsTaken()).isEqualTo(1);
    ManualTransport third = comeBack(line);
    assertThat(permitsTaken()).isEqualTo(2);
    second.cut();
    assertThat(permitsTaken()).isEqualTo(1);
    open(RESUME.after("forged")).channel.close();
    assertThat(permitsTaken()).isEqualTo(2);
    third.channel.close();
    assertThat(third.told).containsExactly("closed");
    assertThat(permitsTaken()).isEqualTo(2);
    third.cut();
    assertThat(permitsTaken()).isEqualTo(1);
  }

  @Test
  void comesBackThoughTheBrokerIsFull() {
    try (Broker small = broker(1)) {
      ManualTransport line = ManualTransport.open(small, RESUME);
      line.readAll();
      assertRefused(() -> ManualTransport.open(small, RESUME), Code.AT_CAPACITY);
      assertRefused(() -> ManualTransport.open(small, RESUME.after("forged")), Code.AT_CAPACITY);
      line.cut();
      ManualTransport back = ManualTransport.open(small, RESUME.after(line.lastId()));
      assertSame(line, back);
      assertRefused(() -> ManualTransport.open(small, RESUME), Code.AT_CAPACITY);
      back.cut();
      timer.advance(MINUTE);
      assertNew(line, ManualTransport.open(small, RESUME));
    }
  }

  @Test
  @Tag("R9")
  @Tag("E3")
  @DisplayName(
      "A client that comes back too late gets the old channel's permit, also if all are taken.")
  void isReplacedThoughTheBrokerIsFull() {
    try (Broker small = broker(1)) {
      for (boolean cut : new boolean[] {false, true}) {
        ManualTransport line = ManualTransport.open(small, RESUME);
        line.readAll();
        for (int i = 0; i < 10; i++) {
          Party.assertSent(Party.answer(line.channel.send(line.channel.id(), Json.of(i))));
        }
        line.readAll();
        if (cut) {
          line.cut();
        }
        ManualTransport other = ManualTransport.open(small, RESUME.after(line.firstId()));
        assertNew(line, other);
        assertThat(line.channel.isOpen()).isFalse();
        // It has one permit and no second one, even if others come with the old one's id.
        assertRefused(
            () -> ManualTransport.open(small, RESUME.after(line.firstId())), Code.AT_CAPACITY);
        if (!cut) {
          line.cut();
        }
        assertThat(LeakAssert.permitsTaken(small)).isOne();
        other.channel.close();
        other.cut();
      }
    }
  }

  @Test
  @Tag("X20")
  @DisplayName("If no permit is free, the longest-waiting channel gives way to a new one.")
  void theLongestWaitingGivesWay() {
    try (Broker small = broker(3)) {
      ManualTransport[] lines = new ManualTransport[3];
      for (int i = 0; i < 3; i++) {
        lines[i] = ManualTransport.open(small, RESUME);
        lines[i].readAll();
      }
      assertRefused(() -> ManualTransport.open(small, RESUME), Code.AT_CAPACITY);
      lines[1].cut();
      lines[0].cut();
      ManualTransport next = ManualTransport.open(small, RESUME);
      assertThat(lines[1].channel.isOpen()).isFalse();
      assertThat(lines[0].channel.isOpen()).isTrue();
      // A channel that has come back no longer waits, and begins anew when its stream breaks again.
      ManualTransport back = ManualTransport.open(small, RESUME.after(lines[0].lastId()));
      assertSame(lines[0], back);
      assertRefused(() -> ManualTransport.open(small, RESUME), Code.AT_CAPACITY);
      next.cut();
      back.cut();
      ManualTransport last = ManualTransport.open(small, RESUME);
      assertThat(next.channel.isOpen()).isFalse();
      assertThat(lines[0].channel.isOpen()).isTrue();
      assertThat(lines[2].channel.isOpen()).isTrue();
      assertThat(small.stats().channelsClosed().get(CloseReason.EXPIRED)).isEqualTo(2);
      timer.advance(MINUTE);
      assertThat(LeakAssert.permitsTaken(small)).isEqualTo(2);
      last.cut();
      lines[2].cut();
      timer.advance(MINUTE);
      LeakAssert.assertNone(small);
    }
  }

  @Test
  @DisplayName("An opener that fails leaves no new channel, and leaves an old one waiting.")
  void aFailedOpenerLeavesTheOldChannelWaiting() {
    sender.channel.close();
    RuntimeException no = new IllegalStateException("no");
    Transport.Opener failing =
        attachment -> {
          attachment.poll();
          throw no;
        };
    assertThatThrownBy(() -> Wired.openChannel(broker, RESUME, failing)).isSameAs(no);
    assertThat(permitsTaken()).isZero();
    assertThat(kept()).isZero();
    assertThat(timer.scheduled()).isZero();

    ManualTransport line = opened();
    sendToItself(line);
    for (boolean cut : new boolean[] {false, true}) {
      if (cut) {
        line.cut();
      }
      assertThatThrownBy(() -> Wired.openChannel(broker, RESUME.after(line.lastId()), failing))
          .isSameAs(no);
    }
    assertThat(line.told).containsExactly("superseded");
    assertThat(permitsTaken()).isEqualTo(1);
    assertThat(timer.scheduled()).isEqualTo(1);
    ManualTransport back = comeBack(line);
    assertSame(line, back);
    assertThat(back.readAll()).containsExactly("1");
  }

  /** From the channel to itself. */
  private static void sendToItself(ManualTransport line) {
    assertThat(line.channel.send(line.channel.id(), Json.of(1)).toCompletableFuture().join())
        .isEqualTo(new Delivery.Sent());
  }

  @Test
  void aBreakDuringOpeningBeginsTheGrace() {
    Channel channel =
        Wired.openChannel(
            broker,
            RESUME,
            attachment -> {
              attachment.detach(CloseReason.GONE);
              return new ManualTransport().attach(attachment);
            });
    assertThat(channel.isOpen()).isTrue();
    assertThat(timer.scheduled()).isEqualTo(1);
    timer.advance(MINUTE);
    assertThat(channel.isOpen()).isFalse();
    assertThat(timer.scheduled()).isZero();
  }
}
