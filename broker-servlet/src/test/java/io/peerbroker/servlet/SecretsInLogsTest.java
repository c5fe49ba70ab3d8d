package io.peerbroker.servlet;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.peerbroker.core.Broker;
import io.peerbroker.core.BrokerListener;
import io.peerbroker.core.Channel;
import io.peerbroker.core.CloseReason;
import io.peerbroker.core.Delivery;
import io.peerbroker.core.Json;
import io.peerbroker.core.Limits;
import io.peerbroker.core.ListedSession;
import io.peerbroker.core.Refusal;
import io.peerbroker.core.Router;
import io.peerbroker.core.TagFilter;
import io.peerbroker.core.Watcher;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.SseStream;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireConnection;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.servlet.ServletHolder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * For any request and any log level: no key, no event id and no content of clients' messages, tags
 * or metadata gets into the log.
 *
 * <p>Every logger of this JVM is at its finest. The container's are not among them, since Jetty's
 * go to slf4j, which has no output here: the operator decides what a container logs of a request.
 */
final class SecretsInLogsTest {

  private static final String WRONG_KEY = "canary-of-a-wrong-key";
  private static final String MESSAGE = "canary-of-a-message";
  private static final String METADATA = "canary-of-metadata";
  private static final String TAG = "canary-of-a-tag";
  private static final String HEADER = "canary-of-a-header";
  private static final String EVENT_ID = "canary-of-an-event-id";
  private static final String QUOTED = "\"" + MESSAGE + "\"";

  /** Everything that is logged, as a handler to a file would write it. */
  private static final class Log extends Handler {

    final Queue<String> lines = new ConcurrentLinkedQueue<>();

