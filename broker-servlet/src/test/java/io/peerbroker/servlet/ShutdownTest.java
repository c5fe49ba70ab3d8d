package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Json;
import io.peerbroker.tck.EventStreamParser.Event;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.SseStream;
import io.peerbroker.tck.SseStream.End;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireConnection;
import io.peerbroker.test.FakeTimer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.servlet.ServletHolder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** How streams end when the broker or its servlet does; nothing of them is left. */
final class ShutdownTest {

  private final FakeTimer timer = new FakeTimer();
  private final Broker broker =
      Broker.builder().timer(timer).drainTimeout(Duration.ofSeconds(20)).build();
  private final BrokerHttp http = new BrokerHttp(broker, HttpSettings.defaults());

  private JettyServer server;
  private WireClient client;

  @BeforeEach
  void start() throws Exception {
    server = JettyServer.start(new ServletHolder(new OwnServlet(http)), ServerSettings.DEFAULTS);
    ((ServerConnector) server.server().getConnectors()[0]).setAcceptedSendBufferSize(4_096);
    client = new WireClient(server.base());
  }

  @AfterEach
  void stop() {
    client.close();
    broker.close();
    server.close();
    assertThat(http.streams).isEmpty();
    assertThat(timer.scheduled()).isZero();
  }

  @Test
  void everyStreamIsToldAndEnds() {
    List<SseStream> streams = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      streams.add(client.openChannel().stream());
      streams.add(client.watch(""));
    }
    broker.close();
    for (SseStream stream : streams) {
      assertThat(stream.awaitEnd()).isEqualTo(End.COMPLETE);
      assertLastWords(stream);
    }
    await()
        .atMost(WireConnection.BOUND)
        .until(() -> http.streams.isEmpty() && timer.scheduled() == 0);
    assertThat(client.get("/channel").member("code")).isEqualTo("shutting_down");
  }

  @Test
  void whatIsQueuedComesFirst() throws Exception {
    WireChannel slow = client.openChannel(WireConnection.open(server.base(), 4_096));
    try (Channel sender = broker.openChannel((channel, message) -> {})) {
      for (int i = 0; i < 20; i++) {
        sender.sendOrThrow(slow.cid(), Json.of(i + "x".repeat(30_000)));
      }
    }
    CompletableFuture<Void> closed = CompletableFuture.runAsync(broker::close);
    await().atMost(WireConnection.BOUND).until(() -> client.get("/list").status() == 503);
    for (int i = 0; i < 20; i++) {
      assertThat(slow.awaitMessage().get("message").getAsString()).startsWith(i + "x");
    }
    assertThat(slow.stream().awaitEnd()).isEqualTo(End.COMPLETE);
    assertLastWords(slow.stream());
    closed.get(20, TimeUnit.SECONDS);
  }

  @Test
  @DisplayName("A reader that does not read is cut at the deadline, and ended with the servlet.")
  void aStalledReaderIsCutAtTheDeadline() throws Exception {
    WireChannel stalled = client.openChannel(WireConnection.open(server.base(), 4_096));
    try (Channel sender = broker.openChannel((channel, message) -> {})) {
      for (int i = 0; i < 30; i++) {
        sender.sendOrThrow(stalled.cid(), Json.of("x".repeat(30_000)));
      }
    }
    CompletableFuture<Void> closed = CompletableFuture.runAsync(broker::close);
    await().atMost(WireConnection.BOUND).until(() -> client.get("/list").status() == 503);
    timer.advance(Duration.ofSeconds(19));
    assertThat(closed).isNotDone();
    timer.advance(Duration.ofSeconds(1));
    closed.get(20, TimeUnit.SECONDS);
    assertThat(http.streams).as("not completed while its reader stalls").hasSize(1);
    timer.advance(Duration.ofSeconds(75));
    assertThat(http.streams).as("after the last resort").isEmpty();
  }

  @Test
  void aStreamThatIsGivenUpAndReadsOnIsEndedAtOnce() {
    WireChannel stalled = client.openChannel(WireConnection.open(server.base(), 4_096));
    try (Channel sender = broker.openChannel((channel, message) -> {})) {
      for (int i = 0; i < 30; i++) {
        sender.sendOrThrow(stalled.cid(), Json.of("x".repeat(30_000)));
      }
    }
    timer.advance(Duration.ofSeconds(30));
    assertThat(http.streams).hasSize(1);
    assertThat(timer.scheduled()).as("the last resort").isEqualTo(1);
    stalled.stream().awaitEnd();
    await()
        .atMost(WireConnection.BOUND)
        .until(() -> http.streams.isEmpty() && timer.scheduled() == 0);
  }

  @Test
  void theServletsEndCutsWhatIsLeft() {
    SseStream channel = client.openChannel().stream();
    SseStream list = client.watch("");
    list.await("ready");
    http.close();
    http.close();
    assertThat(channel.awaitEnd()).isEqualTo(End.COMPLETE);
    assertThat(list.awaitEnd()).isEqualTo(End.COMPLETE);
    assertThat(http.streams).isEmpty();
    assertThat(timer.scheduled()).isZero();
  }

  @Test
  void aClientThatGoesLeavesNothing() {
    for (int i = 0; i < 5; i++) {
      client.openChannel().stream().reset();
      client.watch("").reset();
    }
    await()
        .atMost(WireConnection.BOUND)
        .until(
            () -> {
              timer.advance(Duration.ofSeconds(15));
              return http.streams.isEmpty() && timer.scheduled() == 0;
            });
  }

  private static void assertLastWords(SseStream stream) {
    assertThat(stream.retries()).as("at the beginning and at the end").hasSize(2);
    Event last = stream.events().get(stream.events().size() - 1);
    assertThat(last.name()).isEqualTo("close");
    assertThat(last.data()).isEqualTo("{\"reason\":\"shutting_down\"}");
  }
}
