package io.peerbroker.it.http2;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Delivery;
import io.peerbroker.core.Json;
import io.peerbroker.core.Limits;
import io.peerbroker.core.Refusal;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.tck.ServerRules;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.SseStream;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * Streams over HTTP/2, where many share a connection, each has a window, and one can end alone. The
 * server speaks HTTP/1.1 on the same port.
 */
@Execution(ExecutionMode.CONCURRENT)
public abstract class Http2Rules extends ServerRules {

  private static final int THREADS = 16;
  private static final int DEAF = 20;
  private static final int ROOMY = 1 << 20;
  private static final int TIGHT = 8 << 10;

  private final List<Http2Client> connections = new ArrayList<>();

  /** For subclasses. */
  protected Http2Rules() {}

  /** A channel of which the stream goes over HTTP/2. */
  private record Opened(Http2Stream stream, String cid, String key) {

    static Opened on(Http2Client connection) {
      Http2Stream stream = connection.openStream("/channel");
      assertThat(stream.status()).isEqualTo(200);
      JsonObject opened = stream.next("channel");
      return new Opened(stream, opened.get("cid").getAsString(), opened.get("key").getAsString());
    }

    int nextMessage() {
      return stream.next("message").get("message").getAsInt();
    }
  }

  private Http2Client connect(int window) {
    Http2Client connection = new Http2Client(server().base(), window);
    connections.add(connection);
    return connection;
  }

  @AfterEach
  final void disconnect() {
    connections.forEach(Http2Client::close);
  }

  @Test
  @DisplayName("Many streams and requests share a connection.")
  void manyStreamsShareAConnection() {
    WireChannel sender = client(ServerSettings.of("heartbeat", "300ms")).openChannel();
    Http2Client connection = connect(ROOMY);
    List<Opened> channels = IntStream.range(0, 50).mapToObj(i -> Opened.on(connection)).toList();
    for (Opened channel : channels) {
      assertSent(sender.send(channel.cid, "1"));
      String body = "{\"origin\":\"%s\",\"key\":\"%s\",\"message\":2}";
      Http2Stream post =
          connection.post("/send/" + channel.cid, body.formatted(channel.cid, channel.key));
      assertThat(post.status()).isEqualTo(200);
      assertThat(post.awaitEnd()).isEqualTo("{\"delivery\":\"sent\"}");
    }
    for (Opened channel : channels) {
      assertThat(channel.nextMessage()).isEqualTo(1);
      assertThat(channel.nextMessage()).isEqualTo(2);
      channel.stream.awaitComments(2);
    }
  }

  @Test
  @Tag("C12")
  @DisplayName("A stream that is reset is missed within a heartbeat, and its neighbours live on.")
  void aResetIsNoticed() {
    SseStream list = client(ServerSettings.of("heartbeat", "2s")).watch("");
    Http2Client connection = connect(ROOMY);
    Opened resets = Opened.on(connection);
    Opened stays = Opened.on(connection);
    listSession(resets, list);
    resets.stream.reset();
    awaitGone(list, 1, "RST_STREAM");
    assertSent(client().openChannel().send(stays.cid, "1"));
    assertThat(stays.nextMessage()).isEqualTo(1);
  }

  @Test
  @Tag("C12")
  @DisplayName("A connection that ends is missed within a heartbeat with all its streams.")
  void anEndedConnectionIsNoticed() {
    SseStream list = client(ServerSettings.of("heartbeat", "2s")).watch("");
    Http2Client connection = connect(ROOMY);
    for (int i = 0; i < 10; i++) {
      listSession(Opened.on(connection), list);
    }
    connection.disconnect();
    awaitGone(list, 10, "the end of the connection");
  }

  /**
   * Lists a session, and waits until the list shows it: a session that closes at once may never be
   * shown.
   */
  private void listSession(Opened channel, SseStream list) {
    String body = "{\"cid\":\"%s\",\"key\":\"%s\",\"list\":true}";
    WireResponse response = client().postJson("/session", body.formatted(channel.cid, channel.key));
    assertThat(response.status()).isEqualTo(201);
    list.await("add");
  }

  private static void awaitGone(SseStream list, int count, String after) {
    long begin = System.nanoTime();
    for (int i = 0; i < count; i++) {
      list.await(event -> event.name().equals("remove"), Duration.ofMillis(3_500));
    }
    long millis = Duration.ofNanos(System.nanoTime() - begin).toMillis();
    System.out.printf("GONE %d streams %d ms after %s%n", count, millis, after);
  }

