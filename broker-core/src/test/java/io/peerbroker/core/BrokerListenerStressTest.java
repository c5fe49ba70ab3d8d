package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * A slow listener while everything happens to one channel at once: for every "opened" exactly one
 * "closed", nothing before and nothing after, no call inside another, and figures that agree.
 */
final class BrokerListenerStressTest {

  @Test
  void everyLifeIsToldInOrder() throws Exception {
    Stress.rounds(this::round);
  }

  private void round(long seed) throws Exception {
    Random random = new Random(seed);
    ContractListener witness = new ContractListener(1 + random.nextInt(3_000));
    Broker broker =
        Broker.builder()
            .sessionRate(Limits.Rate.UNLIMITED)
            .drainTimeout(Duration.ZERO)
            .listener(witness)
            .build();
    ChannelOptions options = ChannelOptions.none().withResume(Duration.ofMinutes(1));
    ManualTransport line = ManualTransport.open(broker, options);
    line.readAll();
    ChannelOptions again = options.after(line.lastId());
    int spins = random.nextInt(200_000);
    List<Stress.Part> parts =
        new ArrayList<>(
            List.of(
                () -> openSessions(line.channel),
                () -> changeSessions(line.channel),
                () -> changeSessions(line.channel),
                () -> comeAndGo(broker, again, line.channel),
                () -> comeAndGo(broker, again, line.channel)));
    parts.add(
        () -> {
          for (int i = 0; i < spins; i++) {
            Thread.onSpinWait();
          }
          if (seed % 2 == 0) {
            line.channel.close();
          } else {
            broker.close();
          }
        });
    Stress.together(parts);
    witness.assertAgrees(broker);
    broker.close();
    LeakAssert.assertNone(broker);
    witness.assertAgrees(broker);
  }

  private static void openSessions(Channel channel) {
    while (channel.isOpen()) {
      unlessRefused(() -> channel.openSession(SessionSpec.listed("a")));
      TestThreads.giveWay();
    }
  }

  private static void changeSessions(Channel channel) {
    for (int i = 0; channel.isOpen(); i++) {
      String tag = "tag " + i;
      for (Session session : channel.sessions()) {
        unlessRefused(() -> session.update(SessionUpdate.nothing().withTags(tag)));
        unlessRefused(session::close);
      }
      TestThreads.giveWay();
    }
  }

  private static void comeAndGo(Broker broker, ChannelOptions again, Channel channel) {
    while (channel.isOpen()) {
      unlessRefused(() -> ManualTransport.open(broker, again).cut());
      TestThreads.giveWay();
    }
  }

  private static void unlessRefused(Runnable call) {
    try {
      call.run();
    } catch (RefusedException refused) {
      assertThat(refused.refusal().code())
          .isIn(
              Refusal.Code.UNKNOWN_CHANNEL,
              Refusal.Code.UNKNOWN_SESSION,
              Refusal.Code.TOO_MANY_SESSIONS,
              Refusal.Code.SHUTTING_DOWN);
    }
  }
}
