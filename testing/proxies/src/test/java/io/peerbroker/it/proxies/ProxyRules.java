package io.peerbroker.it.proxies;

import static io.peerbroker.tck.WireSocket.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonObject;
import io.peerbroker.core.Json;
import io.peerbroker.it.common.DocBlock;
import io.peerbroker.tck.EventStreamParser.Event;
import io.peerbroker.tck.SseStream;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireResponse;
import io.peerbroker.tck.WireSocket;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a broker's clients may expect through a proxy with the configuration that docs/proxies.md
 * gives.
 *
 * <p>The rest of the proxy's configuration is as bad as a distribution or an administrator may make
 * it: above all, it compresses everything.
 */
@Timeout(60)
abstract class ProxyRules {

  /** The bound of "at once". */
  static final Duration AT_ONCE = Duration.ofSeconds(1);

  static final Duration HEARTBEAT = Duration.ofMillis(1200);
  static final String COMPRESSION = "Accept-Encoding: gzip, deflate, br";

  private static final Duration BOUND = Duration.ofSeconds(20);

  @TempDir Path directory;
  Upstream upstream;
  private final List<AutoCloseable> opened = new ArrayList<>();

  /** The proxy's configuration in docs/proxies.md, which is for plain HTTP. */
  abstract DocBlock plain();

  /** A configuration that listens for plain HTTP, at this port only. */
  abstract DocBlock listening(DocBlock plain, int port);

  /** The configuration in which the lines for plain HTTP have given way to those for TLS. */
  abstract DocBlock withTls(int port, Certificate certificate);

  /** Writes all the files that the proxy needs, and returns the command that starts it. */
  abstract List<String> command(DocBlock configuration) throws IOException;

  /** How many heartbeats the broker writes at most to a client that has ended its connection. */
  abstract int heartbeatsAfterFin();

  /** How many heartbeats the broker writes at most to a client that has broken its connection. */
  abstract int heartbeatsAfterReset();

  /** How many heartbeats the broker writes at most to a client that has left a stream of HTTP/2. */
  abstract int heartbeatsAfterCancel();

  /** How many streams a fresh connection of HTTP/2 may have while POSTs get through beside them. */
  int streamsOfOneConnection() {
    return 20;
  }

  @BeforeEach
  void startUpstream() throws Exception {
    upstream = Upstream.start(0, HEARTBEAT);
    // the first exchange loads classes, which is not the proxy's time
    direct().openChannel().close();
  }

  @AfterEach
  void closeAll() throws Exception {
    for (int i = opened.size() - 1; i >= 0; i--) {
      opened.get(i).close();
    }
    upstream.close();
  }

  @Test
  void channel_isToldEverythingAtOnce() throws Exception {
    WireClient client = client(start());

    long asked = System.nanoTime();
    WireChannel channel = client.openChannel(COMPRESSION);
    assertThat(since(asked)).as("the first event").isLessThan(AT_ONCE);
    assertThat(channel.stream().head().header("Content-Encoding")).isNull();

    long sent = System.nanoTime();
    assertThat(channel.send(channel.cid(), "\"hello\"").status()).isEqualTo(200);
    assertThat(channel.awaitMessage().get("message").getAsString()).isEqualTo("hello");
    assertThat(since(sent)).as("a message").isLessThan(AT_ONCE);

    long silent = System.nanoTime();
    int before = channel.stream().comments().size();
    channel.stream().awaitComments(before + 1);
    assertThat(since(silent)).as("a heartbeat").isLessThan(HEARTBEAT.plus(AT_ONCE));
  }

  @Test
  void list_isToldEverythingAtOnce() throws Exception {
    WireClient client = client(start());
    WireChannel host = client.openChannel();

    long asked = System.nanoTime();
    SseStream list = client.watch("?filter=chat,!away", COMPRESSION);
    list.await("ready");
    assertThat(since(asked)).as("the list").isLessThan(AT_ONCE);
    assertThat(list.head().header("Content-Encoding")).isNull();

    long created = System.nanoTime();
    String sid = host.listSession("\"chat\"");
    assertThat(sid(list.await("add"))).isEqualTo(sid);
    assertThat(since(created)).as("an addition").isLessThan(AT_ONCE);
  }