  @Test
  @Tag("X7")
  @Tag("C13")
  @DisplayName("Closed windows refuse the senders, are given up, and hold no thread.")
  void closedWindowsAreGivenUp() {
    client(
        ServerSettings.of("heartbeat", "500ms")
            .and("writeTimeout", "2s")
            .and("messageRate", "0")
            .and("maxQueuedBytes", 100_000)
            .withThreads(THREADS));
    WireChannel sender = client().openChannel();
    Http2Client connection = connect(TIGHT);
    List<Opened> stalled =
        IntStream.range(0, 3 * THREADS).mapToObj(i -> Opened.on(connection)).toList();
    Opened neighbour = Opened.on(connection);
    stalled.forEach(channel -> sendUntilRefused(sender, channel.cid));
    assertPrompt(sender, neighbour);
    awaitGivenUp(sender, stalled.stream().map(Opened::cid).toList());
    assertPrompt(sender, neighbour);
    assertPrompt(sender, Opened.on(connect(ROOMY)));
  }

  @Test
  @Tag("C13")
  @DisplayName("Streams with a window of 0 hold no thread, and are given up.")
  void windowsOfZeroHoldNoThread() {
    int streams = 3 * THREADS;
    client(
        ServerSettings.of("heartbeat", "500ms")
            .and("writeTimeout", "2s")
            .and("maxChannels", streams + 2)
            .withThreads(THREADS));
    WireChannel sender = client().openChannel();
    Http2Client connection = connect(0);
    for (int i = 0; i < streams; i++) {
      connection.openStream("/channel");
    }
    Opened neighbour = Opened.on(connect(ROOMY));
    assertPrompt(sender, neighbour);
    awaitAdmitted("/channel");
    assertPrompt(sender, neighbour);
  }

  @Test
  @DisplayName("Unread connections with open windows silence no other client's heartbeat.")
  void unreadConnectionsSilenceNobody() throws Exception {
    assertSilencesNobody(DEAF, 1);
  }

  @Test
  @DisplayName(
      "Three unread connections with 100 streams each silence no other client's heartbeat.")
  void unreadConnectionsOfManyStreamsSilenceNobody() throws Exception {
    assertSilencesNobody(3, 100);
  }

  private void assertSilencesNobody(int connections, int streams) throws Exception {
    besideDeafConnections(
        connections,
        streams,
        "/channel",
        (deaf, bystander) -> {
          bystander.awaitComments(2);
          for (int i = 0; i < 50 || deaf.areSentTo(); i++) {
            deaf.measure(() -> bystander.awaitComments(bystander.comments().size() + 1));
          }
        });
  }

  @Test
  @DisplayName(
      "Unread connections with list streams delay neither other streams nor the thread "
          + "that makes a change.")
  void unreadConnectionsDelayNoList() throws Exception {
    besideDeafConnections(
        10,
        10,
        "/list",
        (deaf, bystander) -> {
          while (deaf.areSentTo()) {
            deaf.measure(
                () -> {
                  String sid = deaf.sender.openSession(SessionSpec.listed("new")).id();
                  bystander.await(event -> event.data().contains(sid), Duration.ofSeconds(20));
                });
          }
        });
  }

  /** What runs beside connections that are not read. */
  private interface Beside {
    void go(Deaf deaf, SseStream bystander);
  }

  /** Connections that are not read while the broker sends to them. */
  private static final class Deaf {
    final Channel sender;
    private final List<Future<?>> sending = new ArrayList<>();
    private Duration longest = Duration.ZERO;

    Deaf(Channel sender) {
      this.sender = sender;
    }

    boolean areSentTo() {
      return sending.stream().anyMatch(each -> !each.isDone());
    }

    void measure(Runnable what) {
      long begin = System.nanoTime();
      what.run();
      Duration time = Duration.ofNanos(System.nanoTime() - begin);
      longest = time.compareTo(longest) > 0 ? time : longest;
    }
  }

  /**
   * Measures how long others wait while the broker sends to unread connections until it gives them
   * up.
   */
  private void besideDeafConnections(int connections, int streams, String path, Beside beside)
      throws Exception {
    Broker broker = Broker.builder().messageRate(Limits.Rate.UNLIMITED).build();
    List<DeafConnection> open = new ArrayList<>();
    ExecutorService senders = Executors.newCachedThreadPool();
    try (broker) {
      SseStream bystander =
          client(
                  ServerSettings.of("heartbeat", "200ms")
                      .and("writeTimeout", "2s")
                      .withThreads(THREADS)
                      .serving(broker))
              .watch("");
      Deaf deaf = new Deaf(broker.openChannel((channel, message) -> {}));
      for (int i = 0; i < connections; i++) {
        open.add(new DeafConnection(server().base(), streams, path));
      }
      // The threads stand for those of others' requests: Tomcat keeps some of them inside a write.
      for (DeafConnection each : open) {
        deaf.sending.add(senders.submit(() -> sendUntilGone(deaf.sender, each.cid())));
      }
      beside.go(deaf, bystander);
      System.out.printf("LONGEST beside deaf connections with %s: %s%n", path, deaf.longest);
      assertThat(deaf.longest).isLessThan(Duration.ofSeconds(4));
      for (Future<?> each : deaf.sending) {
        each.get(60, TimeUnit.SECONDS);
      }
    } finally {
      open.forEach(DeafConnection::close);
      senders.shutdownNow();
    }
  }

