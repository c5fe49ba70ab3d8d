package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.tck.EventStreamParser.Event;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** JSON passes through the broker byte for byte, as a message and as metadata. */
@TestInstance(Lifecycle.PER_CLASS)
final class RelayTest {

  private JettyServer server;
  private WireClient client;
  private WireChannel sender;
  private WireChannel receiver;

  @BeforeAll
  void start() throws Exception {
    server = JettyServer.start(ServerSettings.DEFAULTS);
    client = new WireClient(server.base());
    sender = client.openChannel();
    receiver = client.openChannel();
  }

  @AfterAll
  void stop() {
    client.close();
    server.close();
  }

  static Stream<String> faithful() {
    return Stream.of(
        "1.0",
        "1.00",
        "-0",
        "-0.0",
        "1e400",
        "-1E+400",
        "1e-400",
        "100000000000000000001",
        "0.10000000000000000000000000001",
        "9".repeat(2_000),
        "{\"a\":1,\"a\":2,\"a\":1}",
        "{\"b\":1,\"a\":{\"d\":1,\"c\":2}}",
        "{\"origin\":\"x\",\"target\":\"y\",\"message\":{\"message\":1}}",
        "\"\u2028 \u2029 \u0085 \u00a0 \ufeff \uffff\"",
        "\"\\u2028 \\u2029\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "{\"\\ud800\":\"\\uD83D\\uDE00\"}",
        "\"\ud83d\ude00\"",
        "\"\\u0000 a\\u0000\"",
        "\"\\/ / \\u002f\"",
        "\"e\u0301 \u00e9 \\u00e9 \\u00E9\"",
        "\"<script>&amp;'</script>\"",
        "\"\\r\\n\\r\\ndata: x\"",
        "\"\u007f\"",
        "[".repeat(63) + "]".repeat(63),
        "{\"\":".repeat(63) + "null" + "}".repeat(63),
        "\"" + "x".repeat(16_382) + "\"");
  }

  @ParameterizedTest
  @MethodSource("faithful")
  void everyCharacterStays(String json) {
    assertThat(sender.send(receiver.cid(), json).status()).isEqualTo(200);
    Event event = receiver.stream().await("message");
    assertThat(event.data())
        .isEqualTo(
            "{\"origin\":\"%s\",\"target\":\"%s\",\"message\":%s}"
                .formatted(sender.cid(), receiver.cid(), json));
    String sid = sender.createSession("\"list\":true,\"metadata\":" + json);
    assertThat(client.get("/list").body())
        .isEqualTo(
            "[{\"sid\":\"%s\",\"session\":{\"tags\":[],\"metadata\":%s}}]".formatted(sid, json));
    assertThat(sender.closeSession(sid).status()).isEqualTo(200);
  }

  static Stream<String> onSeveralLines() {
    return Stream.of(
        "{\n\"a\"\r\n:\r[\n\n1\r\r,\r\n2 ],\t\"b\\n\" : \"\\r\\n\"\n}",
        "[\r\n]",
        "\r\n\"x\"\n",
        "{\"a\":1,\r\n\"a\":1.0}");
  }

  @ParameterizedTest
  @MethodSource("onSeveralLines")
  void linesBetweenTokensBecomeSpaces(String json) {
    assertThat(sender.send(receiver.cid(), json).status()).isEqualTo(200);
    String oneLine = json.strip().replace('\r', ' ').replace('\n', ' ');
    assertThat(receiver.stream().await("message").data()).endsWith("\"message\":" + oneLine + "}");
    assertThat(receiver.stream().ignored()).isEmpty();
  }
}
