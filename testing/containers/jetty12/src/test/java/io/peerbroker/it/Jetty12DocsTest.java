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

/** What the documents show for Jetty, on Jetty 12. */
final class Jetty12DocsTest {

  private static URI broker(Object server, String path) {
    int port = ((ServerConnector) ((Server) server).getConnectors()[0]).getLocalPort();
    return URI.create("http://127.0.0.1:" + port + path);
  }

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
            "org.eclipse.jetty.ee10.servlet.*",
            "org.eclipse.jetty.server.Server")) {
      program.run(
          server -> {
            list[0] = new WireClient(broker(server, "/shop/broker")).watch("");
            list[0].await("ready");
          });
      assertThat(list[0].await("close").data()).contains("shutting_down");
    }
  }

  @Test
  @DisplayName("The server of containers.md runs, and notifies its streams when it stops.")
  void containers() throws Exception {
    DocBlock block =
        DocBlock.of("docs/containers.md", "Jetty")
            .with("server.start();", "server.start(); " + DocProgram.HERE + "(server);");
    try (DocProgram program =
        DocProgram.ofStatements(
            block,
            "io.peerbroker.core.Broker",
            "io.peerbroker.servlet.BrokerServlet",
            "org.eclipse.jetty.ee10.servlet.*",
            "org.eclipse.jetty.http2.server.HTTP2CServerConnectionFactory",
            "org.eclipse.jetty.server.*",
            "org.eclipse.jetty.util.component.LifeCycle",
            "org.eclipse.jetty.util.thread.QueuedThreadPool")) {
      program.run(
          server -> {
            try (WireClient client = new WireClient(broker(server, "/broker"))) {
              SseStream stream = client.openChannel().stream();
              ((Server) server).stop();
              assertThat(stream.await("close").data()).contains("shutting_down");
            } finally {
              ((Server) server).stop();
            }
          });
    }
  }
}
