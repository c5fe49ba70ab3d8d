package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.mockito.ArgumentMatchers.anyString;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.reset;
import static org.mockito.Mockito.when;

import io.peerbroker.core.Refusal;
import io.peerbroker.core.RefusedException;
import jakarta.servlet.http.HttpServletRequest;
import java.security.Principal;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a policy learns about the sender of a request. */
final class HttpCallerTest {

  private static HttpServletRequest request(Map<String, List<String>> headers) {
    HttpServletRequest request = mock();
    when(request.getRemoteAddr()).thenReturn("192.0.2.1");
    when(request.getHeaderNames()).thenAnswer(call -> Collections.enumeration(headers.keySet()));
    when(request.getHeaders(anyString()))
        .thenAnswer(call -> Collections.enumeration(headers.get(call.<String>getArgument(0))));
    return request;
  }

  private static HttpCaller withCookies(String... lines) {
    return HttpCaller.of(request(Map.of("cookie", List.of(lines))));
  }

  @Test
  void headersAreFoundInAnyLetterCase() {
    HttpCaller caller =
        HttpCaller.of(
            request(
                Map.of("X-Token", List.of("a", "b"), "oRIGIN", List.of("https://app.example"))));
    assertThat(caller.header("x-tOKEN")).isEqualTo("a");
    assertThat(caller.headers("X-TOKEN")).containsExactly("a", "b").isUnmodifiable();
    assertThat(caller.origin()).isEqualTo("https://app.example");
    assertThat(caller.header("X-Other")).isNull();
    assertThat(caller.headers("X-Other")).isEmpty();
  }

  @Test
  void partsOfARequestDoAsWell() {
    Principal ada = () -> "ada";
    Map<String, List<String>> headers =
        Map.of("Origin", List.of("https://app.example"), "COOKIE", List.of("a=1"));
    HttpCaller caller = HttpCaller.of(ada, "192.0.2.1", "token=t", headers);
    assertThat(caller.principal()).isSameAs(ada);
    assertThat(caller.remoteAddress()).isEqualTo("192.0.2.1");
    assertThat(caller.origin()).isEqualTo("https://app.example");
    assertThat(caller.cookie("a")).isEqualTo("1");
    assertThat(caller.queryParameter("token")).isEqualTo("t");
    HttpCaller nobody = HttpCaller.of(null, null, null, Map.of());
    assertThat(nobody.remoteAddress()).isEmpty();
    assertThat(nobody.queryParameter("token")).isNull();
    Map<String, List<String>> large = Map.of("X", List.of("x".repeat(16_384)));
    assertThatExceptionOfType(RefusedException.class)
        .isThrownBy(() -> HttpCaller.of(null, null, null, large))
        .satisfies(
            refused -> assertThat(refused.refusal().code()).isEqualTo(Refusal.Code.TOO_LARGE));
  }

  @Test
  void whatIsNotThereIsAbsent() {
    HttpCaller caller = HttpCaller.of(request(Map.of()));
    assertThat(caller.principal()).isNull();
    assertThat(caller.origin()).isNull();
    assertThat(caller.cookie("a")).isNull();
    assertThat(caller.queryParameter("a")).isNull();
    HttpServletRequest gone = mock();
    assertThat(HttpCaller.of(gone).remoteAddress()).isEmpty();
    assertThat(HttpCaller.of(gone).header("a")).isNull();
  }

  @Test
  @Tag("A9")
  @DisplayName("No more than 16,384 characters are kept of a query and headers.")
  void whatIsKeptIsBounded() {
    String most = "x".repeat(16_382);
    assertThat(HttpCaller.of(request(Map.of("ab", List.of(most)))).header("ab")).isEqualTo(most);
    for (Map<String, List<String>> headers :
        List.of(Map.of("abc", List.of(most)), Map.of("ab", List.of(most, "")))) {
      assertThatExceptionOfType(RefusedException.class)
          .isThrownBy(() -> HttpCaller.of(request(headers)))
          .satisfies(
              refused -> assertThat(refused.refusal().code()).isEqualTo(Refusal.Code.TOO_LARGE));
    }
  }

  @Test
  void cookiesAreTakenAsTheyWereSent() {
    HttpCaller caller =
        withCookies("a=1; b = two words ;c=\"x=y\"; a=2;d;=e; f=; {}=\u00e9", "g=7");
    assertThat(caller.cookie("a")).isEqualTo("1");
    assertThat(caller.cookie("b")).isEqualTo("two words");
    assertThat(caller.cookie("c")).isEqualTo("\"x=y\"");
    assertThat(caller.cookie("f")).isEmpty();
    assertThat(caller.cookie("{}")).isEqualTo("\u00e9");
    assertThat(caller.cookie("g")).isEqualTo("7");
    for (String none : List.of("d", "e", "A", "x", "a=1")) {
      assertThat(caller.cookie(none)).as(none).isNull();
    }
    assertThat(withCookies("", ";", ";;", "=", " ").cookie("a")).isNull();
    assertThat(withCookies("a").cookie("a")).isNull();
    assertThat(withCookies("aa=1").cookie("a")).isNull();
  }

  @Test
  void parametersAreReadAsTheBrokersOwn() {
    HttpServletRequest request = request(Map.of());
    when(request.getQueryString()).thenReturn("t=a+b%C3%A9&twice=1&twice=2&bad=%zz&empty");
    HttpCaller caller = HttpCaller.of(request);
    assertThat(caller.queryParameter("t")).isEqualTo("a b\u00e9");
    assertThat(caller.queryParameter("empty")).isEmpty();
    assertThat(caller.queryParameter("T")).isNull();
    for (String wrong : List.of("twice", "bad")) {
      assertThatExceptionOfType(RefusedException.class)
          .isThrownBy(() -> caller.queryParameter(wrong))
          .withMessageContaining(wrong);
    }
  }

  @Test
  void aRequestMayGoAndItsSecretsAreNotShown() {
    HttpServletRequest request =
        request(Map.of("Authorization", List.of("secret"), "Cookie", List.of("c=secret")));
    Principal ada = () -> "secret";
    when(request.getUserPrincipal()).thenReturn(ada);
    when(request.getQueryString()).thenReturn("t=secret");
    HttpCaller caller = HttpCaller.of(request);
    reset(request);
    assertThat(caller.principal()).isSameAs(ada);
    assertThat(caller.remoteAddress()).isEqualTo("192.0.2.1");
    assertThat(caller.header("authorization")).isEqualTo("secret");
    assertThat(caller.cookie("c")).isEqualTo("secret");
    assertThat(caller.queryParameter("t")).isEqualTo("secret");
    assertThat(caller).hasToString("HttpCaller[192.0.2.1, logged in]");
    assertThat(HttpCaller.of(request(Map.of()))).hasToString("HttpCaller[192.0.2.1]");
  }
}
