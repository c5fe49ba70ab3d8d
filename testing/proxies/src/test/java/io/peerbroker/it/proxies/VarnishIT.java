package io.peerbroker.it.proxies;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.it.common.DocBlock;
import io.peerbroker.it.common.Needed;
import io.peerbroker.tck.SseStream;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The broker behind Varnish. */
final class VarnishIT extends ProxyRules {

  private int port;

  @Override
  DocBlock plain() {
    return DocBlock.of("docs/proxies.md", "Varnish");
  }

  @Override
  DocBlock listening(DocBlock plain, int port) {
    this.port = port;
    return plain;
  }

  @Override
  DocBlock withTls(int port, Certificate certificate) {
    throw new UnsupportedOperationException("Varnish speaks no TLS");
  }

  @Override
  List<String> command(DocBlock configuration) throws IOException {
    Path file = Files.writeString(directory.resolve("peerbroker.vcl"), configuration.text() + "\n");
    String program = Needed.program("varnishd", "varnish");
    Path work = directory.resolve("varnish");
    return List.of(
        program,
        "-F",
        "-j",
        "none",
        "-n",
        work.toString(),
        "-a",
        "127.0.0.1:" + port,
        "-s",
        "malloc,32m",
        "-f",
        file.toString());
  }

  /**
   * Once a client has gone, a pipe of Varnish's is closed only when a write to that client has
   * failed. The first heartbeat makes the client's system answer with an RST, the write of the
   * second fails, the third makes Varnish's system answer with an RST, the broker's write of the
   * fourth fails.
   */
  @Override
  int heartbeatsAfterFin() {
    return 4;
  }

  /** As above, without the first. */
  @Override
  int heartbeatsAfterReset() {
    return 3;
  }

  @Override
  int heartbeatsAfterCancel() {
    return 0;
  }

  @Override
  @Test
  @Disabled("Varnish speaks no TLS, and no pipe over HTTP/2")
  void http2_takesManyStreamsOnOneConnection() {}

  @Override
  @Test
  @Disabled("Varnish speaks no TLS")
  void tls_ownOriginHasASocket() {}

  @Test
  @DisplayName("A proxy holds back each message, but not the first events.")
  void default_holdsBackEachMessage() throws Exception {
    WireClient client = client(start(DocBlock.of("docs/proxies.md", "Varnish, default")));
    long asked = System.nanoTime();
    WireChannel channel = client.openChannel();
    SseStream list = client.watch("");
    list.await("ready");
    assertThat(since(asked)).as("the first events").isLessThan(AT_ONCE);
    for (int i = 0; i < 3; i++) {
      long sent = System.nanoTime();
      assertThat(channel.send(channel.cid(), "" + i).status()).isEqualTo(200);
      assertThat(channel.awaitMessage().get("message").getAsInt()).isEqualTo(i);
      assertThat(since(sent)).as("a message").isLessThan(HEARTBEAT.plus(AT_ONCE));
    }
  }

  @Test
  @DisplayName("The shortest configuration passes on no handshake for a WebSocket.")
  void default_servesNoSocket() throws Exception {
    assertThat(statusOfSocket(start(DocBlock.of("docs/proxies.md", "Varnish, default"))))
        .isEqualTo(426);
  }
}
