package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Map;
import java.util.function.ToLongFunction;

/** Checks that a broker holds nothing when everything on it has closed. */
final class LeakAssert {

  private LeakAssert() {}

  /** Returns how many channels there are, with those that wait, and streams that have given way. */
  static int permitsTaken(Broker broker) {
    OpenStreams streams = ((LocalBroker) broker).streams;
    return streams.channels.taken() + streams.ownChannels.taken();
  }

  static void assertNone(Broker broker) {
    assertHoldsNothing(broker);
    assertAddsUp(broker);
  }

  /** Checks brokers between which channels have moved: only their figures together add up. */
  static void assertNone(Broker one, Broker other) {
    assertHoldsNothing(one);
    assertHoldsNothing(other);
    assertAddsUp(one, other);
  }

  private static void assertHoldsNothing(Broker broker) {
    LocalBroker local = (LocalBroker) broker;
    assertThat(local.budgets.queues.used()).as("bytes of the budget").isZero();
    assertThat(local.budgets.replay.used()).as("bytes kept for replay").isZero();
    assertThat(local.absent.total()).as("bytes that wait for the absent").isZero();
    assertThat(local.directory.sessionBytes.used()).as("bytes of sessions").isZero();
    assertThat(local.directory.foreign.bytes.used()).as("bytes of other nodes").isZero();
    assertThat(local.directory.watchBytes.used()).as("bytes of watches").isZero();
    assertThat(local.streams.count()).as("streams").isZero();
    assertThat(local.streams.channels.taken()).as("permits of channels").isZero();
    assertThat(local.streams.watches.taken()).as("permits of watches").isZero();
    assertThat(local.streams.waiting.longest()).as("waiting channels").isNull();
    assertThat(local.streams.waitingWithLists.longest()).as("waiting channels' lists").isNull();
    for (String map :
        new String[] {
          "channels",
          "sessions",
          "foreign.byId",
          "list.parts.own.index.byTag",
          "list.watches.groups",
          "list.watches.byTag"
        }) {
      assertThat(local.directory).extracting(map).as(map).hasToString("{}");
    }
    assertThat(local.directory).extracting("list.parts.own.index.byNumber.count").isEqualTo(0);
    assertThat(local.directory).extracting("list.parts.own.index.all.leaves").hasToString("[]");
    assertSaysSo(broker.stats());
  }

  private static void assertSaysSo(BrokerStats stats) {
    assertThat(stats.channels()).isZero();
    assertThat(stats.waiting()).isZero();
    assertThat(stats.sessions()).isZero();
    assertThat(stats.listed()).isZero();
    assertThat(stats.watches()).isZero();
    assertThat(stats.streams()).isZero();
    assertThat(stats.queuedBytes()).isZero();
    assertThat(stats.sessionBytes()).isZero();
    assertThat(stats.watchBytes()).isZero();
  }

  private static void assertAddsUp(Broker... brokers) {
    assertThat(sum(brokers, stats -> sum(stats.channelsClosed())))
        .isEqualTo(sum(brokers, BrokerStats::channelsOpened));
    assertThat(sum(brokers, BrokerStats::sessionsClosed))
        .isEqualTo(sum(brokers, BrokerStats::sessionsOpened));
    assertThat(sum(brokers, stats -> sum(stats.watchesClosed())))
        .isEqualTo(sum(brokers, BrokerStats::watchesOpened));
    assertThat(sum(brokers, BrokerStats::channelsResumed))
        .isLessThanOrEqualTo(sum(brokers, BrokerStats::channelsInterrupted));
    assertThat(sum(brokers, BrokerStats::messagesUndelivered))
        .isLessThanOrEqualTo(sum(brokers, BrokerStats::messagesQueued));
  }

  private static long sum(Broker[] brokers, ToLongFunction<BrokerStats> figure) {
    return Arrays.stream(brokers).map(Broker::stats).mapToLong(figure).sum();
  }

  private static long sum(Map<CloseReason, Long> counts) {
    return counts.values().stream().mapToLong(Long::longValue).sum();
  }
}
