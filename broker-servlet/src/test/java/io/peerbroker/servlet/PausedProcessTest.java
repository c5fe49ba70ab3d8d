package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Delivery;
import io.peerbroker.core.Json;
import io.peerbroker.core.Limits;
import io.peerbroker.core.Refusal;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireConnection;
import io.peerbroker.test.FakeTimer;
import java.time.Duration;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.servlet.ServletHolder;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * The write timeout after the process was stopped: it is not known how much a reader has taken
 * meanwhile.
 */
final class PausedProcessTest {

  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final Duration MILLISECOND = Duration.ofMillis(1);
  private static final Json BULK = Json.of("x".repeat(30_000));

  private final FakeTimer timer = new FakeTimer();
  private final FakeOutput output = new FakeOutput();
  private final FakeSource source = new FakeSource();
  private final StreamWriter writer = new StreamWriter(source, output, timer::nanoTime);
  private final ResponseTimeout task = new ResponseTimeout(timer);

  private void look() {
    long left = task.nanosLeft(writer.blockedNanos(), TIMEOUT);
    if (left > 0) {
      task.watch(Duration.ofNanos(left), this::look);
    } else {
      writer.abandon();
    }
  }

  private void assertGivenUpAfterTheTimeout() {
    timer.advance(TIMEOUT.minus(MILLISECOND));
    assertThat(source.told).isEmpty();
    timer.advance(MILLISECOND);
    assertThat(source.told).containsExactly("ABANDONED");
  }

  @Test
  @DisplayName("Without a pause a reader is given up when its time is up.")
  void noPause() {
    look();
    assertGivenUpAfterTheTimeout();
  }

  @Test
  @DisplayName(
      "After a pause a reader has as long as the pause was, and at most its whole time again.")
  void pause() {
    look();
    timer.pause(TIMEOUT.plusSeconds(10));
    timer.runDue();
    timer.advance(Duration.ofSeconds(10).minus(MILLISECOND));
    assertThat(source.told).isEmpty();
    timer.pause(Duration.ofHours(1));
    timer.runDue();
    assertGivenUpAfterTheTimeout();
  }

  @Test
  @DisplayName("A check that is always late ends the reader all the same.")
  void alwaysLate() {
    look();
    for (int i = 0; i < 10; i++) {
      timer.pause(TIMEOUT.plusSeconds(2));
      timer.runDue();
    }
    assertThat(source.told).containsExactly("ABANDONED");
  }

  @Test
  @DisplayName("A check within the granted time takes nothing of it back.")
  void looksBetween() {
    look();
    timer.pause(TIMEOUT.multipliedBy(3));
    timer.runDue();
    look();
    assertGivenUpAfterTheTimeout();
  }

  @Test
  @DisplayName("A reader that turns out to have taken everything is not given up.")
  void reads() {
    look();
    timer.pause(TIMEOUT.multipliedBy(2));
    timer.runDue();
    writer.onWritePossible();
    timer.advance(TIMEOUT.multipliedBy(2));
    assertThat(source.told).isEmpty();
  }

  @Test
  @DisplayName("Less than a second is no pause.")
  void late() {
    look();
    timer.pause(TIMEOUT.plusMillis(999));
    timer.runDue();
    assertThat(source.told).containsExactly("ABANDONED");
  }

  @Test
  @DisplayName("A stream on a real connection.")
  void stream() throws Exception {
    Broker broker = Broker.builder().timer(timer).messageRate(Limits.Rate.UNLIMITED).build();
    BrokerHttp http = new BrokerHttp(broker, HttpSettings.defaults().withWriteTimeout(TIMEOUT));
    try (JettyServer server =
            JettyServer.start(new ServletHolder(new OwnServlet(http)), ServerSettings.DEFAULTS);
        WireClient client = new WireClient(server.base())) {
      ServerConnector connector = (ServerConnector) server.server().getConnectors()[0];
      connector.setAcceptedSendBufferSize(4_096);
      // Or Jetty's own write timeout would be first.
      connector.setIdleTimeout(Duration.ofMinutes(10).toMillis());
      WireChannel stalled = client.openChannel(WireConnection.open(server.base(), 4_096));
      Channel sender = broker.openChannel((channel, message) -> {});
      await()
          .atMost(WireConnection.BOUND)
          .until(() -> refusal(sender, stalled.cid()) == Refusal.Code.TARGET_BUSY);

      timer.pause(Duration.ofHours(1));
      timer.runDue();
      assertThat(refusal(sender, stalled.cid())).isEqualTo(Refusal.Code.TARGET_BUSY);
      timer.advance(TIMEOUT);
      assertThat(refusal(sender, stalled.cid())).isEqualTo(Refusal.Code.UNKNOWN_TARGET);
    }
    broker.close();
  }

  private static Refusal.@Nullable Code refusal(Channel sender, String target) {
    return sender.send(target, BULK).toCompletableFuture().join()
            instanceof Delivery.Refused refused
        ? refused.refusal().code()
        : null;
  }
}
