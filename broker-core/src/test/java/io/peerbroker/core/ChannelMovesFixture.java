package io.peerbroker.core;

import static io.peerbroker.core.TwoBrokers.RESUME;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;

/** Two brokers between which channels move, and a sender at the first. */
abstract class ChannelMovesFixture {

  TwoBrokers brokers;
  LocalBroker one;
  LocalBroker other;
  Party sender;

  ChannelMovesFixture() {
    begin(
        settings ->
            settings
                .maxReplayEvents(4)
                .messageRate(new Limits.Rate(10, 20))
                .sessionRate(new Limits.Rate(10, 20)));
  }

  void begin(UnaryOperator<BrokerBuilder> settings) {
    brokers = new TwoBrokers(settings);
    one = brokers.one;
    other = brokers.other;
    sender = new Party(one);
  }

  void beginAnew(UnaryOperator<BrokerBuilder> settings) {
    nothingIsLeft();
    begin(settings);
  }

  @AfterEach
  void nothingIsLeft() {
    brokers.close();
    brokers.assertNothingIsLeft();
  }

  /** Returns a reader that has read its first event. */
  ManualTransport opened() {
    ManualTransport line = ManualTransport.open(one, RESUME);
    assertThat(line.readAll()).containsExactly("channel");
    return line;
  }

  void send(String target, int from, int last) {
    for (int i = from; i <= last; i++) {
      assertThat(sender.send(target, Integer.toString(i))).isNotInstanceOf(Delivery.Refused.class);
    }
  }

  static String idOf(String eventId, long number) {
    return eventId.substring(0, eventId.lastIndexOf('.') + 1) + number;
  }

  static void watch(LocalBroker broker, ManualTransport line, String name, String tag) {
    LocalChannel channel = (LocalChannel) line.channel;
    channel.watch(name, ParsedFilter.of(TagFilter.parse(tag)), TwoBrokers.viewer(broker, channel));
  }
}
