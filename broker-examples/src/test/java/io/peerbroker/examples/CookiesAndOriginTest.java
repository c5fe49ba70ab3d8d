package io.peerbroker.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Broker;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireResponse;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What old and new browsers send about the page that asks, over real sockets. */
class CookiesAndOriginTest {

  private static final String OWN = "Origin: https://shop.example.org";
  private static final String COOKIE = "Cookie: theme=dark; session=of-ada";

  private final Set<String> logins = ConcurrentHashMap.newKeySet();
  private final Broker broker =
      Broker.builder()
          .accessPolicy(
              new CookiesAndOrigin(
                  Set.of("https://shop.example.org", "https://app.example.org"), logins::contains))
          .build();
  private final ServletContextHandler site = CookiesAndOrigin.site(broker, logins);
  private WireClient client;

  @BeforeEach
  void start() throws Exception {
    logins.add("of-ada");
    var server = new JettyServer("127.0.0.1", 0, Duration.ofSeconds(15), site);
    client = new WireClient(URI.create(server.start() + "broker"));
  }

  @AfterEach
  void stop() throws Exception {
    broker.close();
    client.close();
    site.getServer().stop();
  }

  /** Sends the requests that need admission, with these headers. */
  private List<WireResponse> everything(WireChannel channel, String sid, String... headers) {
    String self = "{\"cid\":\"%s\",\"key\":\"%s\"".formatted(channel.cid(), channel.key());
    String stream = "Accept: text/event-stream\r\n" + String.join("\r\n", headers);
    return List.of(
        client.request("HEAD", "/channel", headers),
        client.get("/list", headers),
        client.postJson("/session", self + "}", headers),
        client.postJson("/session/" + sid + "/update", self + ",\"values\":{}}", headers),
        client.postJson("/send/" + channel.cid(), channel.sendBody("1"), headers),
        client.request("HEAD", "/list", stream));
  }

  private void assertLetIn(String... headers) {
    WireChannel channel = client.openChannel(headers);
    client.watch("", headers).await("ready");
    String sid = host(channel);
    assertThat(everything(channel, sid, headers))
        .allSatisfy(answer -> assertThat(answer.status()).as(answer.body()).isBetween(200, 201));
    channel.close();
  }

  private void assertRefused(String... headers) {
    WireChannel channel = client.openChannel(COOKIE, OWN);
    String sid = host(channel);
    long before = broker.stats().channelsOpened();
    for (String path : List.of("/channel", "/list")) {
      WireResponse answer = client.get(path, "Accept: text/event-stream", lines(headers));
      assertThat(answer.status()).as(path + " " + lines(headers)).isEqualTo(403);
      assertThat(answer.member("code")).isEqualTo("denied");
    }
    assertThat(everything(channel, sid, headers))
        .allSatisfy(answer -> assertThat(answer.status()).as(lines(headers)).isEqualTo(403));
    assertThat(broker.stats().channelsOpened()).isEqualTo(before);
    channel.close();
  }

  private String host(WireChannel channel) {
    String body = "{\"cid\":\"%s\",\"key\":\"%s\"}".formatted(channel.cid(), channel.key());
    return client.postJson("/session", body, COOKIE, OWN).member("sid");
  }

  private static String lines(String... headers) {
    return String.join("\r\n", headers);
  }

  @Test
  void ownPagesAreLetIn() {
    assertLetIn(COOKIE, "Sec-Fetch-Site: same-origin");
    assertLetIn(COOKIE, "Sec-Fetch-Site: same-origin", OWN);
    assertLetIn(COOKIE, "Sec-Fetch-Site: none");
    assertLetIn(COOKIE, "Sec-Fetch-Site: same-site", "Origin: https://app.example.org");
    // Browsers without Sec-Fetch-Site, and programs.
    assertLetIn(COOKIE, OWN);
  }

  @Test
  void overPlainHttpAFrameOfASiblingSiteIsRefused() {
    // What Chromium sends there for a frame, an image and a fetch without CORS.
    assertRefused(COOKIE);
    assertRefused(COOKIE, "Accept: text/html,application/xhtml+xml,*/*;q=0.8");
    assertRefused(COOKIE, "Referer: http://blog.example.org/");
    assertRefused(COOKIE, "Upgrade-Insecure-Requests: 1");
  }

  @Test
  void foreignPagesAreRefusedDespiteTheCookie() {
    assertRefused(COOKIE, "Sec-Fetch-Site: cross-site", "Origin: https://evil.example.net");
    assertRefused(COOKIE, "Sec-Fetch-Site: cross-site");
    assertRefused(COOKIE, "Sec-Fetch-Site: cross-site", "Origin: null");
    assertRefused(COOKIE, "Sec-Fetch-Site: same-site", "Origin: https://blog.example.org");
    assertRefused(COOKIE, "Sec-Fetch-Site: same-site");
    assertRefused(COOKIE, "Origin: https://evil.example.net");
    assertRefused(COOKIE, "Origin: null");
    // Neither the scheme nor the port is another's.
    assertRefused(COOKIE, "Origin: http://shop.example.org");
    assertRefused(COOKIE, "Origin: https://shop.example.org:8443");
    assertRefused(COOKIE, "Origin: https://shop.example.org.evil.example.net");
  }

  @Test
  void withoutALoginNobodyIsLetIn() {
    assertRefused("Sec-Fetch-Site: same-origin");
    assertRefused("Cookie: session=", OWN);
    assertRefused("Cookie: session=of-eve", OWN);
    assertRefused("Cookie: xsession=of-ada", OWN);
  }
}
