package io.peerbroker.core;

import static io.peerbroker.core.RefusalAssert.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Refusal.Code;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A client that breaks its lease counts as gone: on time, and not earlier. */
final class LeaseTest {

  private static final Duration LEASE = Duration.ofSeconds(20);
  private static final Duration GRACE = Duration.ofSeconds(30);
  private static final Duration MOMENT = Duration.ofNanos(1);
  private static final ChannelOptions LEASED = ChannelOptions.none().withLease(LEASE);

  private final ManualTimer timer = new ManualTimer();
  private final Broker broker = Broker.builder().timer(timer).drainTimeout(Duration.ZERO).build();

  @AfterEach
  void nothingIsLeft() {
    broker.close();
    LeakAssert.assertNone(broker);
    assertThat(timer.scheduled()).isZero();
  }

  private ManualTransport open(ChannelOptions options) {
    return ManualTransport.open(broker, options);
  }

  private void ping(ManualTransport line) {
    Wired.claim(broker, line.channel.id(), line.channel.key());
  }

  private static Duration granted(Broker broker, Duration asked) {
    List<Event> events = new ArrayList<>();
    Wired.openChannel(
        broker,
        ChannelOptions.none().withLease(asked),
        attachment -> {
          events.add(attachment.poll().event());
          return new ManualTransport().attach(attachment);
        });
    return ((Event.Opened) events.get(0)).lease();
  }

  @Test
  @Tag("R12")
  @DisplayName("A lease is brought within the bounds, and 0 asks for none.")
  void bounds() {
    assertThat(granted(broker, Duration.ZERO)).isZero();
    assertThat(timer.scheduled()).isZero();
    assertThat(granted(broker, Duration.ofSeconds(1))).isEqualTo(Duration.ofSeconds(15));
    assertThat(granted(broker, Duration.ofSeconds(90))).isEqualTo(Duration.ofSeconds(90));
    assertThat(granted(broker, Duration.ofDays(1))).isEqualTo(Duration.ofMinutes(5));
    assertThat(timer.scheduled()).isEqualTo(3);
  }

  @Test
  @Tag("R12")
  @DisplayName("A maximum of 0 turns leases off.")
  void off() {
    try (Broker off =
        Broker.builder()
            .timer(timer)
            .leaseBounds(Duration.ZERO, Duration.ZERO)
            .drainTimeout(Duration.ZERO)
            .build()) {
      assertThat(granted(off, LEASE)).isZero();
      assertThat(timer.scheduled()).isZero();
    }
  }

  @Test
  @Tag("R15")
  @DisplayName("Silence for longer than the lease closes the channel, or begins the grace.")
  void silence() {
    ManualTransport plain = open(LEASED);
    ManualTransport resumable = open(LEASED.withResume(GRACE));
    resumable.readAll();
    timer.advance(LEASE.minus(MOMENT));
    assertThat(plain.told).isEmpty();
    assertThat(resumable.told).isEmpty();
    timer.advance(MOMENT);
    // No stream is given this reason: it looks like a broken connection.
    assertThat(plain.told).containsExactly("gone");
    assertThat(plain.channel.isOpen()).isFalse();
    assertThat(resumable.told).containsExactly("gone");
    assertThat(resumable.channel.isOpen()).isTrue();
    assertThat(resumable.poll()).isNull();
    timer.advance(GRACE.minus(MOMENT));
    assertThat(resumable.channel.isOpen()).isTrue();
    timer.advance(MOMENT);
    assertThat(resumable.channel.isOpen()).isFalse();
  }

  @Test
  @Tag("R13")
  @Tag("R14")
  @DisplayName("Every request with the key counts.")
  void keyCounts() {
    ManualTransport line = open(LEASED);
    for (int i = 0; i < 5; i++) {
      timer.advance(LEASE.minus(MOMENT));
      if (i % 2 == 0) {
        ping(line);
      } else {
        Wired.claimHost(broker, line.channel.id(), line.channel.key());
      }
      assertThat(timer.scheduled()).isEqualTo(1);
    }
    Session session = line.channel.openSession(SessionSpec.unlisted());
    timer.advance(LEASE.minus(MOMENT));
    Wired.claim(broker, session.id(), line.channel.key());
    timer.advance(LEASE.minus(MOMENT));
    assertThat(line.channel.isOpen()).isTrue();
    timer.advance(MOMENT);
    assertThat(line.channel.isOpen()).isFalse();
  }

  @Test
  @Tag("R13")
  @DisplayName("The lease counts exactly from the last request with the key.")
  void countsFromTheLast() {
    ManualTransport line = open(LEASED);
    timer.advance(Duration.ofSeconds(7));
    ping(line);
    timer.advance(LEASE.minus(MOMENT));
    assertThat(line.channel.isOpen()).isTrue();
    timer.advance(MOMENT);
    assertThat(line.channel.isOpen()).isFalse();
  }

  @Test
  @Tag("R13")
  @DisplayName("A wrong key does not count, nor do messages of others.")
  void wrongKeyDoesNot() {
    ManualTransport line = open(LEASED);
    ManualTransport other = open(LEASED.withLease(Duration.ofMinutes(5)));
    timer.advance(LEASE.minus(MOMENT));
    assertRefused(() -> Wired.claim(broker, line.channel.id(), "no"), Code.WRONG_KEY);
    assertRefused(() -> Wired.claimHost(broker, line.channel.id(), null), Code.INVALID_REQUEST);
    assertThat(other.channel.send(line.channel.id(), Json.NULL).toCompletableFuture().join())
        .isEqualTo(new Delivery.Sent());
    line.readAll();
    timer.advance(MOMENT);
    assertThat(line.channel.isOpen()).isFalse();
  }

