package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.Mockito.doAnswer;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The headers that admit pages of other origins, or do not. */
final class CorsTest {

  private static final String OURS = "https://a.example";
  private static final String EXPOSED = "Link, Retry-After";

  @Test
  void offThereIsNothing() {
    assertThat(headers(Set.of(), OURS)).isEmpty();
  }

  @Test
  void everybodyIsLetInWithoutCredentials() {
    Map<String, String> expected =
        Map.of("Access-Control-Allow-Origin", "*", "Access-Control-Expose-Headers", EXPOSED);
    assertThat(headers(Set.of("*"), OURS)).isEqualTo(expected);
    assertThat(headers(Set.of("*"), null)).isEqualTo(expected);
  }

  @Test
  void aListedOriginIsLetInByName() {
    assertThat(headers(Set.of(OURS, "http://b.example"), OURS))
        .isEqualTo(
            Map.of(
                "Vary",
                "Origin",
                "Access-Control-Allow-Origin",
                OURS,
                "Access-Control-Allow-Credentials",
                "true",
                "Access-Control-Expose-Headers",
                EXPOSED));
  }

  @Test
  void anotherIsNot() {
    for (String origin :
        new @Nullable String[] {null, "null", "https://A.example", OURS + ":8443", "*", ""}) {
      assertThat(headers(Set.of(OURS), origin)).as(origin).isEqualTo(Map.of("Vary", "Origin"));
    }
  }

  @Test
  void onlyPreflightsOfListedOriginsAreAnswered() {
    assertThat(preflight(Set.of(OURS), OURS, "POST"))
        .isEqualTo(
            Map.of(
                "Access-Control-Allow-Methods", "POST, OPTIONS",
                "Access-Control-Allow-Headers",
                    "Cache-Control, Content-Type, Last-Event-ID, X-Requested-With",
                "Access-Control-Max-Age", "600"));
    assertThat(preflight(Set.of("*"), OURS, "POST")).hasSize(3);
    assertThat(preflight(Set.of(OURS), OURS, null)).isEmpty();
    assertThat(preflight(Set.of(OURS), "https://b.example", "POST")).isEmpty();
    assertThat(preflight(Set.of("*"), null, "POST")).isEmpty();
    assertThat(preflight(Set.of(), OURS, "POST")).isEmpty();
  }

  @Test
  void aPreflightNamesThePermittedHeaders() {
    Cors cors =
        new Cors(
            HttpSettings.defaults()
                .withAllowedOrigins(OURS)
                .withAllowedHeaders("X-Tenant", "authorization", "content-type"));
    HttpServletRequest request = request(OURS, "POST");
    HttpServletResponse response = response(new TreeMap<>());
    cors.apply(request, response);
    assertThat(cors.preflight(request, response, Reply.noContent(), "POST").headers())
        .containsEntry(
            "Access-Control-Allow-Headers",
            "authorization, Cache-Control, Content-Type, Last-Event-ID, X-Requested-With, X-Tenant");
  }

  private static Cors cors(Set<String> origins) {
    return new Cors(HttpSettings.defaults().withAllowedOrigins(origins.toArray(String[]::new)));
  }

  private static Map<String, String> headers(Set<String> allowed, @Nullable String origin) {
    Map<String, String> headers = new TreeMap<>();
    cors(allowed).apply(request(origin, null), response(headers));
    return headers;
  }

  private static Map<String, String> preflight(
      Set<String> allowed, @Nullable String origin, @Nullable String method) {
    Cors cors = cors(allowed);
    HttpServletRequest request = request(origin, method);
    HttpServletResponse response = response(new TreeMap<>());
    cors.apply(request, response);
    return cors.preflight(request, response, Reply.noContent(), "POST, OPTIONS").headers();
  }

  private static HttpServletRequest request(@Nullable String origin, @Nullable String method) {
    HttpServletRequest request = mock();
    when(request.getHeader("Origin")).thenReturn(origin);
    when(request.getHeader("Access-Control-Request-Method")).thenReturn(method);
    return request;
  }

  private static HttpServletResponse response(Map<String, String> headers) {
    HttpServletResponse response = mock();
    doAnswer(call -> headers.put(call.getArgument(0), call.getArgument(1)))
        .when(response)
        .setHeader(any(), any());
    doAnswer(call -> headers.merge(call.getArgument(0), call.getArgument(1), (a, b) -> a + "," + b))
        .when(response)
        .addHeader(any(), any());
    when(response.containsHeader(any()))
        .thenAnswer(call -> headers.containsKey(call.<String>getArgument(0)));
    return response;
  }
}
