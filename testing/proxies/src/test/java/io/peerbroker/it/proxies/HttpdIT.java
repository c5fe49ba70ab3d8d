package io.peerbroker.it.proxies;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peerbroker.it.common.DocBlock;
import io.peerbroker.it.common.Needed;
import io.peerbroker.tck.WireClient;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The broker behind Apache httpd. */
final class HttpdIT extends ProxyRules {

  /** As Debian's apache2.conf and mpm_event.conf, and with everything compressed. */
  private static final String AROUND =
      """
      ServerRoot %1$s
      ServerName localhost
      PidFile %1$s/apache2.pid
      DefaultRuntimeDir %1$s
      ErrorLog %1$s/error.log
      User www-data
      Group www-data
      LoadModule mpm_event_module %2$s/mod_mpm_event.so
      LoadModule authz_core_module %2$s/mod_authz_core.so
      LoadModule setenvif_module %2$s/mod_setenvif.so
      LoadModule reqtimeout_module %2$s/mod_reqtimeout.so
      LoadModule filter_module %2$s/mod_filter.so
      LoadModule deflate_module %2$s/mod_deflate.so
      LoadModule brotli_module %2$s/mod_brotli.so
      LoadModule proxy_module %2$s/mod_proxy.so
      LoadModule proxy_http_module %2$s/mod_proxy_http.so
      LoadModule socache_shmcb_module %2$s/mod_socache_shmcb.so
      LoadModule ssl_module %2$s/mod_ssl.so
      LoadModule http2_module %2$s/mod_http2.so
      Timeout 300
      KeepAlive On
      StartServers 2
      MinSpareThreads 25
      MaxSpareThreads 75
      ThreadLimit 64
      ThreadsPerChild 25
      MaxRequestWorkers 150
      RequestReadTimeout header=20-40,minrate=500
      RequestReadTimeout body=10,minrate=500
      SetOutputFilter BROTLI_COMPRESS;DEFLATE
      Listen 127.0.0.1:%3$s
      Include %1$s/peerbroker.conf
      """;

  private static final String MODULES = "/usr/lib/apache2/modules";

  private int port;

  @Override
  DocBlock plain() {
    return DocBlock.of("docs/proxies.md", "httpd");
  }

  @Override
  DocBlock listening(DocBlock plain, int port) {
    this.port = port;
    return plain.with("<VirtualHost *:80>", "<VirtualHost 127.0.0.1:" + port + ">");
  }

  @Override
  DocBlock withTls(int port, Certificate certificate) {
    this.port = port;
    return plain()
        .with("<VirtualHost *:80>", DocBlock.of("docs/proxies.md", "httpd, TLS").text())
        .with("<VirtualHost *:443>", "<VirtualHost 127.0.0.1:" + port + ">")
        .with("/etc/ssl/signal.example.org.pem", certificate.chain().toString())
        .with("/etc/ssl/private/signal.example.org.key", certificate.key().toString());
  }

  @Override
  List<String> command(DocBlock configuration) throws IOException {
    String program = Needed.program("apache2", "apache2-bin");
    Files.writeString(directory.resolve("peerbroker.conf"), configuration.text() + "\n");
    Path file =
        Files.writeString(
            directory.resolve("apache2.conf"),
            AROUND.formatted(directory, MODULES, String.valueOf(port)));
    return List.of(program, "-D", "FOREGROUND", "-f", file.toString());
  }

  @Override
  int heartbeatsAfterFin() {
    return 4;
  }

  @Override
  int heartbeatsAfterReset() {
    return 3;
  }

  @Override
  int heartbeatsAfterCancel() {
    return 3;
  }

  @Override
  int streamsOfOneConnection() {
    return 5;
  }

  @Test
  void http2_standsStillBehindManyStreams() throws Exception {
    Certificate certificate = Certificate.make(directory);
    Http2Client client = new Http2Client(startTls(certificate), certificate.trust());
    // six are enough, unless httpd has rated the first answer as quick
    List<Http2Client.Stream> streams = openStreams(client, 40);
    streams.get(0).awaitData(AT_ONCE.multipliedBy(5));
    var post = client.post("/session", "{}");
    assertThatThrownBy(() -> post.get(AT_ONCE.toSeconds(), TimeUnit.SECONDS))
        .isInstanceOf(TimeoutException.class);
  }

  @Test
  void threads_areEnoughForManyStreams() throws Exception {
    DocBlock threads = DocBlock.of("docs/proxies.md", "httpd, threads");
    WireClient client =
        client(start(plain().with("<VirtualHost", threads.text() + "\n<VirtualHost")));
    for (int i = 0; i < 200; i++) {
      client.openChannel();
    }
    assertThat(client.get("/list").status()).isEqualTo(200);
  }

  @Test
  void default_isFullWithAHundredAndFiftyStreams() throws Exception {
    URI base = start(DocBlock.of("docs/proxies.md", "httpd, default"));
    WireClient client = client(base);
    for (int i = 0; i < 145; i++) {
      client.openChannel();
    }
    // ten at once, so it is not known which of them wait
    var ten =
        IntStream.range(0, 10)
            .mapToObj(i -> FirstByte.of(base.resolve("/broker/channel")))
            .toArray(CompletableFuture<?>[]::new);
    var answered = CompletableFuture.allOf(ten);
    assertThatThrownBy(() -> answered.get(AT_ONCE.toSeconds(), TimeUnit.SECONDS))
        .isInstanceOf(TimeoutException.class);
  }

  @Test
  @DisplayName("A proxy that compresses all answers compresses the stream too.")
  void default_compressingAll_compressesStreams() throws Exception {
    WireClient client = client(start(DocBlock.of("docs/proxies.md", "httpd, default")));
    assertThat(client.openStream("/channel", COMPRESSION).head().header("Content-Encoding"))
        .isNotNull();
  }

  @Test
  @DisplayName("The shortest configuration passes on no handshake for a WebSocket.")
  void default_servesNoSocket() throws Exception {
    assertThat(statusOfSocket(start(DocBlock.of("docs/proxies.md", "httpd, default"))))
        .isEqualTo(426);
  }
}
