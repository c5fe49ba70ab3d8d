package io.peerbroker.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.tck.PeerJsRules;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireServer;
import io.peerbroker.tck.WireSocket;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine.ParameterException;

/** The package {@code peerjs} served by the runnable server. */
@Execution(ExecutionMode.CONCURRENT)
final class PeerJsServerTest extends PeerJsRules {

  @Override
  protected WireServer start(ServerSettings settings) throws Exception {
    return RunningServer.start(settings, Map.of("--peerjs-path", "/peerjs"));
  }

  @ParameterizedTest
  @CsvSource({"preset, openToEverybody", "maxBodyBytes, 40960"})
  @DisplayName("What is set for HTTP holds for PeerJS clients too.")
  void httpSettings(String name, String value) throws Exception {
    try (WireServer server = start(ServerSettings.of(name, value));
        WireSocket ada =
            WireSocket.openAt(
                server.base().resolve("/peerjs"), "/peerjs?key=peerjs&id=ada&token=1", "")) {
      assertThat(ada.nextText()).isEqualTo("{\"type\":\"OPEN\"}");
      ada.send(" ".repeat(40_961));
      assertThat(ada.nextText()).isNull();
      assertThat(ada.closeCode()).isEqualTo(1009);
    }
  }

  @Test
  @DisplayName("A silent client is given up after the time of the option.")
  void aliveTimeout() throws Exception {
    try (WireServer server =
            RunningServer.start(
                ServerSettings.DEFAULTS,
                Map.of("--peerjs-path", "/peerjs", "--peerjs-alive-timeout", "300ms"));
        WireSocket ada =
            WireSocket.openAt(
                server.base().resolve("/peerjs"), "/peerjs?key=peerjs&id=ada&token=1", "")) {
      assertThat(ada.nextText()).isEqualTo("{\"type\":\"OPEN\"}");
      assertThat(ada.nextText()).isNull();
      assertThat(ada.closeCode()).isEqualTo(1001);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "--peerjs-alive-timeout=1441m --peerjs-path=/peerjs, aliveTimeout must be from 10 ms to 24 h",
    "--peerjs-alive-timeout=60s,                       needs --peerjs-path"
  })
  @DisplayName("A time that cannot be is refused, as is one for nobody.")
  void wrongAliveTimeout(String arguments, String message) {
    BrokerServer options = BrokerServer.parse(arguments.split(" ", -1));
    assertThatThrownBy(() -> options.site(new BrokerServlet()))
        .isInstanceOf(ParameterException.class)
        .hasMessageStartingWith("--peerjs-alive-timeout")
        .hasMessageContaining(message);
  }

  @Test
  @DisplayName("What is badly written is refused as an option.")
  void wrongSetting() {
    BrokerServer options =
        BrokerServer.parse("--peerjs-path", "/peerjs", "--set", "maxBodyBytes=many");
    assertThatThrownBy(() -> options.site(new BrokerServlet()))
        .isInstanceOf(ParameterException.class)
        .hasMessageStartingWith("--set: The init-param 'maxBodyBytes' is 'many'");
  }
}