  @Test
  void post_getsThroughAsItIs() throws Exception {
    WireClient client = client(start());
    WireChannel channel = client.openChannel();
    String sid = channel.listSession("\"chat\"");

    String large = "\"" + "x".repeat(40 * 1024) + "\"";
    assertThat(channel.send(sid, large).member("delivery")).isEqualTo("sent");
    assertThat(channel.awaitMessage().get("message").getAsString()).hasSize(40 * 1024);

    WireResponse refusal = channel.send("nobody", "1");
    assertThat(refusal.status()).isEqualTo(404);
    assertThat(refusal.mediaType()).isEqualTo("application/problem+json");
    assertThat(refusal.member("code")).isEqualTo("unknown_target");

    assertThat(client.get("/list?filter=chat,!away").json().getAsJsonArray()).hasSize(1);
    assertThat(channel.close().status()).isEqualTo(200);
    assertThat(channel.stream().await("close").data()).contains("closed");
  }

  @Test
  void compression_isOnForTheListOnly() throws Exception {
    WireClient client = client(start());
    WireChannel host = client.openChannel(COMPRESSION);
    for (int i = 0; i < 10; i++) {
      host.listSession("\"chat\"");
    }
    WireResponse list = client.get("/list", "Accept: application/json", COMPRESSION);
    assertThat(list.header("Content-Encoding")).isNotNull();
    assertThat(host.stream().head().header("Content-Encoding")).isNull();
  }

  @Test
  @DisplayName("A WebSocket carries events, requests and heartbeats at once.")
  void socketIsToldEverythingAtOnce() throws Exception {
    URI base = start();
    String own = "Origin: http://" + base.getAuthority() + "\r\n";

    long asked = System.nanoTime();
    WireSocket socket = socket(base, own);
    assertThat(socket.answer().status()).as("%s", socket.answer()).isEqualTo(101);
    String cid = get(get(socket.nextEvent(), "data").members(), "cid").asString();
    assertThat(since(asked)).as("the first event").isLessThan(AT_ONCE);

    long sent = System.nanoTime();
    String large = "x".repeat(40 * 1024);
    socket.send(WireSocket.json("ref", 1, "post", "/send/" + cid, "message", large));
    Map<String, Json> first = socket.nextEvent();
    Map<String, Json> second = socket.nextEvent();
    // Either may come first.
    Map<String, Json> answer = first.containsKey("ref") ? first : second;
    Map<String, Json> event = first.containsKey("ref") ? second : first;
    assertThat(get(answer, "answer")).hasToString("{\"delivery\":\"sent\"}");
    assertThat(get(get(event, "data").members(), "message").asString()).isEqualTo(large);
    assertThat(since(sent)).as("a message and its answer").isLessThan(AT_ONCE);

    long silent = System.nanoTime();
    for (int i = 0; i < 3; i++) {
      assertThat(socket.nextText()).isEqualTo("{\"event\":\"heartbeat\",\"data\":{}}");
    }
    assertThat(since(silent)).as("heartbeats").isLessThan(HEARTBEAT.multipliedBy(3).plus(AT_ONCE));
  }

  @Test
  @DisplayName("A WebSocket for a page of another origin is refused, and says why.")
  void socketOfAnotherOriginIsRefused() throws Exception {
    WireSocket foreign = socket(start(), "Origin: https://elsewhere.example\r\n");
    assertThat(foreign.answer().status()).isEqualTo(403);
    assertThat(foreign.answer().member("code")).isEqualTo("denied");
  }

  @Test
  @DisplayName("A WebSocket whose client goes away is noticed without a heartbeat.")
  void socketThatGoesAwayIsNoticed() throws Exception {
    upstream.close();
    upstream = Upstream.start(0, Duration.ofMinutes(1));
    URI base = start();
    SseStream watch = direct().watch("");
    for (boolean orderly : List.of(true, false)) {
      WireSocket socket = socket(base, "");
      socket.nextEvent();
      socket.send(WireSocket.json("ref", 1, "post", "/session", "list", true));
      socket.nextEvent();
      String added = sid(watch.await("add"));
      if (orderly) {
        socket.close();
      } else {
        socket.reset();
      }
      assertThat(sid(watch.await("remove"))).isEqualTo(added);
    }
  }

