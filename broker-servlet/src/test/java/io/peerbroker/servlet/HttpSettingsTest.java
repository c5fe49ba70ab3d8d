package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The settings of the HTTP side, and what they refuse. */
final class HttpSettingsTest {

  private static final HttpSettings DEFAULTS = HttpSettings.defaults();

  @Test
  void theDefaultsAreThoseOfTheProtocol() {
    assertThat(DEFAULTS.heartbeat()).isEqualTo(Duration.ofSeconds(15));
    assertThat(DEFAULTS.retry()).isEqualTo(Duration.ofSeconds(2));
    assertThat(DEFAULTS.writeTimeout()).isEqualTo(Duration.ofSeconds(30));
    assertThat(DEFAULTS.bodyTimeout()).isEqualTo(Duration.ofSeconds(10));
    assertThat(DEFAULTS.maxBodyBytes()).isEqualTo(65_536);
    assertThat(DEFAULTS.allowedOrigins()).isEmpty();
    assertThat(DEFAULTS.allowedHeaders())
        .containsExactly("Cache-Control", "Content-Type", "Last-Event-ID", "X-Requested-With");
  }

  @Test
  void openToEverybodyDiffersInTheSizeOfBodiesAlone() {
    assertThat(HttpSettings.openToEverybody()).isEqualTo(DEFAULTS.withMaxBodyBytes(40_960));
  }

  @Test
  void eachIsChangedAlone() {
    Duration time = Duration.ofSeconds(1);
    assertThat(DEFAULTS.withHeartbeat(time).withHeartbeat(DEFAULTS.heartbeat()))
        .isEqualTo(DEFAULTS);
    assertThat(DEFAULTS.withHeartbeat(time).heartbeat()).isEqualTo(time);
    assertThat(DEFAULTS.withRetry(time).retry()).isEqualTo(time);
    assertThat(DEFAULTS.withWriteTimeout(time).writeTimeout()).isEqualTo(time);
    assertThat(DEFAULTS.withBodyTimeout(time).bodyTimeout()).isEqualTo(time);
    assertThat(DEFAULTS.withMaxBodyBytes(1).maxBodyBytes()).isEqualTo(1);
    HttpSettings both =
        DEFAULTS.withAllowedHeaders("X-Y").withAllowedOrigins("*").withHeartbeat(time);
    assertThat(both.allowedHeaders())
        .containsExactly(
            "Cache-Control", "Content-Type", "Last-Event-ID", "X-Requested-With", "X-Y");
    assertThat(both.allowedOrigins()).containsExactly("*");
    assertThat(both.withAllowedHeaders().withAllowedOrigins().withHeartbeat(DEFAULTS.heartbeat()))
        .isEqualTo(DEFAULTS);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "*", "X Y", "X:", "X,Y", "Äh", "X-Y\r\nZ"})
  void headersThatAreNoneAreRefused(String header) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DEFAULTS.withAllowedHeaders(header))
        .withMessageContaining("header");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "*",
        "https://example.org",
        "http://localhost:8080",
        "https://example.org:80",
        "http://127.0.0.1",
        "http://[::1]:8080",
        "https://xn--bcher-kva.example",
        "app://example",
        "app://-",
        "http://my_host:8080",
        "https://a_b.example.org"
      })
  void originsAsBrowsersWriteThem(String origin) {
    assertThat(DEFAULTS.withAllowedOrigins(origin).allowedOrigins()).containsExactly(origin);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "null",
        "example.org",
        "//example.org",
        "https://",
        "https://example.org/",
        "https://example.org/path",
        "https://example.org?x",
        "https://example.org#x",
        "https://user@example.org",
        "https://example.org:443",
        "http://example.org:80",
        "https://example.org:",
        "HTTPS://example.org",
        "https://Example.org",
        "https://*.example.org",
        "https://[example]",
        "https://example.org:08",
        "https://example.org:123456",
        "https://exa mple.org",
        "https://example.org\r\nX: y"
      })
  void originsThatNoBrowserWouldSendAreRefused(String origin) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DEFAULTS.withAllowedOrigins(origin))
        .withMessageContaining("origin");
  }
}
