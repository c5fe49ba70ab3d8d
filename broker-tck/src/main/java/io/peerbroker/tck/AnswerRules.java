package io.peerbroker.tck;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Short answers to clients that send their bodies late or never, and to clients that read nothing:
 * each client gets its own answer, and none holds a thread of the container or of the broker.
 */
public abstract class AnswerRules extends ServerRules {

  private static final int THREADS = 16;

  /** More of them than the pool has threads. */
  private static final int OF_EACH_KIND = 5;

  private static final String JSON = "Content-Type: application/json";
  private static final String EXPECT = "Expect: 100-continue";
  private static final String TOO_LONG = "Content-Length: 1000000";

  private final List<WireConnection> connections = new ArrayList<>();

  /** For subclasses. */
  protected AnswerRules() {}

  @AfterEach
  final void closeConnections() {
    connections.forEach(WireConnection::close);
  }

  private WireConnection connect() {
    WireConnection connection = client().connect();
    connections.add(connection);
    return connection;
  }

  /**
   * A request that is refused before its body has come, and how its body goes on.
   *
   * @param status the expected status; 0 where a container may end the connection instead
   */
  private record Dribble(String head, String first, String next, int status) {

    static Dribble sized(String head, int status) {
      return new Dribble(head, "{", " ", status);
    }

    static Dribble chunked(String head, int status) {
      return new Dribble(head, "1\r\n{\r\n", "1\r\n \r\n", status);
    }

    static Dribble withoutContent(String head, String first, String next) {
      return new Dribble(head, "1\r\n{\r\n" + first, next, 0);
    }
  }

  /** A connection on which a refused body goes on. */
  private record Dribbling(Dribble kind, WireConnection connection) {

    /** Sends more, and returns whether that is no longer possible. */
    boolean isCut() {
      return fails(() -> connection.write(kind.next));
    }
  }

  private void assertCutOff(List<Dribble> kinds) {
    Queue<Dribbling> dribbling = new ConcurrentLinkedQueue<>();
    List<WireConnection> first = new ArrayList<>();
    for (int i = 0; i < OF_EACH_KIND; i++) {
      for (Dribble kind : kinds) {
        WireConnection connection = connect().write(kind.head + kind.first);
        dribbling.add(new Dribbling(kind, connection));
        if (i == 0) {
          first.add(connection);
        }
      }
    }
    for (int i = 0; i < kinds.size(); i++) {
      if (kinds.get(i).status > 0) {
        assertThat(finalStatus(first.get(i))).as(kinds.get(i).head).isEqualTo(kinds.get(i).status);
      }
    }
    ScheduledExecutorService dribbler = Executors.newSingleThreadScheduledExecutor();
    try {
      var unused =
          dribbler.scheduleAtFixedRate(
              () -> dribbling.removeIf(Dribbling::isCut), 0, 100, TimeUnit.MILLISECONDS);
      for (int i = 0; i < 20; i++) {
        assertThat(client().get("/list").status()).isEqualTo(200);
      }
      await()
          .atMost(WireConnection.BOUND)
          .untilAsserted(() -> assertThat(dribbling).extracting(Dribbling::kind).isEmpty());
    } finally {
      dribbler.shutdownNow();
    }
    WireChannel channel = client().openChannel();
    assertSent(channel.send(channel.cid(), "1"));
  }

  /** Reads an answer. Tomcat sends an interim answer to every client that waits with its body. */
  private static int finalStatus(WireConnection connection) {
    int status = connection.readResponse().status();
    return status == 100 ? connection.readResponse().status() : status;
  }

  @Test
  @Tag("H12")
  @Tag("H14")
  @DisplayName("A client that dribbles on after a refusal holds no thread, and is cut off.")
  void refusedBodiesAreCutOff() {
    client(ServerSettings.of("bodyTimeout", "1s").withThreads(THREADS));
    String length = "Content-Length: 1000";
    String chunked = "Transfer-Encoding: chunked";
    assertCutOff(
        List.of(
            Dribble.sized(client().head("POST", "/session", JSON, length), 408),
            Dribble.chunked(client().head("POST", "/session", JSON, chunked), 408),
            Dribble.sized(client().head("POST", "/nowhere", JSON, length), 404),
            Dribble.chunked(client().head("POST", "/nowhere", JSON, chunked), 404),
            Dribble.sized(client().head("PUT", "/session", JSON, length), 405),
            Dribble.sized(
                client().head("POST", "/session", "Content-Type: text/plain", length), 415),
            Dribble.sized(client().head("POST", "/session", JSON, TOO_LONG), 413),
            Dribble.sized(client().head("GET", "/channel", length), 400),
            Dribble.chunked(client().head("GET", "/list", chunked), 400),
            Dribble.sized(client().head("OPTIONS", "/list", length), 204),
            Dribble.sized(client().head("POST", "/session", JSON, TOO_LONG, EXPECT), 413),
            Dribble.sized(client().head("POST", "/nowhere", JSON, length, EXPECT), 404)));
  }

  @Test
  @Tag("H12")
  @Tag("H14")
  @DisplayName("A body that goes on without content holds no thread, and is cut off.")
  void bodiesWithoutContentAreCutOff() {
    client(ServerSettings.of("bodyTimeout", "1s").withThreads(THREADS));
    String head = client().head("POST", "/session", JSON, "Transfer-Encoding: chunked");
    assertCutOff(
        List.of(
            // A size that does not end, an extension, a chunk without a size, and a trailer.
            Dribble.withoutContent(head, "", "0"),
            Dribble.withoutContent(head, "1;", "x"),
            Dribble.withoutContent(head, "z\r\n", " "),
            Dribble.withoutContent(head, "0\r\nx: ", "x")));
  }