  @Test
  @Tag("R13")
  @DisplayName("Coming back counts, and the lease of an older stream is over.")
  void comingBackCounts() {
    ManualTransport line = open(LEASED.withResume(GRACE));
    line.readAll();
    timer.advance(LEASE);
    assertThat(line.told).containsExactly("gone");
    timer.advance(GRACE.minus(MOMENT));
    // A new request for a lease is ignored: the lease stands.
    ManualTransport back = open(ChannelOptions.none().after(line.lastId()));
    assertThat(back.channel).isSameAs(line.channel);
    timer.advance(LEASE.minus(MOMENT));
    ManualTransport newest = open(ChannelOptions.none().after(line.lastId()));
    assertThat(back.told).containsExactly("superseded");
    timer.advance(LEASE.minus(MOMENT));
    assertThat(newest.told).isEmpty();
    assertThat(timer.scheduled()).isEqualTo(1);
    timer.advance(MOMENT);
    assertThat(newest.told).containsExactly("gone");
    assertThat(back.told).hasSize(1);
    newest.cut();
    back.cut();
    assertThat(timer.scheduled()).isEqualTo(1);
    timer.advance(GRACE);
    assertThat(line.channel.isOpen()).isFalse();
  }

  @Test
  void noTaskOutlivesItsStream() {
    ManualTransport line = open(LEASED);
    line.cut();
    assertThat(timer.scheduled()).isZero();
    ManualTransport closed = open(LEASED);
    closed.channel.close();
    assertThat(timer.scheduled()).isZero();
    assertThat(closed.told).containsExactly("closed");
    closed.cut();
  }

  @Test
  @Tag("R15")
  @DisplayName("At the end of the stream the channel already waits.")
  void theGraceHasBegunWhenTheStreamEnds() {
    Party sender = new Party(broker);
    List<Delivery> answers = new ArrayList<>();
    ManualTransport[] line = new ManualTransport[1];
    Channel channel =
        Wired.openChannel(
            broker,
            LEASED.withResume(GRACE),
            attachment -> {
              line[0] =
                  new ManualTransport() {
                    @Override
                    public void end(CloseReason reason) {
                      super.end(reason);
                      answers.add(sender.send(line[0].channel.id(), "1"));
                    }
                  };
              return line[0].attach(attachment);
            });
    line[0].channel = channel;
    timer.advance(LEASE);
    assertThat(answers).hasSize(1).hasOnlyElementsOfType(Delivery.Queued.class);
    assertThat(line[0].told).containsExactly("gone");
  }

  @Test
  @Tag("R15")
  @DisplayName("After a pause of the process, a ping that waited in its socket counts.")
  void aPauseIsNoSilence() {
    ManualTransport line = open(LEASED);
    ManualTransport silent = open(LEASED);
    timer.pause(LEASE.plusSeconds(30));
    timer.advance(Duration.ZERO);
    assertThat(line.told).isEmpty();
    timer.advance(MOMENT);
    ping(line);
    // As long again, since the broker was late by more.
    timer.advance(LEASE.minus(MOMENT).minus(MOMENT));
    assertThat(silent.told).isEmpty();
    assertThat(line.channel.isOpen()).isTrue();
    timer.advance(MOMENT);
    assertThat(silent.told).containsExactly("gone");
    ping(line);
    timer.advance(LEASE);
    assertThat(line.told).containsExactly("gone");
  }

  @Test
  @Tag("R15")
  @DisplayName(
      "A pause during the time added after a pause does not count against the client either.")
  void pauseAfterPause() {
    ManualTransport line = open(LEASED);
    for (int i = 0; i < 3; i++) {
      timer.pause(LEASE.plusSeconds(5));
      timer.advance(Duration.ZERO);
      assertThat(line.told).isEmpty();
    }
    timer.pause(LEASE);
    timer.advance(MOMENT);
    assertThat(line.told).isEmpty();
    timer.advance(LEASE);
    assertThat(line.told).containsExactly("gone");
  }

  @Test
  @Tag("R15")
  @DisplayName("A timer that is slightly late adds no time.")
  void lateByAMoment() {
    ManualTransport line = open(LEASED);
    timer.pause(LEASE.plusMillis(999));
    timer.advance(Duration.ZERO);
    assertThat(line.told).containsExactly("gone");
  }

  @Test
  @Tag("R8")
  @DisplayName("After a pause of the process, a reader that comes back is not too late.")
  void aPauseInTheGrace() {
    ManualTransport line = open(ChannelOptions.none().withResume(GRACE));
    line.readAll();
    line.cut();
    ManualTransport other = open(ChannelOptions.none().withResume(GRACE));
    other.cut();
    timer.pause(GRACE.plusSeconds(2));
    timer.advance(Duration.ZERO);
    ManualTransport back = open(ChannelOptions.none().after(line.lastId()));
    assertThat(back.channel).isSameAs(line.channel);
    timer.advance(Duration.ofSeconds(2).minus(MOMENT));
    assertThat(other.channel.isOpen()).isTrue();
    timer.advance(MOMENT);
    assertThat(other.channel.isOpen()).isFalse();
    back.cut();
    timer.advance(GRACE);
  }
}
