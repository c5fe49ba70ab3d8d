package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.mockConstruction;
import static org.mockito.Mockito.when;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.mockito.MockedConstruction;

/**
 * Parts of the broker that fail, as without memory: what was taken is given back, and streams end.
 */
final class BrokenPartsTest {

  private static final Duration GRACE = Duration.ofSeconds(30);

  @RegisterExtension final BrokerLog log = new BrokerLog();

  private final ManualTimer time = new ManualTimer();
  private final LocalBroker broker = (LocalBroker) Broker.builder().timer(time).build();
  private final Permits permits = new Permits("channels", 1);
  private final ManualTransport line = new ManualTransport();

  /** A channel that can be resumed, with a stream, whose directory cannot close it. */
  private LocalChannel unclosable() {
    Directory directory = mock(Directory.class);
    when(directory.close(any(LocalChannel.class), any(CloseReason.class)))
        .thenThrow(new LinkageError("on purpose"));
    LocalChannel.Parts parts =
        new LocalChannel.Parts(
            broker.limits(),
            time,
            new Ids(),
            directory,
            broker.router,
            broker.streams,
            new ExpiryQueue(Runnable::run),
            broker.budgets,
            broker.absent,
            new Counters(),
            new Listeners(List.of(), Runnable::run));
    LocalChannel channel =
        new LocalChannel(
            parts, ChannelOptions.none().withResume(GRACE), LocalChannel.Side.WIRE, null);
    ChannelConnection.Stream stream = channel.connection().new Stream(permits.takeAnyway());
    channel.begin(stream);
    OpenStreams.connect(stream, line::attach);
    return channel;
  }

  private void assertNothingIsKept() {
    assertThat(permits.taken()).isZero();
    assertThat(broker.budgets.queues.used()).isZero();
    assertThat(broker.budgets.replay.used()).isZero();
    assertThat(broker.streams.waiting.longest()).isNull();
  }

  @Test
  @DisplayName("The stream of a channel that cannot be closed is told to end.")
  void streamEnds() {
    LocalChannel channel = unclosable();
    assertThatThrownBy(channel::close).isInstanceOf(LinkageError.class);
    assertThat(line.told).containsExactly("closed");
    assertThatThrownBy(line::cut).isInstanceOf(LinkageError.class);
    assertNothingIsKept();
  }

  @Test
  @DisplayName("A channel that gives way and cannot be closed gives its permit and bytes.")
  void givesWay() {
    LocalChannel channel = unclosable();
    line.cut();
    assertThat(permits.taken()).isEqualTo(1);
    assertThatThrownBy(channel.connection()::giveWay).isInstanceOf(LinkageError.class);
    assertNothingIsKept();
  }

  @Test
  @DisplayName("A channel that expires and cannot be closed gives its permit and bytes.")
  void expires() {
    LocalChannel unused = unclosable();
    line.cut();
    assertThat(permits.taken()).isEqualTo(1);
    time.advance(GRACE);
    assertNothingIsKept();
  }

  @Test
  @DisplayName("A watch that cannot be made has no permit.")
  void watch() {
    try (MockedConstruction<Lifecycle.OfWatch> watches =
        mockConstruction(
            Lifecycle.OfWatch.class,
            (made, context) -> {
              throw new LinkageError("on purpose");
            })) {
      assertThatThrownBy(() -> broker.watch(TagFilter.all(), new Replay()))
          .hasRootCauseMessage("on purpose");
      assertThat(watches.constructed()).isEmpty();
    }
    assertThat(broker.stats().watches()).isZero();
  }

  @Test
  @DisplayName("A refused change throws what the policy threw, with its stack.")
  void refusal() {
    LocalChannel channel =
        (LocalChannel) ManualTransport.open(broker, ChannelOptions.none()).channel;
    RefusedException refused = RefusedException.of(Refusal.Code.UNKNOWN_SESSION, "No.");
    assertThatThrownBy(
            () ->
                channel.openSession(
                    SessionSpec.listed("a"),
                    asked -> {
                      throw refused;
                    }))
        .isSameAs(refused);
  }

  @Test
  @DisplayName("A watch that has ended keeps nothing that leads to its caller.")
  void endedWatch() {
    LocalWatch ended = begin();
    ended.setRecheck(() -> {});
    ended.detach(CloseReason.GONE);
    assertThat(ended).extracting("recheck").isNull();
    LocalWatch late = begin();
    late.detach(CloseReason.GONE);
    late.setRecheck(() -> {});
    assertThat(late).extracting("recheck").isNull();
  }

  private LocalWatch begin() {
    return broker.watch(
        ParsedFilter.of(TagFilter.all()),
        null,
        broker.streams.watches,
        new ManualTransport()::attach);
  }
}