  private static boolean fails(Runnable write) {
    try {
      write.run();
      return false;
    } catch (UncheckedIOException cut) {
      return true;
    }
  }

  @Test
  @Tag("H12")
  @DisplayName("A refused request with a whole body leaves its connection open.")
  void aWholeBodyLeavesTheConnectionOpen() {
    WireChannel channel = client().openChannel();
    WireConnection connection = connect();
    for (String path : List.of("/nowhere", "/send/nobody")) {
      connection.write(client().postRequest(path, channel.sendBody("1")));
      assertThat(connection.readResponse().status()).isEqualTo(404);
    }
    assertSent(
        connection
            .write(client().postRequest("/send/" + channel.cid(), channel.sendBody("1")))
            .readResponse());
  }

  @Test
  @Tag("H11")
  @DisplayName("A body may come late and in two pieces, split anywhere, and so may the next.")
  void bodiesMayBeSplitAnywhere() {
    WireChannel channel = client().openChannel();
    String body = channel.sendBody("1");
    String request = client().postRequest("/send/" + channel.cid(), body);
    int begin = request.length() - body.length();
    WireConnection connection = connect();
    for (int split = begin; split < request.length(); split += 3) {
      connection.write(request.substring(0, split));
      // An answer to another: until here the server has had time to see the first piece.
      assertThat(client().get("/list").status()).isEqualTo(200);
      assertSent(connection.write(request.substring(split)).readResponse());
    }
  }

  @Test
  @Tag("H11")
  @DisplayName("A body may come late and in chunks, which are split anywhere.")
  void chunksMayBeSplitAnywhere() {
    WireChannel channel = client().openChannel();
    String body = channel.sendBody("1");
    String head =
        client().head("POST", "/send/" + channel.cid(), JSON, "Transfer-Encoding: chunked");
    Random random = new Random(1);
    WireConnection connection = connect();
    for (int i = 0; i < 40; i++) {
      StringBuilder chunked = new StringBuilder(head);
      for (int at = 0; at < body.length(); ) {
        int size = Math.min(1 + random.nextInt(60), body.length() - at);
        chunked.append(Integer.toHexString(size)).append("\r\n");
        chunked.append(body, at, at + size).append("\r\n");
        at += size;
      }
      chunked.append("0\r\n\r\n");
      int split = head.length() + random.nextInt(chunked.length() - head.length());
      connection.write(chunked.substring(0, split));
      assertThat(client().get("/list").status()).isEqualTo(200);
      assertSent(connection.write(chunked.substring(split)).readResponse());
    }
  }

  @Test
  @Tag("H8")
  @DisplayName("Many late bodies at once, complete in any order, get each its own answer.")
  void lateBodiesHaveTheirOwnAnswers() {
    client(ServerSettings.DEFAULTS.withThreads(THREADS));
    WireChannel channel = client().openChannel();
    List<Runnable> endings = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      boolean known = i % 3 != 0;
      String body = channel.sendBody("" + i);
      String path = known ? "/send/" + channel.cid() : "/send/nobody-" + i;
      String request = client().postRequest(path, body);
      WireConnection connection = connect().write(request.substring(0, request.length() - 9));
      String rest = request.substring(request.length() - 9);
      endings.add(
          () -> {
            WireResponse response = connection.write(rest).readResponse();
            if (known) {
              assertSent(response);
            } else {
              assertRefused(response, 404, "unknown_target");
            }
          });
    }
    assertThat(client().get("/list").status()).isEqualTo(200);
    Collections.shuffle(endings, new Random(1));
    endings.forEach(Runnable::run);
  }

  @Test
  @DisplayName("Clients that read none of their answers hold no thread, and delay no heartbeat.")
  void unreadAnswersHoldNoThread() {
    client(
        ServerSettings.of("heartbeat", "300ms").and("bodyTimeout", "500ms").withThreads(THREADS));
    WireChannel bystander = client().openChannel();
    WireChannel channel = client().openChannel();
    String ping =
        client()
            .postRequest(
                "/channel/" + channel.cid() + "/ping", "{\"key\":\"" + channel.key() + "\"}");
    String withoutItsBody = client().head("POST", "/session", JSON, "Content-Length: 1000") + "{";
    ExecutorService writers = Executors.newCachedThreadPool();
    try {
      for (int i = 0; i < 2 * THREADS; i++) {
        WireConnection connection = WireConnection.open(server().base(), 4 * 1024);
        connections.add(connection);
        // The last one fills the system's buffers; the others end before.
        byte[] requests = (ping.repeat(120 * (i + 1)) + withoutItsBody).getBytes(UTF_8);
        writers.execute(() -> fails(() -> connection.write(requests)));
      }
      for (int i = 0; i < 5; i++) {
        bystander.stream().awaitComments(bystander.stream().comments().size() + 4);
        assertThat(client().get("/list").status()).isEqualTo(200);
        WireChannel fresh = client().openChannel();
        assertSent(fresh.send(fresh.cid(), "1"));
      }
    } finally {
      connections.forEach(WireConnection::close);
      writers.shutdownNow();
    }
  }
}
