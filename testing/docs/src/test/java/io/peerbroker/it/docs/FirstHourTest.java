package io.peerbroker.it.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Broker;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.servlet.HttpSettings;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireResponse;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The statements of docs/troubleshooting.md that no kit tests. */
final class FirstHourTest {

  private record Running(Server server, Broker broker) implements AutoCloseable {

    static Running start(HttpSettings settings, Duration idleTimeout) throws Exception {
      Broker broker = Broker.create();
      ServletHolder servlet = new ServletHolder(new BrokerServlet(broker, settings));
      servlet.setAsyncSupported(true);
      ServletContextHandler app = new ServletContextHandler();
      app.addServlet(servlet, "/broker/*");
      Server server = new Server();
      ServerConnector connector = new ServerConnector(server);
      connector.setHost("127.0.0.1");
      connector.setIdleTimeout(idleTimeout.toMillis());
      server.addConnector(connector);
      server.setHandler(app);
      server.start();
      return new Running(server, broker);
    }

    int port() {
      return ((ServerConnector) server.getConnectors()[0]).getLocalPort();
    }

    WireClient client() {
      return new WireClient(URI.create("http://127.0.0.1:" + port() + "/broker"));
    }

    @Override
    public void close() {
      broker.close();
      try {
        server.stop();
      } catch (Exception e) {
        throw new AssertionError("The server did not stop", e);
      }
    }
  }

  @Test
  @DisplayName("A stream outlives the connector's idle timeout if its heartbeat is shorter.")
  void heartbeatsKeepConnectionsFromIdling() throws Exception {
    HttpSettings settings = HttpSettings.defaults().withHeartbeat(Duration.ofMillis(100));
    try (Running running = Running.start(settings, Duration.ofSeconds(1));
        WireClient client = running.client()) {
      WireChannel channel = client.openChannel();
      // A second silent connection is the clock: it is ended at the timeout.
      for (int times = 0; times < 3; times++) {
        try (var idle = new Socket(InetAddress.getLoopbackAddress(), running.port())) {
          idle.setSoTimeout((int) TimeUnit.SECONDS.toMillis(60));
          assertThat(idle.getInputStream().read()).isEqualTo(-1);
        }
      }
      assertThat(client.postJson("/send/" + channel.cid(), channel.sendBody("1")).status())
          .isEqualTo(200);
      assertThat(channel.awaitMessage().get("message").getAsInt()).isEqualTo(1);
    }
  }

  @Test
  @DisplayName(
      "After a restart a stream that comes back gets a new channel, and the old one is gone.")
  void afterARestartAChannelIsANewOne() throws Exception {
    WireChannel before;
    try (Running running = Running.start(HttpSettings.defaults(), Duration.ofSeconds(30));
        WireClient client = running.client()) {
      before = client.openChannel();
    }
    try (Running running = Running.start(HttpSettings.defaults(), Duration.ofSeconds(30));
        WireClient client = running.client()) {
      WireChannel after = client.openChannel("Last-Event-ID: " + before.cid() + ".1.1");
      assertThat(after.cid()).isNotEqualTo(before.cid());
      WireResponse answer =
          client.postJson(
              "/session",
              "{\"cid\":\"%s\",\"key\":\"%s\",\"list\":true}"
                  .formatted(before.cid(), before.key()));
      assertThat(answer.status()).isEqualTo(404);
      assertThat(answer.member("code")).isEqualTo("unknown_channel");
    }
  }
}
