package io.peerbroker.it.proxies;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.peerbroker.it.common.DocBlock;
import io.peerbroker.it.common.Needed;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The broker behind nginx. */
final class NginxIT extends ProxyRules {

  /** As Debian's nginx.conf, and with everything compressed. */
  private static final String AROUND =
      """
      daemon off;
      pid %1$s/nginx.pid;
      events {
        worker_connections 768;
      }
      http {
        access_log off;
        sendfile on;
        tcp_nopush on;
        gzip on;
        gzip_types *;
        gzip_proxied any;
        client_body_temp_path %1$s/body;
        proxy_temp_path %1$s/proxy;
        fastcgi_temp_path %1$s/fastcgi;
        uwsgi_temp_path %1$s/uwsgi;
        scgi_temp_path %1$s/scgi;
        include %1$s/peerbroker.conf;
      }
      """;

  @Override
  DocBlock plain() {
    return DocBlock.of("docs/proxies.md", "nginx");
  }

  @Override
  DocBlock listening(DocBlock plain, int port) {
    return plain.with("listen 80;", "listen 127.0.0.1:" + port + ";");
  }

  @Override
  DocBlock withTls(int port, Certificate certificate) {
    return plain()
        .with("    listen 80;", DocBlock.of("docs/proxies.md", "nginx, TLS").text())
        .with("listen 443 ", "listen 127.0.0.1:" + port + " ")
        .with("/etc/ssl/signal.example.org.pem", certificate.chain().toString())
        .with("/etc/ssl/private/signal.example.org.key", certificate.key().toString());
  }

  @Override
  List<String> command(DocBlock configuration) throws IOException {
    Files.writeString(directory.resolve("peerbroker.conf"), configuration.text());
    Path file = Files.writeString(directory.resolve("nginx.conf"), AROUND.formatted(directory));
    String program = Needed.program("nginx", "nginx");
    return List.of(program, "-p", directory.toString(), "-e", "stderr", "-c", file.toString());
  }

  @Override
  int heartbeatsAfterFin() {
    return 2;
  }

  @Override
  int heartbeatsAfterReset() {
    return 2;
  }

  @Override
  int heartbeatsAfterCancel() {
    return 2;
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
  @DisplayName("The public preset limits streams and lists more than messages.")
  void openToEverybody_limitsStreamsMost() throws Exception {
    WireClient client = client(start(DocBlock.of("docs/limits.md", "nginx, open to everybody")));
    WireChannel channel = client.openChannel();
    for (int i = 1; i < 32; i++) {
      client.openChannel();
    }
    // All streams are open, and the burst of 40 is not used up: this is the one for streams.
    assertThat(client.request("HEAD", "/list").status()).isEqualTo(429);
    channel.stream().reset();
    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> client.request("HEAD", "/list").status() == 200);
    assertThat(askUntilRefused(client, 1_000)).isLessThan(100);

    int sent = 0;
    while (sent < 10_000 && client.postJson("/send/x", "{}").status() == 400) {
      sent++;
    }
    assertThat(sent).isBetween(200, 9_999);
  }

  @Test
  @DisplayName("The public preset serves WebSockets, as few for each address as streams.")
  void openToEverybody_limitsSockets() throws Exception {
    URI base = start(DocBlock.of("docs/limits.md", "nginx, open to everybody"));
    for (int i = 0; i < 32; i++) {
      assertThat(statusOfSocket(base)).isEqualTo(101);
    }
    assertThat(statusOfSocket(base)).isEqualTo(429);
  }

  @Test
  void default_worksThanksToAHeaderOfTheBroker() throws Exception {
    WireClient client = client(start(DocBlock.of("docs/proxies.md", "nginx, default")));
    long asked = System.nanoTime();
    WireChannel channel = client.openChannel();
    assertThat(since(asked)).isLessThan(AT_ONCE);
    assertThat(channel.send(channel.cid(), "1").status()).isEqualTo(200);
    channel.awaitMessage();
    assertThat(since(asked)).isLessThan(AT_ONCE.multipliedBy(2));
  }

  @Test
  @DisplayName("A proxy that ignores X-Accel-Buffering holds everything back.")
  void default_ignoringTheHeader_holdsAllBack() throws Exception {
    URI base =
        start(
            DocBlock.of("docs/proxies.md", "nginx, default")
                .with("proxy_pass", "proxy_ignore_headers X-Accel-Buffering; proxy_pass"));
    var answer = FirstByte.of(base.resolve("/broker/channel"));
    assertThatThrownBy(() -> answer.get(AT_ONCE.toSeconds(), TimeUnit.SECONDS))
        .isInstanceOf(TimeoutException.class);
  }

  @Test
  @DisplayName("A proxy that compresses all answers compresses the stream too.")
  void default_compressingAll_compressesStreams() throws Exception {
    WireClient client = client(start(DocBlock.of("docs/proxies.md", "nginx, default")));
    assertThat(client.openStream("/channel", COMPRESSION).head().header("Content-Encoding"))
        .isEqualTo("gzip");
  }

  @Test
  @DisplayName("The shortest configuration passes on no handshake for a WebSocket.")
  void default_servesNoSocket() throws Exception {
    assertThat(statusOfSocket(start(DocBlock.of("docs/proxies.md", "nginx, default"))))
        .isEqualTo(426);
  }
}
