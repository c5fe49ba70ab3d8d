package io.peerbroker.websocket;

import static io.peerbroker.tck.WireSocket.get;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Gateway;
import io.peerbroker.core.Json;
import io.peerbroker.core.Request;
import io.peerbroker.servlet.HttpSettings;
import io.peerbroker.tck.WireSocket;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The answer to a request when the broker itself fails. */
@Timeout(60)
final class SocketFaultTest {

  private static final Logger LOG = Logger.getLogger("io.peerbroker.websocket");

  private final Broker real = Broker.create();

  @BeforeEach
  void silenceLog() {
    LOG.setLevel(Level.OFF);
  }

  @AfterEach
  void close() {
    LOG.setLevel(null);
    real.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"late", "stage", "exception", "error"})
  @Tag("K4")
  @DisplayName("A fault is the answer to its request, and the WebSocket goes on.")
  void faultIsAnAnswer(String fault) throws Exception {
    CompletableFuture<Object> late = new CompletableFuture<>();
    Broker failing =
        instead(
            Broker.class,
            real,
            (method, arguments) ->
                switch (method.getName()) {
                  case "gateway" -> gateway(fault, late);
                  case "forCaller" -> failing(fault, late);
                  default -> null;
                });
    try (JettyServer server = JettyServer.start(failing, HttpSettings.defaults());
        WireSocket socket = WireSocket.open(server.base(), "", "")) {
      String cid = get(get(socket.nextEvent(), "data").members(), "cid").asString();
      socket.send(WireSocket.json("ref", 1, "post", "/send/" + cid, "message", 1));
      if (fault.equals("late")) {
        // Others are answered meanwhile.
        assertPing(socket, cid, 2);
        late.completeExceptionally(new IllegalStateException("a secret of the inside"));
      }
      Map<String, Json> answer = socket.nextEvent();
      assertThat(get(answer, "ref")).hasToString("1");
      assertThat(get(get(answer, "refusal").members(), "code").asString()).isEqualTo("internal");
      assertThat(answer.toString()).doesNotContain("secret");
      assertPing(socket, cid, 3);
    }
  }

  private static void assertPing(WireSocket socket, String cid, int ref) {
    socket.send(WireSocket.json("ref", ref, "post", "/channel/" + cid + "/ping"));
    assertThat(socket.nextText()).isEqualTo("{\"ref\":" + ref + ",\"answer\":{\"stream\":true}}");
  }

  private Broker failing(String fault, CompletableFuture<Object> late) {
    return instead(
        Broker.class,
        real,
        (method, arguments) -> method.getName().equals("gateway") ? gateway(fault, late) : null);
  }

  /** Fails to send, and does all else. */
  private Gateway gateway(String fault, CompletableFuture<Object> late) {
    return instead(
        Gateway.class,
        real.gateway(),
        (method, arguments) -> {
          if (!method.getName().equals("perform") || !(arguments[0] instanceof Request.Send)) {
            return null;
          }
          return switch (fault) {
            case "late" -> late;
            case "stage" ->
                CompletableFuture.failedFuture(new IllegalStateException("a secret of the inside"));
            case "exception" -> throw new IllegalStateException("a secret of the inside");
            default -> throw new StackOverflowError("a secret of the inside");
          };
        });
  }

  /** What is done in place of a method; null to call the method. */
  private interface Instead {
    Object call(Method method, Object[] arguments);
  }

  private static <T> T instead(Class<T> type, T real, Instead instead) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              Object given = instead.call(method, arguments);
              if (given != null) {
                return given;
              }
              try {
                return method.invoke(real, arguments);
              } catch (InvocationTargetException thrown) {
                throw thrown.getCause();
              }
            }));
  }
}
