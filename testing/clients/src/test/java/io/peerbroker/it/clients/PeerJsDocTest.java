package io.peerbroker.it.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.it.common.DocBlock;
import io.peerbroker.it.common.DocProgram;
import io.peerbroker.tck.WireSocket;
import java.net.URI;
import java.util.List;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** The server of docs/coming-from-peerjs.md. */
@Isolated("what the program prints is what the whole process does")
final class PeerJsDocTest {

  @Test
  @DisplayName("The server lets PeerJS clients in, and code beside it calls one and is answered.")
  void server() throws Exception {
    String call = DocBlock.of("docs/coming-from-peerjs.md", "call from the JVM").text();
    DocBlock block =
        DocBlock.of("docs/coming-from-peerjs.md", "server")
            .with("9000", "0")
            .with(
                "server.start();",
                "server.start(); "
                    + DocProgram.HERE
                    + "(server);\n"
                    + call
                    + DocProgram.HERE
                    + "(server);\nbroker.close(); server.stop();");
    WireSocket[] ada = new WireSocket[1];
    try (DocProgram program =
        DocProgram.ofStatements(
            block,
            "io.peerbroker.core.*",
            "io.peerbroker.peerjs.*",
            "org.eclipse.jetty.ee10.servlet.*",
            "org.eclipse.jetty.ee10.websocket.jakarta.server.config.*",
            "org.eclipse.jetty.server.Server")) {
      List<String> printed =
          program.run(
              server -> {
                if (ada[0] == null) {
                  ada[0] = connect((Server) server);
                } else {
                  answer(ada[0]);
                }
              });
      assertThat(printed).containsExactly("{\"type\":\"ANSWER\",\"payload\":2}");
    } finally {
      if (ada[0] != null) {
        ada[0].close();
      }
    }
  }

  private static WireSocket connect(Server server) {
    int port = ((ServerConnector) server.getConnectors()[0]).getLocalPort();
    URI base = URI.create("http://127.0.0.1:" + port + "/myapp");
    WireSocket ada = WireSocket.openAt(base, "/peerjs?key=peerjs&id=ada&token=1", "");
    assertThat(ada.nextText()).isEqualTo("{\"type\":\"OPEN\"}");
    return ada;
  }

  private static void answer(WireSocket ada) {
    String offer = ada.nextText();
    assertThat(offer)
        .startsWith("{\"type\":\"OFFER\",\"src\":\"")
        .endsWith("\",\"dst\":\"ada\",\"payload\":{\"type\":\"data\",\"connectionId\":\"dc_1\"}}");
    String service = String.valueOf(offer).replaceAll(".*\"src\":\"|\",\"dst.*", "");
    ada.send("{\"type\":\"ANSWER\",\"dst\":\"" + service + "\",\"payload\":2}");
    // Once this has come back, the answer is with the service, whose thread prints it.
    ada.send("{\"type\":\"OFFER\",\"dst\":\"ada\",\"payload\":3}");
    assertThat(ada.nextText()).contains("\"payload\":3");
  }
}