  /** Asks for a WebSocket, and returns the status of the answer. */
  final int statusOfSocket(URI base) {
    return socket(base, "").answer().status();
  }

  /** Asks for a WebSocket. */
  private WireSocket socket(URI base, String headers) {
    WireSocket socket = WireSocket.open(base, "", headers);
    opened.add(socket);
    return socket;
  }

  /**
   * Counts what the broker writes to clients that have gone, instead of the time until it knows: a
   * heartbeat that a busy machine makes late is one heartbeat all the same.
   */
  @Test
  void clientThatGoesAway_isNoticed() throws Exception {
    WireClient client = client(start());
    SseStream watch = direct().watch("");
    WireChannel ended = client.openChannel(Upstream.STREAM + ": ended");
    WireChannel broken = client.openChannel(Upstream.STREAM + ": broken");
    String endedSid = ended.listSession("");
    String brokenSid = broken.listSession("");
    // nothing is left unread, or the system would reset the connection that is to end in order
    ended.stream().awaitComments(1);
    broken.stream().awaitComments(1);

    int toEnded = upstream.writes("ended");
    ended.stream().close();
    int toBroken = upstream.writes("broken");
    broken.stream().reset();

    assertThat(List.of(sid(watch.await("remove")), sid(watch.await("remove"))))
        .containsExactlyInAnyOrder(endedSid, brokenSid);
    assertThat(upstream.writes("ended") - toEnded)
        .as("heartbeats after the client's FIN")
        .isBetween(1, heartbeatsAfterFin());
    assertThat(upstream.writes("broken") - toBroken)
        .as("heartbeats after the client's RST")
        .isBetween(1, heartbeatsAfterReset());
  }

  @Test
  void brokerThatComesBack_isFoundAtOnce() throws Exception {
    WireClient client = client(start());
    assertThat(client.get("/list").status()).isEqualTo(200);

    upstream.close();
    assertThat(client.get("/list").status()).isIn(502, 503);
    upstream = Upstream.start(upstream.port(), HEARTBEAT);

    // By default nginx does not ask again for 10 s, httpd not for 60 s.
    await().atMost(Duration.ofSeconds(5)).until(() -> client.get("/list").status() == 200);
  }

  @Test
  @DisplayName("Through TLS, a page of the proxy's own origin has a WebSocket.")
  void tls_ownOriginHasASocket() throws Exception {
    Certificate certificate = Certificate.make(directory);
    URI base = startTls(certificate);
    CompletableFuture<String> first = new CompletableFuture<>();
    WebSocket.Listener listener =
        new WebSocket.Listener() {
          @Override
          public @Nullable CompletionStage<?> onText(
              WebSocket socket, CharSequence data, boolean last) {
            first.complete(data.toString());
            return null;
          }

          @Override
          public void onError(WebSocket socket, Throwable failure) {
            first.completeExceptionally(failure);
          }
        };
    WebSocket socket =
        HttpClient.newBuilder()
            .sslContext(certificate.trust())
            .build()
            .newWebSocketBuilder()
            .subprotocols("peerbroker.v1")
            .header("Origin", "https://" + base.getAuthority())
            .buildAsync(URI.create("wss://" + base.getAuthority() + "/broker/socket"), listener)
            .get(BOUND.toSeconds(), TimeUnit.SECONDS);
    opened.add(socket::abort);
    assertThat(first.get(BOUND.toSeconds(), TimeUnit.SECONDS)).contains("\"event\":\"channel\"");
  }

