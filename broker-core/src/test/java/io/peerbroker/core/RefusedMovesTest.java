package io.peerbroker.core;

import static io.peerbroker.core.RefusalAssert.assertRefused;
import static io.peerbroker.core.TwoBrokers.GRACE;
import static io.peerbroker.core.TwoBrokers.RESUME;
import static io.peerbroker.core.TwoBrokers.adopt;
import static io.peerbroker.core.TwoBrokers.held;
import static io.peerbroker.core.TwoBrokers.release;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A broker that cannot continue a channel, and the one that takes it back. */
final class RefusedMovesTest extends ChannelMovesFixture {

  @Test
  @DisplayName("A full broker refuses it, and nothing has happened: another one takes it.")
  void refusedWhenFull() {
    beginAnew(settings -> settings.maxChannels(1));
    ManualTransport line = opened();
    ManualTransport there = ManualTransport.open(other, RESUME);
    assertIsTakenBack(line, there);
  }

  @Test
  void refusedWithoutRoomForSessions() {
    beginAnew(settings -> settings.maxTotalSessionBytes(5_000));
    ManualTransport line = opened();
    for (int i = 0; i < 3; i++) {
      line.channel.openSession(SessionSpec.listed("a"));
    }
    ManualTransport there = ManualTransport.open(other, RESUME);
    for (int i = 0; i < 3; i++) {
      there.channel.openSession(SessionSpec.listed("b"));
    }
    assertIsTakenBack(line, there);
  }

  @Test
  void refusedWithoutRoomForWaitingEvents() {
    beginAnew(settings -> settings.maxTotalQueuedBytes(4_000).maxChannels(100));
    ManualTransport line = opened();
    send(line.channel.id(), 1, 1);
    ManualTransport there = ManualTransport.open(other, RESUME);
    there.readAll();
    other.budgets.queues.add(1_000);
    assertIsTakenBack(line, there);
    other.budgets.queues.release(1_000);
  }

  @Test
  void refusedWithoutRoomForKeptEvents() {
    beginAnew(settings -> settings.maxTotalQueuedBytes(4_000).maxChannels(100));
    ManualTransport line = opened();
    send(line.channel.id(), 1, 1);
    line.readAll();
    ManualTransport there = ManualTransport.open(other, RESUME);
    there.readAll();
    other.budgets.replay.add(500);
    assertIsTakenBack(line, there);
    other.budgets.replay.release(500);
  }

  /** Checks that the second broker refuses a channel, and that the first one takes it back. */
  private void assertIsTakenBack(ManualTransport line, ManualTransport there) {
    String before = held(other);
    String held = held(one);
    List<Session> sessions = line.channel.sessions();
    ChannelState state = release(one, line.firstId());
    line.cut();
    assertRefused(() -> other.moves.adopt(state), Refusal.Code.AT_CAPACITY);
    assertRefused(() -> other.moves.adoptWaiting(state), Refusal.Code.AT_CAPACITY);
    assertThat(held(other)).isEqualTo(before);
    assertThat(other.findChannel(state.cid())).isNull();
    assertThat(there.told).isEmpty();
    assertThat(there.channel.isOpen()).isTrue();

    ManualTransport back = adopt(one, state);
    assertThat(held(one)).isEqualTo(held);
    assertThat(back.channel.sessions())
        .extracting(Session::id)
        .containsExactlyElementsOf(sessions.stream().map(Session::id).toList());
    assertThat(back.readAll()).hasSize(state.queue().events().size());
    back.cut();
    there.cut();
  }

  @Test
  @DisplayName("A channel is adopted once.")
  void isHereAlready() {
    ManualTransport line = opened();
    line.channel.openSession(SessionSpec.listed("a"));
    send(line.channel.id(), 1, 2);
    ChannelState state = release(one, line.lastId());
    line.cut();
    ManualTransport there = adopt(other, state);
    String before = held(other);
    assertThatIllegalStateException().isThrownBy(() -> other.moves.adopt(state));
    assertThatIllegalStateException().isThrownBy(() -> other.moves.adoptWaiting(state));
    assertThat(held(other)).isEqualTo(before);
    assertThat(there.told).isEmpty();
    assertThat(there.readAll()).containsExactly("1", "2");
  }

  @Test
  void aClosingBrokerAdoptsNothing() {
    ManualTransport line = opened();
    ChannelState state = release(one, line.lastId());
    line.cut();
    other.close();
    assertRefused(() -> other.moves.adopt(state), Refusal.Code.SHUTTING_DOWN);
    adopt(one, state).cut();
  }

  @Test
  @DisplayName("Taken back without a stream, it waits, and its end notifies the senders.")
  void takenBack() {
    ManualTransport origin = opened();
    ManualTransport line = opened();
    line.cut();
    Delivery queued = Party.answer(origin.channel.send(line.channel.id(), Json.NULL));
    String before = held(one);
    ChannelState state = release(one, line.lastId());
    one.moves.adoptWaiting(state);
    assertThat(held(one)).isEqualTo(before);
    assertThat(one.stats().waiting()).isEqualTo(1);
    brokers.oneTimer.advance(GRACE);
    assertThat(origin.readAll())
        .containsExactly("undelivered " + ((Delivery.Queued) queued).id() + " expired");
  }

  @Test
  @DisplayName("A waiting channel that was adopted gives way to a new one, as any other does.")
  void givesWay() {
    beginAnew(settings -> settings.maxChannels(1));
    ManualTransport line = opened();
    ChannelState state = release(one, line.lastId());
    line.cut();
    other.moves.adoptWaiting(state);
    ManualTransport next = ManualTransport.open(other, RESUME);
    assertThat(other.findChannel(state.cid())).isNull();
    assertThat(next.channel.isOpen()).isTrue();
    next.cut();
  }
}
