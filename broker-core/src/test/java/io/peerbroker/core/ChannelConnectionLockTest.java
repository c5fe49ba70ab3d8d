package io.peerbroker.core;

import static io.peerbroker.core.RefusalAssert.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** No lock of a channel's connection is held while the application's code runs. */
final class ChannelConnectionLockTest {

  private static final Duration BOUND = Duration.ofSeconds(5);

  private final AtomicReference<@Nullable ChannelConnection> connection = new AtomicReference<>();

  /** Waits for another thread that needs the connection's lock. */
  private final BrokerListener waiting =
      new BrokerListener() {
        @Override
        public void callRefused(@Nullable Channel channel, Refusal refusal) {
          ChannelConnection refused = Objects.requireNonNull(connection.get());
          assertThat(CompletableFuture.supplyAsync(refused::takeLists)).succeedsWithin(BOUND);
          connection.set(null);
        }
      };

  @Test
  @DisplayName(
      "A listener is notified without the lock that a list on a closed channel is refused.")
  void refusedListIsToldWithoutTheLock() {
    try (LocalBroker broker =
        (LocalBroker) Broker.builder().listener(waiting).drainTimeout(Duration.ZERO).build()) {
      ManualTransport line = ManualTransport.open(broker, ChannelOptions.none());
      ChannelConnection closed = ((LocalChannel) line.channel).connection();
      line.channel.close();
      connection.set(closed);
      assertRefused(closed::watches, Refusal.Code.UNKNOWN_CHANNEL);
      assertThat(connection.get()).as("set to null by the listener").isNull();
    }
  }
}
