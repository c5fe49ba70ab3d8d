package io.peerbroker.tck;

import static io.peerbroker.tck.WireSocket.get;
import static io.peerbroker.tck.WireSocket.json;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;

/** What the tests of section K have in common: clients with a WebSocket, and how it ends. */
abstract class SocketServerRules extends ServerRules {

  /** All that {@link #connect} has opened; the test's end closes them. */
  private final List<WireSocket> sockets = new ArrayList<>();

  @AfterEach
  final void closeSockets() {
    sockets.forEach(WireSocket::close);
  }

  /** A client whose channel is open. */
  record Guest(WireSocket socket, String cid, String key, Json id) {

    /** Sends a request, and returns the next message. */
    String ask(Object... request) {
      socket.send(json(request));
      return Objects.requireNonNull(socket.nextText(), "the answer");
    }

    String ping() {
      return ask("ref", 99, "post", "/channel/" + cid + "/ping");
    }
  }

  final WireSocket connect(String query, String headers) {
    var unused = client();
    WireSocket socket = WireSocket.open(server().base(), query, headers);
    sockets.add(socket);
    return socket;
  }

  final Guest guest(String query) {
    WireSocket socket = connect(query, "");
    assertThat(socket.answer().status()).isEqualTo(101);
    Map<String, Json> event = socket.nextEvent();
    assertThat(get(event, "event").asString()).isEqualTo("channel");
    Map<String, Json> data = get(event, "data").members();
    return new Guest(
        socket,
        get(data, "cid").asString(),
        get(data, "key").asString(),
        event.getOrDefault("id", Json.NULL));
  }

  /**
   * Runs something on a thread of its own: the common pool has one where there are two processors.
   */
  static CompletableFuture<Void> inThread(Runnable task) {
    return CompletableFuture.runAsync(
        task,
        command -> {
          Thread thread = new Thread(command, "SocketServerRules");
          thread.setDaemon(true);
          thread.start();
        });
  }

  static void assertEnd(WireSocket socket, int code) {
    assertThat(socket.nextText()).isNull();
    assertThat(socket.closeCode()).isEqualTo(code);
  }

  static String farewell(String reason) {
    return "{\"event\":\"close\",\"data\":{\"reason\":\"" + reason + "\"}}";
  }
}
