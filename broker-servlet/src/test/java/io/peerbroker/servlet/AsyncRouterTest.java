package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Delivery;
import io.peerbroker.core.Message;
import io.peerbroker.core.Refusal;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireConnection;
import io.peerbroker.tck.WireResponse;
import io.peerbroker.test.FakeTimer;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.eclipse.jetty.servlet.ServletHolder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A slow router of the application: the answer waits, and no thread does. */
final class AsyncRouterTest {

  private static final Logger LOG = Logger.getLogger(BrokerHttp.class.getName());
  private static final Logger CORE_LOG = Logger.getLogger(Broker.class.getName());

  private final BlockingQueue<CompletableFuture<Delivery>> routed = new LinkedBlockingQueue<>();
  private final FakeTimer timer = new FakeTimer();
  private final Broker broker = Broker.builder().timer(timer).router(next -> this::route).build();

  private JettyServer server;
  private WireClient client;
  private WireChannel channel;
  private WireConnection connection;

  private CompletableFuture<Delivery> route(Message message) {
    CompletableFuture<Delivery> delivery = new CompletableFuture<>();
    routed.add(delivery);
    return delivery;
  }

  @BeforeEach
  void start() throws Exception {
    LOG.setLevel(Level.OFF);
    CORE_LOG.setLevel(Level.OFF);
    server =
        JettyServer.start(new ServletHolder(new BrokerServlet(broker)), ServerSettings.DEFAULTS);
    client = new WireClient(server.base());
    channel = client.openChannel();
    connection = client.connect();
  }

  @AfterEach
  void stop() {
    LOG.setLevel(null);
    CORE_LOG.setLevel(null);
    connection.close();
    client.close();
    server.close();
  }

  @Test
  void itsAnswerIsWaitedFor() throws Exception {
    send().complete(new Delivery.Sent());
    WireResponse response = connection.readResponse();
    assertThat(response.status()).isEqualTo(200);
    assertThat(response.body()).isEqualTo("{\"delivery\":\"sent\"}");
    send()
        .complete(
            new Delivery.Refused(Refusal.of(Refusal.Code.UNKNOWN_TARGET, "Nobody, nowhere.")));
    assertRefused(404, "unknown_target");
    assertNothingIsLeft();
  }

  @Test
  void itsFailureIsTheBrokers() throws Exception {
    send().completeExceptionally(new IllegalStateException("a secret of the inside"));
    assertThat(assertRefused(500, "internal").body()).doesNotContain("secret");
    assertNothingIsLeft();
  }

  @Test
  void itIsNotWaitedForForEver() throws Exception {
    CompletableFuture<Delivery> never = send();
    await().atMost(WireConnection.BOUND).until(() -> timer.scheduled() > 1);
    timer.advance(Duration.ofSeconds(29));
    assertThat(client.get("/list").status()).isEqualTo(200);
    timer.advance(Duration.ofSeconds(1));
    assertRefused(500, "internal");
    never.complete(new Delivery.Sent());
    send().complete(new Delivery.Sent());
    assertThat(connection.readResponse().status()).as("on the same connection").isEqualTo(200);
    assertNothingIsLeft();
  }

  @Test
  void aClientThatHasGoneDoesNotHurt() throws Exception {
    CompletableFuture<Delivery> late = send();
    connection.reset();
    late.complete(new Delivery.Sent());
    connection = client.connect();
    send().complete(new Delivery.Sent());
    assertThat(connection.readResponse().status()).isEqualTo(200);
    assertNothingIsLeft();
  }

  /** Sends a message, and returns the stage that the router must complete. */
  private CompletableFuture<Delivery> send() throws InterruptedException {
    connection.write(client.postRequest("/send/x", channel.sendBody("1")));
    CompletableFuture<Delivery> delivery = routed.poll(20, TimeUnit.SECONDS);
    assertThat(delivery).isNotNull();
    return delivery;
  }

  private WireResponse assertRefused(int status, String code) {
    WireResponse response = connection.readResponse();
    assertThat(response.status()).isEqualTo(status);
    assertThat(response.member("code")).isEqualTo(code);
    return response;
  }

  /** Except for the one task of the channel's stream. */
  private void assertNothingIsLeft() {
    await().atMost(WireConnection.BOUND).until(() -> timer.scheduled() == 1);
  }
}
