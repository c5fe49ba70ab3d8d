package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Delivery;
import io.peerbroker.core.Json;
import io.peerbroker.core.Refusal;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.SseStream;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireConnection;
import io.peerbroker.tck.WireResponse;
import java.util.ArrayList;
import java.util.List;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Readers that stop reading: their cost, their effect on others, and their end. */
final class StalledReaderTest {

  private static final Json BULK = Json.of("x".repeat(30_000));

  private JettyServer server;
  private WireClient client;

  private void start(String writeTimeout) throws Exception {
    server =
        JettyServer.start(
            ServerSettings.of("writeTimeout", writeTimeout)
                .and("heartbeat", "100ms")
                .and("messageRate", 0)
                .and("maxQueuedBytes", 100_000));
    // Otherwise the system would buffer megabytes for each before that showed.
    ((ServerConnector) server.server().getConnectors()[0]).setAcceptedSendBufferSize(4_096);
    client = new WireClient(server.base());
  }

  @AfterEach
  void stop() {
    client.close();
    server.close();
  }

  @Test
  void itsSendersAreRefusedAndNobodyElseWaits() throws Exception {
    start("60m");
    WireChannel sender = client.openChannel();
    WireChannel stalled = openStalled();
    stalled.listSession("\"stalled\"");
    SseStream list = client.watch("");
    list.await("ready");
    fill(stalled.cid());
    WireResponse refused = sender.send(stalled.cid(), BULK.toString());
    assertThat(refused.status()).isEqualTo(429);
    assertThat(refused.member("code")).isEqualTo("target_busy");

    assertThat(sender.send(sender.cid(), "1").status()).isEqualTo(200);
    assertThat(sender.awaitMessage().get("message").getAsInt()).isEqualTo(1);
    sender.listSession("\"new\"");
    list.await(event -> event.data().contains("\"new\""));
    assertThat(client.get("/list").json().getAsJsonArray()).hasSize(2);

    // When it reads on, all accepted messages arrive whole, and there is room again.
    for (int i = 0; i < 3; i++) {
      assertThat(stalled.awaitMessage().get("message").getAsString()).hasSize(30_000);
    }
    await()
        .atMost(WireConnection.BOUND)
        .until(() -> sender.send(stalled.cid(), "1").status() == 200);
    stalled.stream().await(event -> event.data().contains("\"message\":1}"));
    assertThat(stalled.stream().ignored()).isEmpty();
  }

  @Test
  void manyCostNoThreadAndAreGivenUp() throws Exception {
    start("2s");
    WireChannel sender = client.openChannel();
    SseStream list = client.watch("?filter=stalled");
    list.await("ready");
    int idle = threadsAtWork();
    List<WireChannel> stalled = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      WireChannel each = openStalled();
      each.listSession("\"stalled\"");
      fill(each.cid());
      stalled.add(each);
    }
    await().atMost(WireConnection.BOUND).until(() -> threadsAtWork() <= idle);
    assertThat(sender.send(sender.cid(), "1").status()).isEqualTo(200);
    assertThat(sender.awaitMessage().get("message").getAsInt()).isEqualTo(1);

    for (int i = 0; i < 60; i++) {
      list.await("remove");
    }
    assertThat(client.get("/list").body()).isEqualTo("[]");
    for (WireChannel each : stalled) {
      assertThat(sender.send(each.cid(), "1").member("code")).isEqualTo("unknown_target");
    }
    assertThat(sender.send(sender.cid(), "2").status()).isEqualTo(200);
  }

  /** Fills the buffers between the broker and a reader, and then the queue, until nothing moves. */
  private void fill(String target) {
    try (Channel sender = broker().openChannel((channel, message) -> {})) {
      int busy = 0;
      for (int i = 0; i < 10_000 && busy < 20; i++) {
        busy = isBusy(sender, target) ? busy + 1 : 0;
      }
      assertThat(busy).as("times in a row that the reader was behind").isEqualTo(20);
    }
  }

  private static boolean isBusy(Channel sender, String target) {
    return sender.send(target, BULK).toCompletableFuture().join()
            instanceof Delivery.Refused refused
        && refused.refusal().code() == Refusal.Code.TARGET_BUSY;
  }

  private WireChannel openStalled() {
    WireConnection connection = WireConnection.open(server.base(), 4_096);
    return client.openChannel(connection);
  }

  private Broker broker() {
    return (Broker)
        server.context().getServletContext().getAttribute(BrokerServlet.BROKER_ATTRIBUTE);
  }

  private int threadsAtWork() {
    QueuedThreadPool pool = (QueuedThreadPool) server.server().getThreadPool();
    return pool.getUtilizedThreads();
  }
}