  @Test
  void http2_takesManyStreamsOnOneConnection() throws Exception {
    Certificate certificate = Certificate.make(directory);
    Http2Client client = new Http2Client(startTls(certificate), certificate.trust());
    SseStream watch = direct().watch("");

    long asked = System.nanoTime();
    List<Http2Client.Stream> streams = openStreams(client, streamsOfOneConnection());
    List<JsonObject> channels = new ArrayList<>();
    for (Http2Client.Stream stream : streams) {
      channels.add(stream.awaitData(BOUND));
    }
    assertThat(since(asked)).as("the first events").isLessThan(AT_ONCE);

    JsonObject first = channels.get(0);
    String cid = first.get("cid").getAsString();
    String key = first.get("key").getAsString();
    long sent = System.nanoTime();
    var session =
        client
            .post("/session", "{\"cid\":\"%s\",\"key\":\"%s\",\"list\":true}".formatted(cid, key))
            .get(BOUND.toSeconds(), TimeUnit.SECONDS);
    assertThat(session.statusCode()).isEqualTo(201);
    var message =
        client
            .post(
                "/send/" + cid,
                "{\"origin\":\"%s\",\"key\":\"%s\",\"message\":1}".formatted(cid, key))
            .get(BOUND.toSeconds(), TimeUnit.SECONDS);
    assertThat(message.statusCode()).isEqualTo(200);
    assertThat(streams.get(0).awaitData(BOUND).get("message").getAsInt()).isEqualTo(1);
    assertThat(since(sent)).as("a session and a message").isLessThan(AT_ONCE);

    streams.get(0).await(":"::equals, HEARTBEAT.plus(AT_ONCE));
    int before = upstream.writes("0");
    streams.get(0).close();
    assertThat(session.body()).contains(sid(watch.await("remove")));
    assertThat(upstream.writes("0") - before)
        .as("heartbeats after the client has left the stream")
        .isBetween(1, heartbeatsAfterCancel());
  }

  /**
   * Starts the proxy with the configuration of docs/proxies.md, and returns the broker's address.
   */
  final URI start() throws IOException {
    return start(plain());
  }

  /** Starts the proxy with another configuration for plain HTTP. */
  final URI start(DocBlock plain) throws IOException {
    int port = ProxyProcess.freePort();
    run(listening(plain, port), port);
    return URI.create("http://127.0.0.1:" + port + "/broker");
  }

  /** Starts the proxy with the lines for TLS and HTTP/2. */
  final URI startTls(Certificate certificate) throws IOException {
    int port = ProxyProcess.freePort();
    run(withTls(port, certificate), port);
    return URI.create("https://127.0.0.1:" + port + "/broker");
  }

  private void run(DocBlock configuration, int port) throws IOException {
    DocBlock whole = configuration.with("127.0.0.1:8080", upstream.authority());
    opened.add(ProxyProcess.start(directory, port, command(whole)));
  }

  /** A client of the broker at this place. */
  final WireClient client(URI base) {
    WireClient client = new WireClient(base);
    opened.add(client);
    return client;
  }

  /** A client that bypasses the proxy. */
  final WireClient direct() {
    return client(upstream.base());
  }

  /** Opens so many channels on one connection; their {@link Upstream#STREAM} counts from 0. */
  final List<Http2Client.Stream> openStreams(Http2Client client, int count) {
    List<Http2Client.Stream> streams = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Http2Client.Stream stream = client.openStream("/channel", Upstream.STREAM, "" + i);
      streams.add(stream);
      opened.add(stream);
    }
    return streams;
  }

  /** Opens channels until the proxy refuses one, and returns how many it accepted. */
  final int openUntilRefused(WireClient client, int atMost) {
    for (int i = 0; i < atMost; i++) {
      WireResponse head = client.request("HEAD", "/list");
      if (head.status() == 429) {
        return i;
      }
      client.openChannel();
    }
    return atMost;
  }

  /** Sends requests until the proxy refuses one, and returns how many it answered. */
  static int askUntilRefused(WireClient client, int atMost) {
    for (int i = 0; i < atMost; i++) {
      if (client.request("HEAD", "/list").status() == 429) {
        return i;
      }
    }
    return atMost;
  }

  static Duration since(long nanoTime) {
    return Duration.ofNanos(System.nanoTime() - nanoTime);
  }

  private static String sid(Event event) {
    return WireChannel.data(event).get("sid").getAsString();
  }
}
