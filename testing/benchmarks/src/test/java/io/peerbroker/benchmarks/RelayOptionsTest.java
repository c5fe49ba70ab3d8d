package io.peerbroker.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a command line may ask of {@code relay}. */
class RelayOptionsTest {

  @Test
  void with_changesOneOption() {
    RelayOptions options =
        RelayOptions.full().with("servers", "tomcat10,jetty12-bare").with("seconds", "0.25");
    assertThat(options.servers()).containsExactly(RelayServer.TOMCAT10, RelayServer.JETTY12_BARE);
    assertThat(options.round()).isEqualTo(Duration.ofMillis(250));
    assertThat(options.streams()).isEqualTo(10_000);
  }

  @ParameterizedTest
  @CsvSource({
    "clients, 5,       The options are [body",
    "streams, 0,       Not a value of relay's option streams: 0",
    "servers, jetty13, The servers are [runnable",
    "body,    late!,   together|apart|late"
  })
  void with_refusesWhatThereIsNot(String name, String value, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RelayOptions.full().with(name, value))
        .withMessageContaining(message);
  }
}
