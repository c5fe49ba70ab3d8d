package io.peerbroker.it;

import io.peerbroker.it.common.DocBlock;
import io.peerbroker.it.common.DocProgram;
import io.peerbroker.tck.WireClient;
import io.undertow.Undertow;
import java.net.InetSocketAddress;
import java.net.URI;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What the documents show for Undertow. */
final class UndertowDocsTest {

  @Test
  @DisplayName("The server of containers.md runs.")
  void containers() throws Exception {
    DocBlock block =
        DocBlock.of("docs/containers.md", "Undertow")
            .with("8080, \"0.0.0.0\"", "0, \"127.0.0.1\"")
            .with("undertow.start();", "undertow.start(); " + DocProgram.HERE + "(undertow);");
    try (DocProgram program =
        DocProgram.ofStatements(
            block,
            "io.peerbroker.servlet.BrokerServlet",
            "io.undertow.Undertow",
            "io.undertow.servlet.Servlets",
            "io.undertow.servlet.api.*")) {
      program.run(
          value -> {
            Undertow undertow = (Undertow) value;
            var address = (InetSocketAddress) undertow.getListenerInfo().get(0).getAddress();
            try (WireClient client =
                new WireClient(URI.create("http://127.0.0.1:" + address.getPort() + "/broker"))) {
              client.openChannel();
            } finally {
              undertow.stop();
            }
          });
    }
  }
}
