package io.peerbroker.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.it.common.DocBlock;
import io.peerbroker.it.common.DocProgram;
import io.peerbroker.tck.SseStream;
import io.peerbroker.tck.WireClient;
import java.net.URI;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What the README shows for Jetty, on Jetty 11. */
final class Jetty11DocsTest {

  @Test
  @DisplayName("The README's server runs, and notifies its streams when it goes down.")
  void readme() throws Exception {
    DocBlock block =
        DocBlock.of("README.md", "Jetty")
            .with("8080", "0")
            .with("broker.close();", DocProgram.HERE + "(server);\nbroker.close();");
    SseStream[] list = new SseStream[1];
    try (DocProgram program =
        DocProgram.ofStatements(
            block,
            "io.peerbroker.core.Broker",
            "io.peerbroker.servlet.BrokerServlet",
            "org.eclipse.jetty.servlet.*",
            "org.eclipse.jetty.server.Server")) {
      program.run(
          server -> {
            int port = ((ServerConnector) ((Server) server).getConnectors()[0]).getLocalPort();
            list[0] =
                new WireClient(URI.create("http://127.0.0.1:" + port + "/shop/broker")).watch("");
            list[0].await("ready");
          });
      assertThat(list[0].await("close").data()).contains("shutting_down");
    }
  }
}
