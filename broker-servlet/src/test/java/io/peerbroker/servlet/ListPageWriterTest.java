package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Json;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireConnection;
import io.peerbroker.test.FakeTimer;
import java.time.Duration;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.servlet.ServletHolder;
import org.junit.jupiter.api.Test;

/** A client that asks for a long list and does not read it. */
final class ListPageWriterTest {

  private static final Duration WRITE_TIMEOUT = Duration.ofSeconds(30);

  private final FakeTimer timer = new FakeTimer();
  private final Broker broker = Broker.builder().timer(timer).build();
  private final BrokerHttp http =
      new BrokerHttp(broker, HttpSettings.defaults().withWriteTimeout(WRITE_TIMEOUT));

  @Test
  void isGivenUpAndLeavesNothing() throws Exception {
    hostOneMegabyte();
    try (JettyServer server =
            JettyServer.start(new ServletHolder(new OwnServlet(http)), ServerSettings.DEFAULTS);
        WireClient client = new WireClient(server.base())) {
      ServerConnector connector = (ServerConnector) server.server().getConnectors()[0];
      connector.setAcceptedSendBufferSize(4_096);
      // Or Jetty's own write timeout would be first.
      connector.setIdleTimeout(Duration.ofMinutes(10).toMillis());
      WireConnection stalled = WireConnection.open(server.base(), 4_096);
      stalled.write(client.head("GET", "/list"));
      await().atMost(WireConnection.BOUND).until(() -> timer.scheduled() == 1);
      assertThat(client.get("/list").json().getAsJsonArray()).hasSizeGreaterThan(60);

      advance(WRITE_TIMEOUT);
      assertThat(timer.scheduled()).as("the last resort, now that it is given up").isOne();
      advance(Duration.ofSeconds(75));
      assertThat(timer.scheduled()).isZero();
    }
    broker.close();
  }

  private void advance(Duration time) {
    timer.advance(time);
    timer.runDue();
  }

  private void hostOneMegabyte() {
    Channel host = broker.openChannel((channel, message) -> {});
    Json metadata = Json.of("x".repeat(16_000));
    for (int i = 0; i < 64; i++) {
      host.openSession(SessionSpec.listed("long").withMetadata(metadata));
    }
  }
}
