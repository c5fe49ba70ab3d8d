package io.peerbroker.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Pages of another origin in a real browser, which asks the runnable server by its preflights. */
class CrossOriginIT {

  /** Opens a channel, hosts a listed session, sends to it, and hears what it has sent. */
  private static final String TALK =
      """
      const events = new EventSource(base + '/channel');
      events.onerror = () => done('no stream');
      events.addEventListener('message', (event) => {
        events.close();
        done('heard ' + JSON.parse(event.data).message);
      });
      events.addEventListener('channel', async (event) => {
        const { cid, key } = JSON.parse(event.data);
        const post = async (path, body) => (await fetch(base + path, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', ...a[0] },
          body: JSON.stringify(body),
        })).json();
        try {
          const { sid } = await post('/session', { cid, key, list: true });
          const list = await (await fetch(base + '/list', { headers: a[0] })).json();
          await post('/send/' + list[0].sid, { origin: sid, key, message: 'hello' });
        } catch (blocked) {
          events.close();
          done('blocked: ' + blocked.name);
        }
      });
      """;

  private final Browser browser = Browser.start();
  private HttpServer site;
  private URI page;

  @BeforeEach
  void serveAnotherSite() throws Exception {
    site = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    site.createContext(
        "/",
        exchange -> {
          byte[] html = "<!doctype html><title>Another site</title>".getBytes(UTF_8);
          exchange.getResponseHeaders().set("Content-Type", "text/html");
          exchange.sendResponseHeaders(200, html.length);
          exchange.getResponseBody().write(html);
          exchange.close();
        });
    site.start();
    page = URI.create("http://127.0.0.1:" + site.getAddress().getPort() + "/");
  }

  @AfterEach
  void end() {
    browser.close();
    site.stop(0);
  }

  private Object talk(String headers, String... options) {
    try (BrokerProcess broker = BrokerProcess.run(options)) {
      String base = broker.awaitListening().resolve("/broker").toString();
      browser.open(page);
      return browser.run(base, TALK.replace("a[0]", headers));
    }
  }

  /** The page's origin, as browsers write it. */
  private String origin() {
    return page.toString().substring(0, page.toString().length() - 1);
  }

  @Test
  void listedOrigin_opensAChannelAndPosts() {
    assertThat(talk("{}", "--port", "0", "--allowed-origins", origin())).isEqualTo("heard hello");
    assertThat(talk("{}", "--port", "0", "--no-demo", "--allowed-origins", origin()))
        .isEqualTo("heard hello");
    assertThat(talk("{}", "--port", "0", "--allowed-origins", "*")).isEqualTo("heard hello");
  }

  @Test
  void anotherOrigin_getsNothing() {
    assertThat(talk("{}", "--port", "0")).isEqualTo("no stream");
    assertThat(talk("{}", "--port", "0", "--allowed-origins", "https://example.org"))
        .isEqualTo("no stream");
  }

  @Test
  void ownHeaders_arePermittedByAllowedHeaders() {
    String headers = "{ 'X-Visitor': 'ada', Authorization: 'Bearer x' }";
    assertThat(talk(headers, "--port", "0", "--allowed-origins", origin()))
        .isEqualTo("blocked: TypeError");
    assertThat(
            talk(
                headers,
                "--port",
                "0",
                "--allowed-origins",
                origin(),
                "--allowed-headers",
                "X-Visitor,Authorization"))
        .isEqualTo("heard hello");
  }
}
