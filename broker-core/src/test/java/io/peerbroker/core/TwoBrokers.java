package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.function.UnaryOperator;

/** Two brokers with clocks of their own, and channels that move between them. */
final class TwoBrokers {

  static final Duration GRACE = Duration.ofSeconds(60);
  static final ChannelOptions RESUME = ChannelOptions.none().withResume(GRACE);

  final ManualTimer oneTimer = new ManualTimer();
  final ManualTimer otherTimer = new ManualTimer();
  final LocalBroker one;
  final LocalBroker other;

  TwoBrokers(UnaryOperator<BrokerBuilder> settings) {
    // Their clocks have nothing in common.
    otherTimer.pause(Duration.ofDays(3));
    one = build(oneTimer, settings);
    other = build(otherTimer, settings);
  }

  private static LocalBroker build(Timer timer, UnaryOperator<BrokerBuilder> settings) {
    return (LocalBroker)
        settings.apply(Broker.builder().timer(timer).drainTimeout(Duration.ZERO)).build();
  }

  void close() {
    one.close();
    other.close();
  }

  /** Checks, after both have closed, that nothing is left. */
  void assertNothingIsLeft() {
    LeakAssert.assertNone(one, other);
    assertThat(oneTimer.scheduled()).isZero();
    assertThat(otherTimer.scheduled()).isZero();
  }

  /** Takes a channel out of a broker that must let it go. */
  static ChannelState release(LocalBroker from, String eventId) {
    Release release = from.moves.release(ResumeId.parse(eventId));
    assertThat(release).isInstanceOf(Release.Done.class);
    return ((Release.Done) release).state();
  }

  /** Continues a channel with a stream. */
  static ManualTransport adopt(LocalBroker by, ChannelState state) {
    ChannelConnection.Stream stream = by.moves.adopt(state);
    ManualTransport line = new ManualTransport();
    OpenStreams.connect(stream, line::attach);
    LocalChannel channel = by.directory.channel(state.cid());
    line.channel = channel;
    channel.connection().watchAgain(stream, viewer(by, channel));
    return line;
  }

  static ChannelWatches.Viewer viewer(LocalBroker broker, LocalChannel channel) {
    LocalGateway gateway = new LocalGateway(broker, Caller.trusted());
    return asked -> gateway.admit(channel, asked);
  }

  /** How many bytes and permits a broker has given out. */
  static String held(LocalBroker broker) {
    return "%d queued, %d kept, %d absent, %d of sessions, %d permits, %d streams, %d channels"
        .formatted(
            broker.budgets.queues.used(),
            broker.budgets.replay.used(),
            broker.absent.total(),
            broker.directory.sessionBytes.used(),
            broker.streams.channels.taken(),
            broker.streams.count(),
            broker.directory.channelCount());
  }
}
