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
import org.junit.jupiter.api.Test;

/** A channel outlives its stream where that was granted, and nothing is lost or doubled. */
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
    Leftovers.assertNone(broker);
    assertThat(timer.scheduled()).isZero();
  }

  private Line open(ChannelOptions options) {
    return Line.open(broker, options);
  }

  /** One that has read its first event. */
  private Line opened() {
    Line line = open(RESUME);
    assertThat(line.readAll()).containsExactly("channel");
    return line;
  }

  private void send(Line to, int from, int last) {
    for (int i = from; i <= last; i++) {
      assertThat(sender.send(to.channel.id(), Integer.toString(i)))
          .isNotInstanceOf(Delivery.Refused.class);
    }
  }

  private Line comeBack(Line line) {
    return open(RESUME.after(line.lastId()));
  }

  private static void assertSame(Line before, Line after) {
    assertThat(after.channel).isSameAs(before.channel);
    assertThat(after.channel.isOpen()).isTrue();
  }

  private static void assertNew(Line before, Line after) {
    assertThat(after.channel.id()).isNotEqualTo(before.channel.id());
    assertThat(after.readAll()).containsExactly("channel");
  }

  private long kept() {
    LocalBroker local = (LocalBroker) broker;
    return local.budget.used() + local.replay.used();
  }

  private int seats() {
    return ((LocalBroker) broker).seats();
  }

  // What is granted

  @Test
  @DisplayName("R1 what was asked for is granted up to the maximum, and told")
  void grants() {
    for (int asked : new int[] {0, 1, 59, 60, 61, 1_000_000}) {
      ChannelOptions options = ChannelOptions.none().withResume(Duration.ofSeconds(asked));
      List<Event> events = new ArrayList<>();
      broker.openChannel(
          options,
          attachment -> {
            events.add(attachment.poll().event());
            return new Line().attach(attachment);
          });
      assertThat(((Event.Opened) events.get(0)).resume())
          .isEqualTo(Duration.ofSeconds(Math.min(asked, 60)));
    }
  }

  @Test
  @DisplayName("R1 a maximum of 0 turns it off, and such a channel closes when its stream breaks")
  void canBeTurnedOff() {
    try (Broker off = Broker.builder().timer(timer).maxResume(Duration.ZERO).build()) {
      Line line = Line.open(off, RESUME);
      line.readAll();
      assertThat(line.ids).isEmpty();
      line.cut();
      assertThat(line.channel.isOpen()).isFalse();
      assertThat(timer.scheduled()).isZero();
    }
  }

  @Test
  @DisplayName("R2 with the grant each event has an id of its own, which is not the key")
  void everyEventHasAnId() {
    Line line = opened();
    send(line, 1, 3);
    line.readAll();
    assertThat(line.ids).hasSize(4).doesNotHaveDuplicates();
    assertThat(line.ids).noneMatch(id -> id.contains(line.channel.key()));
    Line without = open(ChannelOptions.none());
    without.readAll();
    assertThat(without.ids).isEmpty();
  }

  @Test
  void noTextForLogsShowsAnId() {
    Line line = opened();
    ResumeId id = ResumeId.parse(line.lastId());
    assertThat(RESUME.after(line.lastId()) + " " + id + " " + line.channel)
        .doesNotContain(id.secret());
    assertThat(RESUME.after(line.lastId()).toString()).doesNotContain(line.channel.id());
    assertThat(RESUME.toString()).isEqualTo("ChannelOptions[resume=PT1M, lease=PT0S]");
  }

  // Breaking and coming back

  @Test
  @DisplayName(
      "R3 M15 when the stream breaks the channel and its sessions live on, and messages wait")
  void livesOn() {
    Line line = opened();
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
    Line back = comeBack(line);
    assertSame(line, back);
    assertThat(back.readAll()).containsExactly("1", "2", "3");
    assertThat(sender.send(session.id(), "4")).isEqualTo(new Delivery.Sent());
    assertThat(back.readAll()).containsExactly("4");
  }

  @Test
  @DisplayName(
      "R4 whoever comes back is given every event after the one it names, once and in order")
  void goesOnAfterAnyEvent() {
    for (int seen = 0; seen <= 5; seen++) {
      for (int taken = 0; taken <= 5; taken++) {
        Line line = open(RESUME);
        send(line, 1, 6);
        for (int i = 0; i <= 5; i++) {
          line.poll();
        }
        line.taken(taken);
        line.cut();
        Line back = open(RESUME.after(line.ids.get(seen)));
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
  @DisplayName(
      "R4 again and again, and an event that only an earlier stream has given counts as given")
  void comesBackManyTimes() {
    Line line = opened();
    send(line, 1, 4);
    line.readAll();
    String fourth = line.lastId();
    // The second stream has given less when the third names what the first had given.
    Line second = open(RESUME.after(line.ids.get(1)));
    assertSame(line, second);
    assertThat(second.poll()).isEqualTo("2");
    Line third = open(RESUME.after(fourth));
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
  @DisplayName("R6 what was granted at first stands, whatever is asked for later")
  void theFirstGrantStands() {
    Line line = opened();
    line.cut();
    Line back = open(ChannelOptions.none().withLease(MINUTE).after(line.lastId()));
    assertSame(line, back);
    timer.advance(MINUTE.multipliedBy(10));
    back.cut();
    timer.advance(MINUTE.minus(MOMENT));
    assertThat(line.channel.isOpen()).isTrue();
  }

  @Test
  @DisplayName("R7 the newest stream wins: the older is told so and given nothing more")
  void supersedes() {
    Line line = opened();
    send(line, 1, 2);
    assertThat(line.poll()).isEqualTo("1");
    Line back = open(RESUME.after(line.firstId()));
    assertSame(line, back);
    assertThat(line.told).containsExactly("superseded");
    assertThat(line.poll()).isNull();
    // Too late to count, and the end of a stream that is not the newest ends nothing.
    line.taken(1);
    line.cut();
    send(line, 3, 3);
    assertThat(back.readAll()).containsExactly("1", "2", "3");
    assertThat(back.told).isEmpty();
    assertThat(timer.scheduled()).isZero();
    back.cut();
    assertSame(line, comeBack(back));
  }

  @Test
  @DisplayName(
      "R8 the grace ends on time and not earlier; whoever comes later is given a new channel")
  void expires() {
    Line line = opened();
    Session session = line.channel.openSession(SessionSpec.listed("a"));
    line.cut();
    timer.advance(MINUTE.minus(MOMENT));
    Line back = comeBack(line);
    assertSame(line, back);
    // The first grace is over and done with.
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
  @DisplayName("R11 a close in the grace is a close at once")
  void closesInTheGrace() {
    Line line = opened();
    line.cut();
    broker.claim(line.channel.id(), line.channel.key()).close();
    assertThat(line.channel.isOpen()).isFalse();
    assertThat(timer.scheduled()).isZero();
    assertNew(line, comeBack(line));
  }

  @Test
  void aShutdownInTheGraceLeavesNothing() {
    Line line = opened();
    line.cut();
    send(line, 1, 3);
    broker.close();
    assertThat(line.channel.isOpen()).isFalse();
    assertRefused(() -> comeBack(line), Code.SHUTTING_DOWN);
  }

  // What is kept

  @Test
  @DisplayName("R9 X15 beyond the bound of events the oldest is dropped, and there is never a gap")
  void isTooOldByEvents() {
    for (int seen : new int[] {0, 1}) {
      Line line = opened();
      send(line, 1, 6);
      line.readAll();
      // Five are kept: 2 to 6.
      Line back = open(RESUME.after(line.ids.get(seen)));
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
  @DisplayName("R9 X15 beyond the bound of bytes the oldest is dropped")
  void isTooOldByBytes() {
    String json = "\"" + "x".repeat(1_100) + "\"";
    for (int seen : new int[] {0, 1}) {
      Line line = opened();
      for (int i = 0; i < 3; i++) {
        Party.assertSent(sender.send(line.channel.id(), json));
      }
      line.readAll();
      Line back = open(RESUME.after(line.ids.get(seen)));
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
  @DisplayName("R9 what has not been taken is not dropped, however much it is")
  void keepsWhatWaits() {
    Line line = opened();
    line.cut();
    send(line, 1, 100);
    Line back = comeBack(line);
    assertThat(back.poll()).isEqualTo("1");
    back.cut();
    Line again = comeBack(line);
    assertThat(again.readAll()).hasSize(100).startsWith("1").endsWith("100");
  }

  @Test
  @DisplayName("R10 what has been seen is not kept; an id of another channel says nothing")
  void confirms() {
    Line line = opened();
    Line other = opened();
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
    Line late = open(RESUME.after(line.ids.get(0)));
    assertNew(line, late);
  }

  @Test
  void whatWasConfirmedBeforeTheNetworkSaidSoIsNotKept() {
    Line line = opened();
    send(line, 1, 2);
    line.poll();
    line.poll();
    line.channel.confirm(line.lastId());
    line.taken(2);
    assertThat(kept()).isZero();
    assertSame(line, comeBack(line));
  }

  @Test
  @DisplayName("X15 who comes new keeps something, however much the others keep")
  void everyoneKeepsSomething() {
    Budget replay = ((LocalBroker) broker).replay;
    assertThat(replay.reserve(500_000)).isTrue();
    assertThat(replay.reserve(1)).isFalse();
    Line line = opened();
    send(line, 1, 4);
    line.readAll();
    Line back = open(RESUME.after(line.ids.get(0)));
    assertSame(line, back);
    assertThat(back.readAll()).containsExactly("1", "2", "3", "4");
    replay.release(500_000);
  }

  // Ids that lead nowhere

  @Test
  @DisplayName("C21 an id that was never given leads to a new channel and touches no other")
  void forged() {
    Line line = opened();
    send(line, 1, 2);
    assertThat(line.poll()).isEqualTo("1");
    Line other = opened();
    String cid = line.channel.id();
    ResumeId id = ResumeId.parse(line.lastId());
    ResumeId others = ResumeId.parse(other.lastId());
    long used = kept();
    try (Broker elsewhere = Broker.builder().timer(timer).drainTimeout(Duration.ZERO).build()) {
      Line foreign = Line.open(elsewhere, RESUME);
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
        Line answer = open(RESUME.after(wrong));
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
  @DisplayName("R16 a channel that asked for resume or lease hosts sessions for its key alone")
  void hostingTakesTheKey() {
    for (ChannelOptions asked :
        List.of(RESUME, ChannelOptions.none().withLease(Duration.ofSeconds(1)))) {
      Line line = open(asked);
      assertRefused(() -> broker.claimHost(line.channel.id(), null), Code.INVALID_REQUEST);
      assertThat(broker.claimHost(line.channel.id(), line.channel.key())).isSameAs(line.channel);
    }
    assertThat(broker.claimHost(open(ChannelOptions.none()).channel.id(), null)).isNotNull();
  }

  // Seats

  @Test
  void everyStreamHasASeatAndSoHasAChannelThatWaits() {
    sender.channel.close();
    assertThat(seats()).isZero();
    Line line = opened();
    assertThat(seats()).isEqualTo(1);
    line.cut();
    assertThat(seats()).isEqualTo(1);
    Line second = comeBack(line);
    assertThat(seats()).isEqualTo(1);
    Line third = comeBack(line);
    assertThat(seats()).isEqualTo(2);
    second.cut();
    assertThat(seats()).isEqualTo(1);
    open(RESUME.after("forged")).channel.close();
    assertThat(seats()).isEqualTo(2);
    third.channel.close();
    assertThat(third.told).containsExactly("closed");
    assertThat(seats()).isEqualTo(2);
    third.cut();
    assertThat(seats()).isEqualTo(1);
  }

  @Test
  void comesBackThoughTheBrokerIsFull() {
    try (Broker small = broker(1)) {
      Line line = Line.open(small, RESUME);
      line.readAll();
      assertRefused(() -> Line.open(small, RESUME), Code.AT_CAPACITY);
      assertRefused(() -> Line.open(small, RESUME.after("forged")), Code.AT_CAPACITY);
      line.cut();
      Line back = Line.open(small, RESUME.after(line.lastId()));
      assertSame(line, back);
      assertRefused(() -> Line.open(small, RESUME), Code.AT_CAPACITY);
      back.cut();
      timer.advance(MINUTE);
      assertNew(line, Line.open(small, RESUME));
    }
  }

  @Test
  @DisplayName("R9 E3 who comes back too late has the old one's seat, also where all are taken")
  void isReplacedThoughTheBrokerIsFull() {
    try (Broker small = broker(1)) {
      for (boolean cut : new boolean[] {false, true}) {
        Line line = Line.open(small, RESUME);
        line.readAll();
        for (int i = 0; i < 10; i++) {
          Party.assertSent(Party.answer(line.channel.send(line.channel.id(), Json.of(i))));
        }
        line.readAll();
        if (cut) {
          line.cut();
        }
        Line other = Line.open(small, RESUME.after(line.firstId()));
        assertNew(line, other);
        assertThat(line.channel.isOpen()).isFalse();
        // It has one seat and no second one, whoever else comes with the old one's id.
        assertRefused(() -> Line.open(small, RESUME.after(line.firstId())), Code.AT_CAPACITY);
        if (!cut) {
          line.cut();
        }
        assertThat(((LocalBroker) small).seats()).isOne();
        other.channel.close();
        other.cut();
      }
    }
  }

  @Test
  @DisplayName("X20 where no seat is free the longest-waiting channel gives way to a new one")
  void theLongestWaitingGivesWay() {
    try (Broker small = broker(3)) {
      Line[] lines = new Line[3];
      for (int i = 0; i < 3; i++) {
        lines[i] = Line.open(small, RESUME);
        lines[i].readAll();
      }
      assertRefused(() -> Line.open(small, RESUME), Code.AT_CAPACITY);
      lines[1].cut();
      lines[0].cut();
      Line next = Line.open(small, RESUME);
      assertThat(lines[1].channel.isOpen()).isFalse();
      assertThat(lines[0].channel.isOpen()).isTrue();
      // One that has come back waits no more, and begins anew when its stream breaks again.
      Line back = Line.open(small, RESUME.after(lines[0].lastId()));
      assertSame(lines[0], back);
      assertRefused(() -> Line.open(small, RESUME), Code.AT_CAPACITY);
      next.cut();
      back.cut();
      Line last = Line.open(small, RESUME);
      assertThat(next.channel.isOpen()).isFalse();
      assertThat(lines[0].channel.isOpen()).isTrue();
      assertThat(lines[2].channel.isOpen()).isTrue();
      assertThat(small.stats().channelsClosed().get(CloseReason.EXPIRED)).isEqualTo(2);
      timer.advance(MINUTE);
      assertThat(((LocalBroker) small).seats()).isEqualTo(2);
      last.cut();
      lines[2].cut();
      timer.advance(MINUTE);
      Leftovers.assertNone(small);
    }
  }

  @Test
  void anOpenerThatFailsLeavesNoNewChannelAndAnOldOneWaiting() {
    sender.channel.close();
    RuntimeException no = new IllegalStateException("no");
    Transport.Opener failing =
        attachment -> {
          attachment.poll();
          throw no;
        };
    assertThatThrownBy(() -> broker.openChannel(RESUME, failing)).isSameAs(no);
    assertThat(seats()).isZero();
    assertThat(kept()).isZero();
    assertThat(timer.scheduled()).isZero();

    Line line = opened();
    sendToItself(line);
    for (boolean cut : new boolean[] {false, true}) {
      if (cut) {
        line.cut();
      }
      assertThatThrownBy(() -> broker.openChannel(RESUME.after(line.lastId()), failing))
          .isSameAs(no);
    }
    assertThat(line.told).containsExactly("superseded");
    assertThat(seats()).isEqualTo(1);
    assertThat(timer.scheduled()).isEqualTo(1);
    Line back = comeBack(line);
    assertSame(line, back);
    assertThat(back.readAll()).containsExactly("1");
  }

  /** From the channel to itself. */
  private static void sendToItself(Line line) {
    assertThat(line.channel.send(line.channel.id(), Json.of(1)).toCompletableFuture().join())
        .isEqualTo(new Delivery.Sent());
  }

  @Test
  void aStreamThatBreaksWhileItIsOpenedBeginsTheGrace() {
    Channel channel =
        broker.openChannel(
            RESUME,
            attachment -> {
              attachment.detach(CloseReason.GONE);
              return new Line().attach(attachment);
            });
    assertThat(channel.isOpen()).isTrue();
    assertThat(timer.scheduled()).isEqualTo(1);
    timer.advance(MINUTE);
    assertThat(channel.isOpen()).isFalse();
    assertThat(timer.scheduled()).isZero();
  }
}
