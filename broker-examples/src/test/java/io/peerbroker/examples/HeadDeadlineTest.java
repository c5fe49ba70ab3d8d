package io.peerbroker.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.peerbroker.core.Broker;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.servlet.HttpSettings;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireConnection;
import io.peerbroker.tck.WireSocket;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.ee10.websocket.jakarta.server.config.JakartaWebSocketServletContainerInitializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients that send the heads of their requests slowly, or not at all. */
@Timeout(60)
class HeadDeadlineTest {

  private static final Duration HEAD = Duration.ofMillis(400);
  private static final Duration LONG = Duration.ofMinutes(10);

  private final Broker broker = Broker.create();
  private JettyServer server;
  private URI base;
  private WireClient client;

  private void start(int connections) throws Exception {
    var heartbeat = Duration.ofMillis(100);
    var site = new ServletContextHandler("/");
    var servlet =
        new ServletHolder(
            new BrokerServlet(broker, HttpSettings.defaults().withHeartbeat(heartbeat)));
    servlet.setAsyncSupported(true);
    site.addServlet(servlet, "/broker/*");
    JakartaWebSocketServletContainerInitializer.configure(site, null);
    var bounds = new JettyServer.Bounds(LONG, HEAD, connections);
    server = new JettyServer("127.0.0.1", 0, heartbeat, bounds, site);
    base = URI.create(server.start() + "broker");
    client = new WireClient(base);
  }

  @AfterEach
  void stop() throws Exception {
    broker.close();
    client.close();
    server.stop();
  }

  @Test
  @DisplayName("A WebSocket has no more heads to send.")
  void webSocket() throws Exception {
    start(100);
    try (WireSocket socket = WireSocket.open(base, "", "")) {
      // The channel, and heartbeats for three times as long as a head may take.
      for (int i = 0; i < 13; i++) {
        assertThat(socket.next()).isNotEmpty();
      }
    }
  }

  /** Sends a little, again and again, until the server has closed the connection. */
  private static void dribbleUntilClosed(WireConnection connection) {
    await()
        .atMost(WireConnection.BOUND)
        .until(
            () -> {
              try {
                connection.write("x");
                return false;
              } catch (UncheckedIOException closed) {
                return true;
              }
            });
  }

  @Test
  @DisplayName("Connections on which nothing comes are closed.")
  void silentConnectionsAreClosed() throws Exception {
    start(1_000);
    List<WireConnection> silent = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      silent.add(client.connect());
    }
    assertThat(client.get("/list").status()).isEqualTo(200);
    silent.forEach(WireConnection::awaitEnd);
  }

  @Test
  @DisplayName("A head that dribbles is cut, the first of its connection and a later one.")
  void dribblingHeadsAreCut() throws Exception {
    start(1_000);
    try (WireConnection first = client.connect()) {
      first.write("GET /broker/list HTTP/1.1\r\nHost: a\r\nX-Slow: ");
      dribbleUntilClosed(first);
    }
    try (WireConnection later = client.connect()) {
      later.write(client.head("GET", "/list"));
      assertThat(later.readResponse().status()).isEqualTo(200);
      later.write("GET /broker/list HTTP/1.1\r\nHost: a\r\nX-Slow: ");
      dribbleUntilClosed(later);
    }
  }

  @Test
  @DisplayName("A stream, a connection between two requests and a slow body are left alone.")
  void othersAreLeftAlone() throws Exception {
    start(1_000);
    WireChannel channel = client.openChannel();
    try (WireConnection idle = client.connect();
        WireConnection slow = client.connect()) {
      idle.write(client.head("GET", "/list"));
      assertThat(idle.readResponse().status()).isEqualTo(200);
      String post = client.postRequest("/send/" + channel.cid(), channel.sendBody("1"));
      slow.write(post.substring(0, post.length() - 3));
      for (int i = 0; i < 2; i++) {
        // Each of these takes longer than a head may.
        try (WireConnection silent = client.connect()) {
          silent.awaitEnd();
        }
        slow.write(post.substring(post.length() - 3 + i, post.length() - 2 + i));
      }
      slow.write(post.substring(post.length() - 1));
      assertThat(slow.readResponse().status()).isEqualTo(200);
      idle.write(client.head("GET", "/list"));
      assertThat(idle.readResponse().status()).isEqualTo(200);
    }
    assertThat(channel.awaitMessage().get("message").getAsInt()).isEqualTo(1);
  }

  @Test
  @DisplayName("Connections have a bound, and those beyond it come in when others have gone.")
  void connectionsAreBounded() throws Exception {
    start(10);
    List<WireConnection> silent = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      silent.add(client.connect());
    }
    assertThat(client.get("/list").status()).isEqualTo(200);
    silent.forEach(WireConnection::awaitEnd);
  }
}
