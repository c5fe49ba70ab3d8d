package io.peerbroker.tck;

import static com.google.gson.JsonParser.parseString;
import static io.peerbroker.tck.WireChannel.data;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.tck.EventStreamParser.Event;
import io.peerbroker.tck.ServerSettings.Front;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The broker among its surroundings in a container: filters, and the order in which things stop.
 */
public abstract class ContainerRules extends ServerRules {

  private static final String STREAM = "Accept: text/event-stream";

  /** For subclasses. */
  protected ContainerRules() {}

  @Override
  protected abstract ContainerServer start(ServerSettings settings) throws Exception;

  @Test
  @DisplayName("A client that has ended its side of the connection still gets its stream.")
  void aHalfCloseIsNoEnd() {
    WireChannel channel = client(ServerSettings.of("heartbeat", "200ms")).openChannel();
    channel.stream().connection().finish();
    channel.stream().awaitComments(channel.stream().comments().size() + 4);
    assertSent(channel.send(channel.cid(), "1"));
    assertThat(channel.awaitMessage().get("message").getAsInt()).isEqualTo(1);
  }

  @Test
  @DisplayName("With a filter that lacks asynchronous support, the answer names the cure.")
  void aFilterWithoutAsyncIsToldTheCure() {
    client(ServerSettings.DEFAULTS.behind(Front.NO_ASYNC));
    assertRefused(client().get("/channel", STREAM), 500, "internal", "asyncSupported=true");
    assertRefused(client().get("/list", STREAM), 500, "internal", "asyncSupported=true");
    assertRefused(client().postJson("/session", "{}"), 500, "internal", "asyncSupported=true");
    assertThat(client().request("HEAD", "/channel", STREAM).status()).isEqualTo(500);
    assertThat(client().request("OPTIONS", "/channel").status()).isEqualTo(204);
  }

  @Test
  @DisplayName("A filter that wraps the response holds nothing back and loses nothing.")
  void aWrappingFilterHoldsNothingBack() {
    client(ServerSettings.of("heartbeat", "60m").behind(Front.WRAPPING));
    WireChannel channel = client().openChannel("Accept-Encoding: gzip");
    String sid = channel.listSession("");
    assertSent(channel.send(sid, "1"));
    assertThat(channel.awaitMessage().get("message").getAsInt()).isEqualTo(1);
    client().watch("").await("ready");
    assertThat(listed("")).containsExactly(sid);
    try (WireConnection connection = client().connect()) {
      String request = client().postRequest("/send/" + sid, channel.sendBody("2"));
      connection.write(request.substring(0, request.length() - 5));
      assertThat(client().get("/list").status()).isEqualTo(200);
      connection.write(request.substring(request.length() - 5));
      assertSent(connection.readResponse());
    }
    assertThat(channel.awaitMessage().get("message").getAsInt()).isEqualTo(2);
  }

  @Test
  @Tag("H15")
  @DisplayName(
      "A filter that sets another encoding changes nothing: every answer is UTF-8 and declares it.")
  void aFiltersEncodingChangesNothing() {
    client(ServerSettings.DEFAULTS.behind(Front.ENCODING));
    WireConnection connection = client().connect();
    connection.write(client().head("GET", "/channel", STREAM));
    assertUtf8(connection.readHead(), "text/event-stream");
    connection.close();
    WireChannel channel = client().openChannel();
    channel.createSession("\"list\":true,\"metadata\":\"\u20ac\"");
    assertUtf8(client().get("/list"), "application/json");
    assertThat(client().get("/list").body()).contains("\u20ac");
    assertUtf8(client().request("HEAD", "/list"), "application/json");
    assertUtf8(client().get("/list?%E2%82%AC"), "application/problem+json");
    assertThat(client().get("/list?%E2%82%AC").body()).contains("\u20ac");
    assertSent(channel.send(channel.cid(), "\"\u20ac\""));
    assertThat(channel.awaitMessage().get("message").getAsString()).isEqualTo("\u20ac");
  }

  private static void assertUtf8(WireResponse response, String type) {
    assertThat(response.headerList("Content-Type"))
        .hasSize(1)
        .first()
        .asString()
        .isEqualToIgnoringCase(type + ";charset=utf-8");
  }

  @Test
  @DisplayName("A copy of the body that a filter hands on is read.")
  void aCopiedBodyIsRead() {
    assertBodiesAreRead(Front.BODY_COPIED);
  }

  @Test
  @DisplayName("A body that a filter has read as text and replaced is read.")
  void aRewrittenBodyIsRead() {
    assertBodiesAreRead(Front.BODY_REWRITTEN);
  }

  @Test
  @DisplayName("A filter's stream without listener support is still read as it comes.")
  void aBodyWithoutListenerIsRead() {
    assertBodiesAreRead(Front.BODY_COUNTED);
  }

