package io.peerbroker.websocket;

import static io.peerbroker.tck.WireSocket.get;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Delivery;
import io.peerbroker.core.Json;
import io.peerbroker.core.Limits;
import io.peerbroker.core.Refusal;
import io.peerbroker.servlet.HttpSettings;
import io.peerbroker.tck.WireConnection;
import io.peerbroker.tck.WireSocket;
import io.peerbroker.test.FakeTimer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** WebSockets when the process of the client, or that of the broker, was stopped for a while. */
@Timeout(60)
final class PausedProcessTest {

  private static final Json BULK = Json.of("x".repeat(30_000));

  @Test
  @Tag("K12")
  @EnabledOnOs(OS.LINUX)
  @DisplayName("A client whose process stands still is given up, and slows nobody down.")
  void client() throws Exception {
    Duration timeout = Duration.ofSeconds(2);
    try (Broker broker = Broker.builder().messageRate(Limits.Rate.UNLIMITED).build();
        JettyServer server =
            JettyServer.start(broker, HttpSettings.defaults().withWriteTimeout(timeout));
        WireSocket other = WireSocket.open(server.base(), "", "")) {
      String otherCid = cid(other);
      Process process = start(server.base());
      try {
        BufferedReader said =
            new BufferedReader(new InputStreamReader(process.getInputStream(), US_ASCII));
        String stoppedCid = said.readLine();
        assertThat(stoppedCid).isNotNull();
        assertThat(new ProcessBuilder("kill", "-STOP", "" + process.pid()).start().waitFor())
            .isZero();
        Channel sender = broker.openChannel((channel, message) -> {});
        long stopped = System.nanoTime();
        Duration slowest = Duration.ZERO;
        while (refusal(sender, stoppedCid) != Refusal.Code.UNKNOWN_TARGET) {
          long asked = System.nanoTime();
          other.send(WireSocket.json("ref", 1, "post", "/channel/" + otherCid + "/ping"));
          assertThat(other.nextEvent()).containsKey("answer");
          Duration took = Duration.ofNanos(System.nanoTime() - asked);
          slowest = took.compareTo(slowest) > 0 ? took : slowest;
          assertThat(Duration.ofNanos(System.nanoTime() - stopped))
              .isLessThan(timeout.multipliedBy(4));
        }
        assertThat(slowest).as("the others' slowest answer").isLessThan(timeout.dividedBy(2));
      } finally {
        // Also one that stands still.
        process.destroyForcibly().waitFor();
      }
    }
  }

  private static Process start(URI base) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            Reader.class.getName(),
            base.toString())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  /** A client that prints its channel's id, and then reads for ever. */
  static final class Reader {

    private Reader() {}

    public static void main(String[] args) {
      WireSocket socket = WireSocket.open(URI.create(args[0]), "", "");
      System.out.println(cid(socket));
      while (socket.nextText() != null) {
        // Messages for it.
      }
    }
  }

  @Test
  @Tag("K12")
  @DisplayName("After a pause of the broker's process, a client has its whole time again.")
  void broker() throws Exception {
    Duration timeout = Duration.ofSeconds(30);
    FakeTimer timer = new FakeTimer();
    try (Broker broker = Broker.builder().timer(timer).messageRate(Limits.Rate.UNLIMITED).build();
        JettyServer server =
            JettyServer.start(broker, HttpSettings.defaults().withWriteTimeout(timeout));
        WireSocket stalled = WireSocket.open(server.base(), "", "")) {
      String cid = cid(stalled);
      Channel sender = broker.openChannel((channel, message) -> {});
      await()
          .atMost(WireConnection.BOUND)
          .until(() -> refusal(sender, cid) == Refusal.Code.TARGET_BUSY);

      timer.pause(Duration.ofHours(1));
      timer.runDue();
      assertThat(refusal(sender, cid)).isEqualTo(Refusal.Code.TARGET_BUSY);
      timer.advance(timeout);
      assertThat(refusal(sender, cid)).isEqualTo(Refusal.Code.UNKNOWN_TARGET);
    }
  }

  private static String cid(WireSocket socket) {
    Map<String, Json> event = socket.nextEvent();
    return get(get(event, "data").members(), "cid").asString();
  }

  private static Refusal.@Nullable Code refusal(Channel sender, String target) {
    return sender.send(target, BULK).toCompletableFuture().join()
            instanceof Delivery.Refused refused
        ? refused.refusal().code()
        : null;
  }
}
