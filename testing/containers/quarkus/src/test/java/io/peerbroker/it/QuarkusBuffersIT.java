package io.peerbroker.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.peerbroker.tck.ServerRules;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireServer;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * The buffers that Quarkus keeps for readers that were given up: it never returns the buffer that
 * waits for a reader which goes. A buffer on the heap and out of no pool is collected; any other is
 * lost for ever.
 */
final class QuarkusBuffersIT extends ServerRules {

  private static final int READERS = 40;

  @Override
  protected WireServer start(ServerSettings settings) throws Exception {
    return QuarkusServer.start(settings);
  }

  @Test
  @DisplayName(
      "With buffers on the heap and without a pool, readers that stall and go cost no buffer.")
  void noBufferIsLost() {
    client(
        ServerSettings.of("heartbeat", "200ms")
            .and("writeTimeout", "1s")
            .and("messageRate", "0")
            .and("maxQueuedBytes", 100_000)
            .withThreads(16));
    QuarkusServer server = (QuarkusServer) server();
    WireChannel sender = client().openChannel();
    List<WireChannel> stalled = IntStream.range(0, READERS).mapToObj(i -> openStalled()).toList();
    long before = server.bytesLostUnlessReleased();
    stalled.forEach(channel -> sendUntilRefused(sender, channel.cid()));
    awaitGivenUp(sender, stalled.stream().map(WireChannel::cid).toList());
    stalled.forEach(channel -> channel.stream().close());
    await()
        .untilAsserted(
            () -> assertThat(server.bytesLostUnlessReleased()).isLessThanOrEqualTo(before));
  }
}
