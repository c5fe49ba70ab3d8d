package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireConnection;
import io.peerbroker.tck.WireResponse;
import java.util.ArrayList;
import java.util.List;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Bodies that come slowly, or never whole: they hold no thread, and the wait for them is bounded.
 */
final class SlowBodyTest {

  private JettyServer server;
  private WireClient client;
  private WireChannel channel;

  private void start(String bodyTimeout) throws Exception {
    server = JettyServer.start(ServerSettings.of("bodyTimeout", bodyTimeout));
    client = new WireClient(server.base());
    channel = client.openChannel();
  }

  @AfterEach
  void stop() {
    client.close();
    server.close();
  }

  @Test
  void manyHoldNoThread() throws Exception {
    start("60m");
    int idle = threadsAtWork();
    List<WireConnection> slow = new ArrayList<>();
    String request = client.postRequest("/send/" + channel.cid(), channel.sendBody("\"slow\""));
    int split = request.length() - 30;
    for (int i = 0; i < 100; i++) {
      slow.add(client.connect().write(request.substring(0, split)));
    }
    for (int at = split; at < split + 10; at++) {
      for (WireConnection each : slow) {
        each.write(request.substring(at, at + 1));
      }
    }
    await().atMost(WireConnection.BOUND).until(() -> threadsAtWork() <= idle);
    assertThat(channel.send(channel.cid(), "\"quick\"").status()).isEqualTo(200);
    assertThat(channel.awaitMessage().get("message").getAsString()).isEqualTo("quick");
    for (WireConnection each : slow) {
      each.write(request.substring(split + 10));
    }
    for (WireConnection each : slow) {
      assertThat(each.readResponse().status()).isEqualTo(200);
      assertThat(channel.awaitMessage().get("message").getAsString()).isEqualTo("slow");
      each.close();
    }
  }

  @Test
  void whoIsTooSlowIsRefusedAndNothingHasHappened() throws Exception {
    start("300ms");
    String request = client.postRequest("/send/" + channel.cid(), channel.sendBody("\"late\""));
    String chunked =
        client.head(
            "POST",
            "/send/" + channel.cid(),
            "Content-Type: application/json",
            "Transfer-Encoding: chunked");
    for (String part : List.of(request.substring(0, request.length() - 1), chunked + "1\r\n{")) {
      try (WireConnection connection = client.connect()) {
        WireResponse response = connection.write(part).readResponse();
        assertThat(response.status()).isEqualTo(408);
        assertThat(response.mediaType()).isEqualTo("application/problem+json");
        assertThat(response.member("code")).isEqualTo("request_timeout");
        connection.awaitEnd();
      }
    }
    assertThat(channel.send(channel.cid(), "\"next\"").status()).isEqualTo(200);
    assertThat(channel.awaitMessage().get("message").getAsString()).isEqualTo("next");
  }

  @Test
  void aBodyInTwoPiecesIsTaken() throws Exception {
    start("60m");
    try (WireConnection connection = client.connect()) {
      for (int i = 0; i < 5; i++) {
        String request = client.postRequest("/send/" + channel.cid(), channel.sendBody("" + i));
        int half = request.length() - 10 * (i + 1);
        connection.write(request.substring(0, half));
        // An answer to another request: until here the server has had time to see the first piece.
        assertThat(client.get("/list").status()).isEqualTo(200);
        connection.write(request.substring(half));
        assertThat(connection.readResponse().status()).isEqualTo(200);
        assertThat(channel.awaitMessage().get("message").getAsInt()).isEqualTo(i);
      }
    }
  }

  private int threadsAtWork() {
    QueuedThreadPool pool = (QueuedThreadPool) server.server().getThreadPool();
    return pool.getUtilizedThreads();
  }
}