  private static void sendUntilGone(Channel sender, String target) {
    Json large = Json.of("x".repeat(20_000));
    Delivery delivery;
    do {
      delivery = sender.send(target, large).toCompletableFuture().join();
      Thread.onSpinWait();
    } while (!(delivery instanceof Delivery.Refused refused
        && refused.refusal().code() == Refusal.Code.UNKNOWN_TARGET));
  }

  private static void assertPrompt(WireChannel sender, Opened channel) {
    for (int i = 0; i < 20; i++) {
      long begin = System.nanoTime();
      assertSent(sender.send(channel.cid, "" + i));
      assertThat(channel.nextMessage()).isEqualTo(i);
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(1));
    }
  }

  @Test
  @DisplayName("Short answers for which there is no window hold no thread, and delay no heartbeat.")
  void noWindowForAShortAnswer() {
    client(
        ServerSettings.of("heartbeat", "300ms").and("bodyTimeout", "500ms").withThreads(THREADS));
    WireChannel bystander = client().openChannel();
    String ping = "{\"key\":\"" + bystander.key() + "\"}";
    Http2Client shut = connect(0);
    for (int i = 0; i < 2 * THREADS; i++) {
      shut.post("/channel/" + bystander.cid() + "/ping", ping);
      shut.postWithoutItsBody("/session");
      shut.postWithoutItsBody("/nowhere");
    }
    for (int i = 0; i < 5; i++) {
      bystander.stream().awaitComments(bystander.stream().comments().size() + 4);
      assertThat(client().get("/list").status()).isEqualTo(200);
      WireChannel fresh = client().openChannel();
      assertSent(fresh.send(fresh.cid(), "1"));
    }
  }

  @Test
  @Tag("C8")
  @DisplayName("A window that keeps closing and opening loses, doubles and reorders nothing.")
  void aTurningWindowKeepsTheOrder() {
    client(ServerSettings.of("messageRate", "0"));
    WireChannel sender = client().openChannel();
    Opened channel = Opened.on(connect(TIGHT));
    String padding = " ".repeat(3_000);
    int read = 0;
    for (int i = 0; i < 1_000; i++) {
      assertSent(sender.send(channel.cid, padding + i));
      // Behind by up to 100: the window is closed most of the time.
      if (i - read == 100) {
        for (; read <= i - 1; read++) {
          assertThat(channel.nextMessage()).isEqualTo(read);
        }
      }
    }
    for (; read < 1_000; read++) {
      assertThat(channel.nextMessage()).isEqualTo(read);
    }
  }

  @Test
  @DisplayName("Fresh streams stay whole while others are reset during the broker's writes.")
  void freshStreamsAfterDeadOnes() {
    client(ServerSettings.of("messageRate", "0").withThreads(THREADS));
    WireChannel sender = client().openChannel();
    String message = "\"" + "x".repeat(20_000) + "\"";
    List<Opened> fresh = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      Http2Client connection = connect(ROOMY);
      List<Opened> doomed = IntStream.range(0, 20).mapToObj(j -> Opened.on(connection)).toList();
      for (Opened channel : doomed) {
        assertSent(sender.send(channel.cid, message));
        channel.stream.reset();
        assertThat(sender.send(channel.cid, message).status()).isIn(200, 404);
        fresh.add(Opened.on(connections.get(Math.max(0, i - doomed.indexOf(channel) % 2))));
      }
    }
    for (Opened channel : fresh) {
      assertSent(sender.send(channel.cid, "1"));
      assertThat(channel.nextMessage()).isEqualTo(1);
    }
  }

  @Test
  @Tag("C18")
  @DisplayName("The broker's shutdown notifies every stream.")
  void shutdownTellsEveryStream() {
    client();
    Http2Client connection = connect(ROOMY);
    List<Opened> channels = IntStream.range(0, 20).mapToObj(i -> Opened.on(connection)).toList();
    Http2Stream list = connection.openStream("/list");
    list.next("ready");
    server().shutDownBroker();
    List<Http2Stream> streams = new ArrayList<>(channels.stream().map(Opened::stream).toList());
    streams.add(list);
    for (Http2Stream stream : streams) {
      assertThat(stream.next("close").get("reason").getAsString()).isEqualTo("shutting_down");
      stream.awaitEnd();
      assertThat(stream.retries()).as("at the beginning and at the end").isEqualTo(2);
    }
  }
}