    @Override
    public void publish(LogRecord logged) {
      StringWriter line = new StringWriter();
      line.append(logged.getLoggerName()).append(' ');
      line.append(new SimpleFormatter().format(logged));
      line.append(Arrays.toString(logged.getParameters()));
      if (logged.getThrown() != null) {
        logged.getThrown().printStackTrace(new PrintWriter(line, true));
      }
      lines.add(line.toString());
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  private final Log log = new Log();
  private final Logger root = Logger.getLogger("");
  private final Level levelBefore = root.getLevel();
  private final Handler[] handlersBefore = root.getHandlers();
  private final List<String> secrets =
      new ArrayList<>(List.of(WRONG_KEY, MESSAGE, METADATA, TAG, HEADER, EVENT_ID));

  private final Queue<CompletableFuture<Delivery>> routedLate = new ConcurrentLinkedQueue<>();
  private final Broker broker =
      Broker.builder()
          .messageRate(Limits.Rate.UNLIMITED)
          .maxQueuedBytes(100_000)
          .leaseBounds(Duration.ofSeconds(1), Duration.ofSeconds(60))
          .router(this::router)
          .listener(
              new BrokerListener() {
                @Override
                public void channelOpened(Channel channel) {
                  throw new IllegalStateException("The listener failed");
                }
              })
          .build();
  private JettyServer server;
  private WireClient client;

  private Router router(Router own) {
    return message ->
        switch (message.target()) {
          case "fails" -> throw new IllegalStateException("The router failed");
          case "fails-later" ->
              CompletableFuture.failedStage(new IllegalStateException("The router failed later"));
          case "late" -> late();
          default -> own.route(message);
        };
  }

  private CompletionStage<Delivery> late() {
    CompletableFuture<Delivery> delivery = new CompletableFuture<>();
    routedLate.add(delivery);
    return delivery;
  }

  @BeforeEach
  void start() throws Exception {
    for (Handler handler : handlersBefore) {
      root.removeHandler(handler);
    }
    root.addHandler(log);
    root.setLevel(Level.ALL);
    HttpSettings settings =
        HttpSettings.defaults()
            .withHeartbeat(Duration.ofMillis(200))
            .withWriteTimeout(Duration.ofSeconds(2))
            .withBodyTimeout(Duration.ofSeconds(1));
    server =
        JettyServer.start(
            new ServletHolder(new BrokerServlet(broker, settings)), ServerSettings.DEFAULTS);
    // Otherwise the system would buffer megabytes for a stalled reader before that showed.
    ((ServerConnector) server.server().getConnectors()[0]).setAcceptedSendBufferSize(4_096);
    client = new WireClient(server.base());
  }

  @AfterEach
  void stop() {
    client.close();
    server.close();
    root.setLevel(levelBefore);
    root.removeHandler(log);
    for (Handler handler : handlersBefore) {
      root.addHandler(handler);
    }
  }

  @Test
  void noneIsEverLogged() throws Exception {
    WireChannel channel = opened(client.openChannelAt("/channel?resume=60&lease=60"));
    WireChannel other = opened(client.openChannel("Authorization: Bearer " + HEADER));
    sessions(channel, other);
    messages(channel, other);
    nonsense(channel);
    comingBack(channel);
    silence();
    stalledReader(other);
    clientThatDoesNotWait(channel);
    inThisJvm();
    shutdown(channel);

    String logged = String.join("\n", log.lines);
    assertThat(logged)
        .contains("The listener failed")
        .contains("The router failed later")
        .contains("The receiver failed")
        .contains("The watcher failed")
        .contains("did not wait for its answer")
        // No act of a client alone is a fault.
        .doesNotContain("A request failed")
        .doesNotContain("source failed");
    for (String secret : secrets) {
      assertThat(logged).doesNotContain(secret);
    }
  }

  private WireChannel opened(WireChannel channel) {
    secrets.add(channel.key());
    String id = channel.stream().lastEventId();
    if (!id.isEmpty()) {
      secrets.add(secretOf(id));
    }
    return channel;
  }

  /** The part of an event's id that only its reader knows. */
  private static String secretOf(String eventId) {
    return eventId.split("\\.", -1)[1];
  }

  private void sessions(WireChannel channel, WireChannel other) {
    String sid =
        channel.createSession(
            "\"list\":true,\"tags\":[\"" + TAG + "\"],\"metadata\":\"" + METADATA + "\"");
    SseStream list = client.watch("?filter=" + TAG);
    list.await("ready");
    assertThat(client.get("/list?filter=" + TAG + "&limit=1").status()).isEqualTo(200);
    assertThat(channel.update(sid, "\"metadata\":[\"" + METADATA + "\"]").status()).isEqualTo(200);
    assertThat(other.update(sid, "\"metadata\":\"" + METADATA + "\"").status()).isEqualTo(403);
    assertThat(channel.postSession("\"tags\":[\"!" + TAG + "\"]").status()).isEqualTo(400);
    assertThat(channel.update(sid, "\"" + METADATA + "\":1").status()).isEqualTo(400);
    assertThat(client.get("/list?filter=" + TAG + ",,").status()).isEqualTo(400);
    assertThat(channel.closeSession(sid).status()).isEqualTo(200);
    list.await("remove");
    list.reset();
  }

  private void messages(WireChannel channel, WireChannel other) {
    assertThat(other.send(channel.cid(), QUOTED).status()).isEqualTo(200);
    channel.awaitMessage();
    assertThat(other.send("nobody", QUOTED).status()).isEqualTo(404);
    assertThat(other.send("fails", QUOTED).status()).isEqualTo(500);
    assertThat(other.send("fails-later", QUOTED).status()).isEqualTo(500);
    for (int i = 0; i < 3; i++) {
      String body =
          "{\"origin\":\""
              + other.cid()
              + "\",\"key\":\""
              + WRONG_KEY
              + "\",\"message\":"
              + QUOTED
              + "}";
      assertThat(client.postJson("/send/" + channel.cid(), body).status()).isEqualTo(403);
    }
    assertThat(broker.stats().callsRefused()).containsEntry(Refusal.Code.WRONG_KEY, 4L);
  }

  /** Sends requests to the wrong place, in the wrong form, or not to their end. */
  private void nonsense(WireChannel channel) throws Exception {
    String whole = channel.sendBody(QUOTED);
    String path = "/send/" + channel.cid();
    assertRefused(client.postJson(path, whole.substring(0, whole.length() - 1)).status());
    assertRefused(client.postJson(path, "\ufeff" + whole).status());
    assertRefused(client.postJson(path, "[" + whole + "]").status());
    assertRefused(client.postJson(path, whole.replace("\"key\"", "\"key\":1,\"key\"")).status());
    assertRefused(client.postJson(path, "{\"" + channel.key() + "\":1}").status());
    assertRefused(
        client.postJson(path, whole.replace(QUOTED, "\"" + "x".repeat(70_000) + QUOTED)).status());
    assertRefused(
        client.post(path, whole.getBytes(UTF_8), "Content-Type: text/" + HEADER).status());
    assertRefused(client.postJson("/send/" + channel.key(), whole).status());
    assertRefused(client.postJson("/" + channel.key(), whole).status());
    assertRefused(client.get("/channel?resume=" + channel.key()).status());
    assertRefused(client.get("/list?after=" + channel.key()).status());
    assertRefused(client.get("/channel?lastEventId=%" + EVENT_ID).status());
    assertRefused(client.request("PUT", path, "X-Key: " + HEADER).status());
    String head =
        client.head("POST", path, "Content-Type: application/json", "Content-Length: 9999");
    try (WireConnection slow = client.connect()) {
      assertRefused(slow.write(head + whole).readResponse().status());
    }
    WireConnection broken = client.connect().write(head + whole);
    broken.reset();
    String chunked =
        client.head("POST", path, "Content-Type: application/json", "Transfer-Encoding: chunked");
    try (WireConnection malformed = client.connect()) {
      assertRefused(malformed.write(chunked + "zz" + QUOTED).readResponse().status());
    }
  }

  private static void assertRefused(int status) {
    assertThat(status).isBetween(400, 499);
  }

  private void comingBack(WireChannel channel) {
    String id = channel.stream().lastEventId();
    channel.stream().reset();
    SseStream byHeader = channel.comeBack(id);
    assertThat(channel.pingSeen(id).status()).isEqualTo(200);
    SseStream byQuery = client.openStream("/channel?lastEventId=" + id);
    assertThat(byHeader.await("close").data()).contains("superseded");
    assertThat(channel.send(channel.cid(), QUOTED).status()).isEqualTo(200);
    byQuery.await("message");
    byQuery.reset();
    for (String wrong : List.of(EVENT_ID, id.replace(secretOf(id), EVENT_ID), id + "0")) {
      SseStream fresh = client.openStream("/channel", "Last-Event-ID: " + wrong);
      secrets.add(WireChannel.data(fresh.await("channel")).get("key").getAsString());
      fresh.close();
    }
  }

  /**
   * A client with a lease that falls silent, and whose grace then runs out with something queued.
   */
  private void silence() {
    WireChannel silent = opened(client.openChannelAt("/channel?resume=1&lease=1"));
    silent.stream().awaitEnd();
    assertThat(silent.send(silent.cid(), QUOTED).member("delivery")).isEqualTo("queued");
    await()
        .atMost(WireConnection.BOUND)
        .until(() -> broker.stats().channelsClosed().get(CloseReason.EXPIRED) == 1);
    // Its leftovers are counted after it has closed.
    await().atMost(WireConnection.BOUND).until(() -> broker.stats().messagesUndelivered() == 1);
  }

  private void stalledReader(WireChannel sender) {
    WireChannel stalled = opened(client.openChannel(WireConnection.open(server.base(), 4_096)));
    String bulk = "\"" + MESSAGE + "x".repeat(30_000) + "\"";
    await()
        .atMost(WireConnection.BOUND)
        .until(() -> sender.send(stalled.cid(), bulk).status() == 429);
    await()
        .atMost(WireConnection.BOUND)
        .until(() -> broker.stats().channelsClosed().get(CloseReason.STALLED) == 1);
  }

  private void clientThatDoesNotWait(WireChannel channel) {
    for (int i = 0; i < 2; i++) {
      int before = routedLate.size();
      WireConnection gone =
          client.connect().write(client.postRequest("/send/late", channel.sendBody(QUOTED)));
      await().atMost(WireConnection.BOUND).until(() -> routedLate.size() > before);
      gone.reset();
    }
    await()
        .atMost(WireConnection.BOUND)
        .until(
            () -> {
              routedLate.forEach(delivery -> delivery.complete(new Delivery.Sent()));
              return log.lines.stream().anyMatch(line -> line.contains("did not wait"));
            });
  }

  private void inThisJvm() {
    Channel party =
        broker.openChannel(
            (to, message) -> {
              throw new IllegalStateException("The receiver failed at " + message);
            },
            Runnable::run);
    secrets.add(party.key());
    party.sendOrThrow(party.id(), Json.of(MESSAGE));
    Watcher failing =
        new Watcher() {
          @Override
          public void added(ListedSession session) {}

          @Override
          public void removed(String sid) {}

          @Override
          public void ready(int count) {
            throw new IllegalStateException("The watcher failed");
          }
        };
    broker.watch(TagFilter.all(), failing, Runnable::run);
  }

  private void shutdown(WireChannel channel) {
    broker.close();
    assertThat(channel.send(channel.cid(), QUOTED).status()).isEqualTo(503);
    assertThat(client.get("/channel", "Last-Event-ID: " + EVENT_ID).status()).isEqualTo(503);
  }
}
