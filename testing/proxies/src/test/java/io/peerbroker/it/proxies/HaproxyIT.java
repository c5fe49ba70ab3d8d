package io.peerbroker.it.proxies;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.it.common.DocBlock;
import io.peerbroker.it.common.Needed;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The broker behind HAProxy. */
final class HaproxyIT extends ProxyRules {

  /** As Debian's haproxy.cfg, and with everything compressed. */
  private static final String AROUND =
      """
      defaults
        mode http
        timeout connect 5000
        timeout client 50000
        timeout server 50000
        compression algo gzip
      """;

  @Override
  DocBlock plain() {
    return DocBlock.of("docs/proxies.md", "HAProxy");
  }

  @Override
  DocBlock listening(DocBlock plain, int port) {
    return plain.with("bind :80", "bind 127.0.0.1:" + port);
  }

  @Override
  DocBlock withTls(int port, Certificate certificate) {
    return plain()
        .with("    bind :80", DocBlock.of("docs/proxies.md", "HAProxy, TLS").text())
        .with("bind :443", "bind 127.0.0.1:" + port)
        .with("/etc/ssl/private/signal.example.org.pem", certificate.both().toString());
  }

  @Override
  List<String> command(DocBlock configuration) throws IOException {
    // no line feed at the end of a file is an error
    Path around = Files.writeString(directory.resolve("haproxy.cfg"), AROUND);
    Path file = Files.writeString(directory.resolve("peerbroker.cfg"), configuration.text() + "\n");
    String program = Needed.program("haproxy", "haproxy");
    return List.of(program, "-db", "-f", around.toString(), "-f", file.toString());
  }

  @Override
  int heartbeatsAfterFin() {
    return 3;
  }

  @Override
  int heartbeatsAfterReset() {
    return 2;
  }

  @Override
  int heartbeatsAfterCancel() {
    return 1;
  }

  @Test
  void streamsOfOneAddress_areLimited() throws Exception {
    assertThat(openUntilRefused(client(start()), 100)).isEqualTo(64);
  }

  @Test
  void requestsOfOneAddress_areLimited() throws Exception {
    assertThat(askUntilRefused(client(start()), 10_000)).isBetween(200, 9_999);
  }

  @Test
  void messages_comeWithoutTheDelayOfTheDefault() throws Exception {
    assertThat(quickestOfTen(client(start()))).isLessThan(Duration.ofMillis(150));
  }

  @Test
  void default_holdsEachEventBackForAFifthOfASecond() throws Exception {
    assertThat(quickestOfTen(client(start(DocBlock.of("docs/proxies.md", "HAProxy, default")))))
        .isGreaterThan(Duration.ofMillis(150));
  }

  @Test
  @DisplayName("The shortest configuration passes on a WebSocket.")
  void default_servesSockets() throws Exception {
    assertThat(statusOfSocket(start(DocBlock.of("docs/proxies.md", "HAProxy, default"))))
        .isEqualTo(101);
  }

  private static Duration quickestOfTen(WireClient client) {
    WireChannel channel = client.openChannel();
    Duration quickest = AT_ONCE;
    for (int i = 0; i < 10; i++) {
      long sent = System.nanoTime();
      assertThat(channel.send(channel.cid(), "1").status()).isEqualTo(200);
      channel.awaitMessage();
      Duration took = since(sent);
      quickest = took.compareTo(quickest) < 0 ? took : quickest;
    }
    return quickest;
  }
}
