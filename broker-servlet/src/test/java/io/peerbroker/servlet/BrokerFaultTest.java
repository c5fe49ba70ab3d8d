package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Broker;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireResponse;
import io.peerbroker.tck.WireServer;
import org.eclipse.jetty.servlet.ServletHolder;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The answer to a client when the application's own part of the broker fails. */
final class BrokerFaultTest {

  @Test
  @Tag("E12")
  @DisplayName("A fault is 500 internal, and reveals nothing of the inside.")
  void aFaultTellsNothing() throws Exception {
    Broker broker =
        Broker.builder()
            .router(
                next ->
                    message -> {
                      throw new IllegalStateException("a secret of the inside");
                    })
            .build();
    ServletHolder servlet = new ServletHolder(new BrokerServlet(broker));
    try (broker;
        WireServer server = JettyServer.start(servlet, ServerSettings.DEFAULTS);
        WireClient client = new WireClient(server.base())) {
      WireChannel channel = client.openChannel();
      WireResponse response = channel.send(channel.cid(), "1");
      assertThat(response.status()).isEqualTo(500);
      assertThat(response.mediaType()).isEqualTo("application/problem+json");
      assertThat(response.member("code")).isEqualTo("internal");
      assertThat(response.body()).doesNotContain("secret").doesNotContain("Exception");
    }
  }
}
