package io.peerbroker.json;

import static io.peerbroker.json.RequestPath.Action;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class RequestPathTest {

  @ParameterizedTest
  @DisplayName("Each path of the protocol has its action, and the id that it names.")
  @CsvSource({
    "/channel/c/ping, PING, c",
    "/channel/c/ice, ICE, c",
    "/channel/c/watch, WATCH, c",
    "/channel/c/unwatch, UNWATCH, c",
    "/channel/c/close, CLOSE_CHANNEL, c",
    "/session, OPEN_SESSION, ''",
    "/session/s/update, UPDATE_SESSION, s",
    "/session/s/close, CLOSE_SESSION, s",
    "/send/t, SEND, t",
    "/send/session, SEND, session",
    "/session/session/close, CLOSE_SESSION, session",
  })
  void paths(String path, Action action, String id) {
    assertThat(RequestPath.of(path)).isEqualTo(new RequestPath(action, id));
  }

  @ParameterizedTest
  @DisplayName("No other path has one.")
  @ValueSource(
      strings = {
        "",
        "/",
        "send/t",
        "/send",
        "/send/",
        "/send/t/",
        "/send/t/u",
        "/Send/t",
        "/session/",
        "/session/s",
        "/session//close",
        "/session/s/",
        "/session/s/ping",
        "/session/s/close/",
        "/session/s/close/t",
        "/channel",
        "/channel/c",
        "/channel//ping",
        "/channel/c/update",
        "/channel/c/PING",
        "/channels/c/ping",
        "/list",
      })
  void others(String path) {
    assertThat(RequestPath.of(path)).isNull();
  }
}
