package io.peerbroker.it.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.peerbroker.it.clients.Client.Seen;
import io.peerbroker.tck.FaultProxy;
import io.peerbroker.tck.SseStream;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireResponse;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What a client does by itself when the network cuts it off, and when the server tells it to stay
 * away.
 */
@Timeout(180)
abstract class ComesBackTest {

  /** Into the first event, and every so often through two more. */
  private static final List<Integer> POSITIONS =
      List.of(260, 420, 425, 440, 470, 500, 520, 560, 600, 640, 660, 690, 730, 780, 830);

  static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Longer than the pause of any of them before it comes back. */
  private static final Duration WHILE = Duration.ofSeconds(5);

  private final List<AutoCloseable> toClose = new ArrayList<>();
  Client client;
  private ClientServer server;

  /**
   * Starts the client, or skips the test if it is not on this machine.
   *
   * @param broker for clients that live on a page of a server
   */
  abstract Client start(URI broker) throws Exception;

  final void start(Map<String, String> parameters) throws Exception {
    server = ClientServer.start(parameters);
    client = start(server.base());
  }

  @AfterEach
  final void stop() throws Exception {
    if (client != null) {
      client.close();
    }
    for (AutoCloseable each : toClose) {
      each.close();
    }
    if (server != null) {
      server.close();
    }
  }

  final FaultProxy proxy() {
    FaultProxy proxy = FaultProxy.before(server.base());
    toClose.add(proxy);
    return proxy;
  }

  private WireClient wire() {
    WireClient wire = new WireClient(server.base());
    toClose.add(wire);
    return wire;
  }

  static URI channel(FaultProxy proxy) {
    return URI.create(proxy.base() + "/channel?resume=60");
  }

  @Test
  void cutAnywhere_eachEventComesOnce() throws Exception {
    start(Map.of());
    WireChannel sender = wire().openChannel();
    List<FaultProxy> proxies = new ArrayList<>();
    List<Client.Stream> streams = new ArrayList<>();
    for (int position : POSITIONS) {
      FaultProxy proxy = proxy();
      proxy.cutAfter(position);
      proxies.add(proxy);
      streams.add(client.open(channel(proxy)));
    }
    for (Client.Stream stream : streams) {
      send(sender, stream, 1);
      send(sender, stream, 2);
    }
    for (int i = 0; i < streams.size(); i++) {
      awaitMessages(streams.get(i), POSITIONS.get(i), 2);
    }
    // Once more, this time with a reset, with nothing or something missed.
    for (int i = 0; i < streams.size(); i++) {
      proxies.get(i).reset();
      if (i % 2 == 0) {
        send(sender, streams.get(i), 3);
      }
    }
    for (int i = 0; i < streams.size(); i++) {
      if (i % 2 != 0) {
        send(sender, streams.get(i), 3);
      }
      awaitMessages(streams.get(i), POSITIONS.get(i), 3);
    }
    assertThat(proxies).allMatch(proxy -> proxy.used() >= 2);
  }

  @Test
  void cutWithinTheHead_itDoesAsDocumented() throws Exception {
    start(Map.of());
    FaultProxy proxy = proxy();
    proxy.cutAfter(90);
    Client.Stream stream = client.open(channel(proxy));
    if (comesBackAfterACutHead()) {
      await().atMost(PATIENCE).until(() -> !named(stream, "channel").isEmpty());
    } else {
      await().atMost(PATIENCE).until(stream::isGivenUp);
      assertThat(stream.seen()).isEmpty();
    }
  }

  private static void send(WireChannel sender, Client.Stream stream, int number) {
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(named(stream, "channel"))
                    .as("channel events (given up: %s)", stream.isGivenUp())
                    .hasSize(1));
    WireResponse response = sender.send(cid(stream), "" + number);
    assertThat(response.status()).as("%s", response).isEqualTo(200);
  }

  private static void awaitMessages(Client.Stream stream, int position, int count) {
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(named(stream, "message"))
                    .as("messages to the client that was cut at %d", position)
                    .hasSizeGreaterThanOrEqualTo(count));
    assertThat(stream.seen()).as("cut at %d", position).hasSize(count + 1);
    for (int i = 1; i <= count; i++) {
      assertThat(stream.seen().get(i).data()).endsWith("\"message\":" + i + "}");
    }
  }

  private static List<Seen> named(Client.Stream stream, String name) {
    return stream.seen().stream().filter(seen -> seen.name().equals(name)).toList();
  }

  private static String cid(Client.Stream stream) {
    JsonObject opened = JsonParser.parseString(stream.seen().get(0).data()).getAsJsonObject();
    return opened.get("cid").getAsString();
  }

  @Test
  void superseded_itStaysAway() throws Exception {
    start(Map.of());
    FaultProxy proxy = proxy();
    Client.Stream stream = client.open(channel(proxy));
    await().atMost(PATIENCE).until(() -> stream.seen().size() == 1);
    String last = stream.seen().get(0).lastEventId();
    assertThat(last).isNotEmpty();
    SseStream successor = wire().openStream("/channel", "Last-Event-ID: " + last);
    await().atMost(PATIENCE).until(() -> stream.seen().size() == 2);
    assertThat(stream.seen().get(1))
        .extracting(Seen::name, Seen::data)
        .containsExactly("close", "{\"reason\":\"superseded\"}");
    await()
        .during(WHILE)
        .atMost(WHILE.multipliedBy(2))
        .untilAsserted(() -> assertThat(server.asked()).as("with its successor").hasValue(2));
    WireResponse sent = wire().openChannel().send(cid(stream), "1");
    assertThat(sent.member("delivery")).isEqualTo("sent");
    assertThat(successor.next().name()).isEqualTo("message");
  }

  @Test
  void refusedFor503_itDoesWhatTheDocumentationSays() throws Exception {
    start(Map.of("maxChannels", "1"));
    WireChannel first = wire().openChannel();
    FaultProxy proxy = proxy();
    Client.Stream stream = client.open(channel(proxy));
    if (comesBackAfter503()) {
      await().atMost(PATIENCE).until(() -> server.asked().get() > 2);
      first.close();
      await().atMost(PATIENCE).until(() -> !stream.seen().isEmpty());
    } else {
      await().atMost(PATIENCE).until(stream::isGivenUp);
      first.close();
      await().during(WHILE).atMost(WHILE.multipliedBy(2)).until(() -> server.asked().get() == 2);
      assertThat(stream.seen()).isEmpty();
    }
  }

  /** Whether it tries again by itself when the answer's head was cut. */
  abstract boolean comesBackAfterACutHead();

  /** Whether it tries again by itself, having been refused. */
  abstract boolean comesBackAfter503();
}
