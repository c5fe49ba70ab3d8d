package io.peerbroker.it;

import io.peerbroker.it.common.DocBlock;
import io.peerbroker.it.common.DocProgram;
import io.peerbroker.tck.WireClient;
import java.net.URI;
import org.apache.catalina.startup.Tomcat;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What the documents show for Tomcat, on Tomcat 10. */
final class Tomcat10DocsTest {

  @Test
  @DisplayName("The server of containers.md runs.")
  void containers() throws Exception {
    DocBlock block =
        DocBlock.of("docs/containers.md", "Tomcat")
            .with("8080", "0")
            .with("tomcat.start();", "tomcat.start(); " + DocProgram.HERE + "(tomcat);");
    try (DocProgram program =
        DocProgram.ofStatements(
            block,
            "io.peerbroker.servlet.BrokerServlet",
            "org.apache.catalina.*",
            "org.apache.catalina.connector.Connector",
            "org.apache.catalina.startup.Tomcat",
            "org.apache.coyote.http2.Http2Protocol")) {
      program.run(
          value -> {
            Tomcat tomcat = (Tomcat) value;
            int port = tomcat.getConnector().getLocalPort();
            try (WireClient client =
                new WireClient(URI.create("http://127.0.0.1:" + port + "/broker"))) {
              client.openChannel();
            } finally {
              tomcat.stop();
              tomcat.destroy();
            }
          });
    }
  }
}