  private void assertBodiesAreRead(Front front) {
    client(ServerSettings.DEFAULTS.behind(front));
    WireChannel channel = client().openChannel();
    String path = "/send/" + channel.cid();
    String body = channel.sendBody("1");
    assertSent(channel.send(channel.cid(), "1"));
    assertRefused(client().postJson(path, "{"), 400, "malformed_json");
    assertRefused(client().postJson("/nowhere", body), 404, "unknown_path");
    assertRefused(client().postJson(path, new byte[70_000]), 413, "too_large");
    try (WireConnection connection = client().connect()) {
      String request = client().postRequest(path, body);
      connection.write(request.substring(0, request.length() - 5));
      assertThat(client().get("/list").status()).isEqualTo(200);
      assertSent(connection.write(request.substring(request.length() - 5)).readResponse());
      connection.write(
          client()
              .head("POST", path, "Content-Type: application/json", "Transfer-Encoding: chunked"));
      assertThat(client().get("/list").status()).isEqualTo(200);
      connection.write("5\r\n" + body.substring(0, 5) + "\r\n");
      assertThat(client().get("/list").status()).isEqualTo(200);
      String rest = body.substring(5);
      connection.write(Integer.toHexString(rest.length()) + "\r\n" + rest + "\r\n0\r\n\r\n");
      assertSent(connection.readResponse());
    }
  }

  @Test
  @Tag("C18")
  @DisplayName("The broker's shutdown notifies every stream within its bound, though some stall.")
  void shutdownTellsEveryStream() {
    client(
        ServerSettings.of("drainTimeout", "2s")
            .and("messageRate", "0")
            .and("maxQueuedBytes", 100_000));
    List<SseStream> streams = streams(40);
    WireChannel sender = client().openChannel();
    for (int i = 0; i < 3; i++) {
      assertRefused(sendUntilRefused(sender, openStalled().cid()), 429, "target_busy");
    }
    assertSent(sender.send(sender.cid(), "1"));
    long begin = System.nanoTime();
    server().shutDownBroker();
    assertThat(since(begin)).isLessThan(Duration.ofSeconds(8));
    assertThat(sender.awaitMessage().get("message").getAsInt()).isEqualTo(1);
    streams.add(sender.stream());
    for (SseStream stream : streams) {
      Event last = stream.await("close");
      assertThat(data(last)).isEqualTo(parseString("{\"reason\":\"shutting_down\"}"));
      assertThat(stream.awaitEnd()).isEqualTo(SseStream.End.COMPLETE);
      assertThat(stream.retries()).as("at the beginning and at the end").hasSize(2);
    }
    begin = System.nanoTime();
    ((ContainerServer) server()).stopApplication();
    assertThat(since(begin)).isLessThan(Duration.ofSeconds(10));
  }

  @Test
  @Tag("C18")
  @DisplayName("The broker's shutdown gives a slow reader its queued events, and then ends.")
  void shutdownDrains() throws Exception {
    client(
        ServerSettings.of("drainTimeout", "60s")
            .and("messageRate", "0")
            .and("maxQueuedBytes", 200_000)
            .withThreads(16));
    WireChannel sender = client().openChannel();
    WireChannel slow = openStalled();
    String filler = "x".repeat(40_000);
    int taken = 0;
    while (sender.send(slow.cid(), "\"" + taken + filler + "\"").status() == 200) {
      taken++;
    }
    assertThat(taken).isBetween(5, 2_000);
    CompletableFuture<Void> closing = CompletableFuture.runAsync(server()::shutDownBroker);
    await().atMost(WireConnection.BOUND).until(() -> client().get("/list").status() == 503);
    assertThat(closing).as("while the reader has yet to read").isNotDone();
    for (int i = 0; i < taken; i++) {
      assertThat(slow.awaitMessage().get("message").getAsString()).isEqualTo(i + filler);
    }
    Event last = slow.stream().next();
    assertThat(data(last)).isEqualTo(parseString("{\"reason\":\"shutting_down\"}"));
    assertThat(slow.stream().awaitEnd()).isEqualTo(SseStream.End.COMPLETE);
    closing.get(WireConnection.BOUND.toSeconds(), TimeUnit.SECONDS);
  }

  @Test
  @DisplayName("A web application that stops notifies every stream and ends it.")
  void aStopEndsEveryStream() {
    client(ServerSettings.of("drainTimeout", "5s"));
    List<SseStream> streams = streams(20);
    long begin = System.nanoTime();
    ((ContainerServer) server()).stopApplication();
    Duration took = since(begin);
    assertThat(took).isLessThan(Duration.ofSeconds(10));
    streams.forEach(SseStream::awaitEnd);
    System.out.printf("STOPPED in %d ms%n", took.toMillis());
    assertThat(streams).allMatch(ContainerRules::wasTold);
  }

  @Test
  @DisplayName("A container that is stopped by its recipe notifies every stream.")
  void aStoppedContainerTellsEveryStream() {
    client(ServerSettings.of("drainTimeout", "5s"));
    List<SseStream> streams = streams(20);
    ((ContainerServer) server()).stopContainer();
    streams.forEach(SseStream::awaitEnd);
    assertThat(streams).allMatch(ContainerRules::wasTold);
  }

  private static boolean wasTold(SseStream stream) {
    return stream.events().stream().anyMatch(event -> event.name().equals("close"));
  }

  private static Duration since(long begin) {
    return Duration.ofNanos(System.nanoTime() - begin);
  }

  /** So many channels, and four lists. */
  private List<SseStream> streams(int channels) {
    List<SseStream> streams = new ArrayList<>();
    for (int i = 0; i < channels; i++) {
      streams.add(client().openChannel().stream());
    }
    for (int i = 0; i < 4; i++) {
      streams.add(client().watch(""));
    }
    return streams;
  }
}
