package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A stream that is dead though its client lives is detected by what the client confirms. A stream
 * that is merely slow, or whose client confirms nothing, is left alone.
 */
final class SuspectTest {

  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration MOMENT = Duration.ofNanos(1);
  private static final ChannelOptions RESUME =
      ChannelOptions.none().withResume(Duration.ofMinutes(1));

  private final ManualTimer timer = new ManualTimer();
  private final Broker broker =
      Broker.builder()
          .timer(timer)
          .messageRate(Limits.Rate.UNLIMITED)
          .maxReplayEvents(5)
          .drainTimeout(Duration.ZERO)
          .build();
  private final Party sender = new Party(broker);
  private final ManualTransport line = ManualTransport.open(broker, RESUME);

  @AfterEach
  void nothingIsLeft() {
    broker.close();
    LeakAssert.assertNone(broker);
    assertThat(timer.scheduled()).isZero();
  }

  private void send(int number) {
    assertThat(sender.send(line.channel.id(), Integer.toString(number)))
        .isNotInstanceOf(Delivery.Refused.class);
  }

  private void say(String seen) {
    line.channel.confirm(seen, PATIENCE);
  }

  @Test
  @Tag("R18")
  @DisplayName("A seen that stands still breaks off the stream, and coming back loses nothing.")
  void aDeadStreamIsBrokenOff() {
    line.readAll();
    String seen = line.lastId();
    say(seen);
    send(1);
    // The network takes it, and the client never sees it.
    line.readAll();
    timer.advance(PATIENCE);
    say(seen);
    assertThat(line.told).as("not longer ago than the patience").isEmpty();
    timer.advance(MOMENT);
    say(seen);
    assertThat(line.told).containsExactly("gone");
    assertThat(line.channel.isAttached()).isFalse();
    assertThat(line.channel.isOpen()).isTrue();
    assertThat(sender.send(line.channel.id(), "2")).isInstanceOf(Delivery.Queued.class);
    // Another seen that lags has no effect while there is no stream.
    timer.advance(PATIENCE);
    say(seen);
    ManualTransport back = ManualTransport.open(broker, RESUME.after(seen));
    assertThat(back.channel).isSameAs(line.channel);
    assertThat(back.readAll()).containsExactly("1", "2");
  }

  @Test
  @Tag("R18")
  @DisplayName("A reader that makes progress is left alone, however far it is behind.")
  void aSlowReaderIsLeftAlone() {
    for (int i = 1; i <= 20; i++) {
      send(i);
    }
    line.readAll();
    for (String seen : line.ids) {
      timer.advance(PATIENCE);
      say(seen);
      assertThat(line.told).isEmpty();
    }
    timer.advance(PATIENCE.multipliedBy(100));
    say(line.lastId());
    assertThat(line.told).as("all was seen").isEmpty();
    // The relevant time begins with the write after that.
    send(21);
    line.readAll();
    say(line.ids.get(line.ids.size() - 2));
    assertThat(line.told).isEmpty();
  }

  @Test
  @Tag("R18")
  @DisplayName("A flood that pushes unconfirmed events out of the replay hides nothing.")
  void aFloodHidesNothing() {
    line.readAll();
    String seen = line.lastId();
    say(seen);
    for (int i = 1; i <= 31; i++) {
      send(i);
      line.readAll();
      timer.advance(Duration.ofSeconds(1));
    }
    say(seen);
    assertThat(line.told).containsExactly("gone");
  }

  @Test
  @Tag("R18")
  @DisplayName("Events that were not written do not count, nor does an id of another channel.")
  void whatIsNotKnownIsNotJudged() {
    line.readAll();
    String seen = line.lastId();
    send(1);
    // Polled, but held back by the network: the write timeout handles that.
    line.poll();
    timer.advance(PATIENCE.multipliedBy(2));
    say(seen);
    line.consumed(1);
    timer.advance(PATIENCE.multipliedBy(2));
    ManualTransport other = ManualTransport.open(broker, RESUME);
    other.readAll();
    for (String unknown : List.of("", "x", other.lastId(), seen + "0")) {
      say(unknown);
    }
    line.channel.confirm(seen);
    assertThat(line.told).isEmpty();
    say(seen);
    assertThat(line.told).containsExactly("gone");
  }

  @Test
  @Tag("R18")
  @DisplayName("A seen from before the client came back does not judge its new stream.")
  void whoHasComeBackIsJudgedAnew() {
    line.readAll();
    String seen = line.lastId();
    send(1);
    line.readAll();
    timer.advance(PATIENCE.multipliedBy(2));
    ManualTransport back = ManualTransport.open(broker, RESUME.after(seen));
    say(seen);
    assertThat(back.readAll()).containsExactly("1");
    timer.advance(PATIENCE);
    say(seen);
    assertThat(back.told).isEmpty();
    timer.advance(MOMENT);
    say(seen);
    assertThat(back.told).containsExactly("gone");
  }

  @Test
  @Tag("R17")
  @DisplayName("The last event that the network took is known, and whether there is a stream.")
  void whatWasWrittenIsTold() {
    assertThat(line.channel.lastConsumed()).isNull();
    line.poll();
    assertThat(line.channel.lastConsumed()).isNull();
    line.consumed(1);
    assertThat(line.channel.lastConsumed()).isEqualTo(line.lastId());
    assertThat(line.channel.isAttached()).isTrue();
    send(1);
    line.readAll();
    assertThat(line.channel.lastConsumed()).isEqualTo(line.lastId());
    String last = line.lastId();
    line.cut();
    assertThat(line.channel.isAttached()).isFalse();
    assertThat(line.channel.lastConsumed()).isEqualTo(last);
    ManualTransport back = ManualTransport.open(broker, RESUME.after(line.firstId()));
    // To be written again.
    assertThat(back.channel.lastConsumed()).isEqualTo(line.firstId());
    back.readAll();
    assertThat(back.channel.lastConsumed()).isEqualTo(last);

    ManualTransport plain = ManualTransport.open(broker, ChannelOptions.none());
    plain.readAll();
    assertThat(plain.channel.isAttached()).isTrue();
    assertThat(plain.channel.lastConsumed()).isNull();
    plain.cut();
    assertThat(plain.channel.isAttached()).isFalse();
  }
}
