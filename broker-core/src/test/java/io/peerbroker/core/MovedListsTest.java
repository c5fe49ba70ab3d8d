package io.peerbroker.core;

import static io.peerbroker.core.RefusalAssert.assertRefused;
import static io.peerbroker.core.TwoBrokers.RESUME;
import static io.peerbroker.core.TwoBrokers.adopt;
import static io.peerbroker.core.TwoBrokers.release;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The lists on the stream of a channel that goes on at another broker. */
final class MovedListsTest extends ChannelMovesFixture {

  @Test
  @DisplayName("Its lists begin anew where it goes on, with what there is there.")
  void listsGoOn() {
    beginAnew(settings -> settings.listPause(Duration.ZERO));
    ManualTransport line = opened();
    watch(one, line, "x", "a");
    watch(one, line, "y", "b");
    watch(one, line, "z", "c");
    line.readAll();
    ((LocalChannel) line.channel).unwatch("z");
    new Party(other).host("a");
    ChannelState state = release(one, line.firstId());
    assertThat(one.streams.watches.taken()).isZero();
    assertRefused(() -> watch(one, line, "v", "a"), Refusal.Code.UNKNOWN_CHANNEL);
    line.cut();

    ManualTransport there = adopt(other, state);
    assertThat(there.readAll())
        .containsExactlyInAnyOrder("z: closed", "x: add [a]", "x: ready 1", "y: ready 0");
    new Party(other).host("b");
    assertThat(there.readAll()).containsExactly("y: add [b]");
    assertThat(other.streams.watches.taken()).isEqualTo(2);
  }

  @Test
  @DisplayName("A list without a permit there ends, and its client is notified.")
  void listsWithoutPermits() {
    beginAnew(settings -> settings.maxWatches(1));
    ManualTransport line = opened();
    watch(one, line, "x", "a");
    line.readAll();
    ManualTransport there = ManualTransport.open(other, RESUME);
    watch(other, there, "mine", "a");
    there.readAll();
    ChannelState state = release(one, line.firstId());
    line.cut();
    other.moves.adoptWaiting(state);
    ManualTransport back = ManualTransport.open(other, RESUME.after(line.firstId()));
    assertThat(back.readAll()).containsExactly("x: overflow");
    there.channel.close();
    there.cut();
  }

  @Test
  @DisplayName("A channel without lists that has left has none afterwards either.")
  void noListsAfterwards() {
    ManualTransport line = opened();
    ChannelState state = release(one, line.lastId());
    assertRefused(() -> watch(one, line, "x", "a"), Refusal.Code.UNKNOWN_CHANNEL);
    line.cut();
    assertThat(state.lists()).isEqualTo(ChannelState.Lists.NONE);
    adopt(other, state).cut();
  }
}
