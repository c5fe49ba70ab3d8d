package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The settings of the HTTP side, and the values that they refuse. */
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
    assertThat(DEFAULTS.serveClient()).isTrue();
    assertThat(DEFAULTS.serveSockets()).isTrue();
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
    assertThat(DEFAULTS.withServeClient(false).serveClient()).isFalse();
    assertThat(DEFAULTS.withServeSockets(false).serveSockets()).isFalse();
    HttpSettings both =
        DEFAULTS.withAllowedHeaders("X-Y").withAllowedOrigins("*").withHeartbeat(time);
    assertThat(both.allowedHeaders())
        .containsExactly(
            "Cache-Control", "Content-Type", "Last-Event-ID", "X-Requested-With", "X-Y");
    assertThat(both.allowedOrigins()).containsExactly("*");
    assertThat(both.withAllowedHeaders().withAllowedOrigins().withHeartbeat(DEFAULTS.heartbeat()))
        .isEqualTo(DEFAULTS);
  }

  @Test
  void eachIsComparedAndShown() {
    Duration time = Duration.ofSeconds(1);
    UnaryOperator<Runnable> context = task -> task;
    Map<String, HttpSettings> changed = new LinkedHashMap<>();
    changed.put("heartbeat", DEFAULTS.withHeartbeat(time));
    changed.put("retry", DEFAULTS.withRetry(time));
    changed.put("writeTimeout", DEFAULTS.withWriteTimeout(time));
    changed.put("bodyTimeout", DEFAULTS.withBodyTimeout(time));
    changed.put("maxBodyBytes", DEFAULTS.withMaxBodyBytes(1));
    changed.put("allowedOrigins", DEFAULTS.withAllowedOrigins("https://example.org"));
    changed.put("allowedHeaders", DEFAULTS.withAllowedHeaders("X-Y"));
    changed.put("serveClient", DEFAULTS.withServeClient(false));
    changed.put("serveSockets", DEFAULTS.withServeSockets(false));
    changed.put("context", DEFAULTS.withContext(context));
    changed.forEach(
        (name, settings) -> {
          assertThat(settings).isNotEqualTo(DEFAULTS);
          assertThat(settings.toString()).contains(name + "=").isNotEqualTo(DEFAULTS.toString());
        });
    assertThat(changed.values()).doesNotHaveDuplicates();
    assertThat(changed.get("context").context()).isSameAs(context);
    assertThat(DEFAULTS.withRetry(time)).hasSameHashCodeAs(DEFAULTS.withRetry(time));
    assertThat(DEFAULTS).isNotEqualTo("HttpSettings");
    assertThat(changed.keySet())
        .containsExactlyInAnyOrderElementsOf(
            Arrays.stream(HttpSettings.class.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()))
                .filter(method -> !Modifier.isStatic(method.getModifiers()))
                .filter(method -> method.getParameterCount() == 0)
                .map(Method::getName)
                .filter(name -> !List.of("hashCode", "toString").contains(name))
                .toList());
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
