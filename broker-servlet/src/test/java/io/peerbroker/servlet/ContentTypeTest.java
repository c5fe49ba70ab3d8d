package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

import io.peerbroker.json.RequestPath.Action;
import jakarta.servlet.http.HttpServletRequest;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.NullAndEmptySource;
import org.junit.jupiter.params.provider.ValueSource;

/** The media types that a body may come with. */
final class ContentTypeTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "application/json",
        " Application/JSON ",
        "application/json;charset=utf-8",
        "application/json ; CharSet = \"UTF-8\"",
        "application/json;profile=x;charset=UTF-8",
        "application/json;a=\";charset=x\"",
        "application/json;"
      })
  void jsonInUtf8(String type) {
    assertThatCode(() -> ContentType.require(request(type, null), Action.SEND))
        .doesNotThrowAnyException();
  }

  @ParameterizedTest
  @NullAndEmptySource
  @ValueSource(
      strings = {
        "text/plain",
        "text/json",
        "application/jsonx",
        "application/json, text/plain",
        "application/problem+json",
        "application/x-www-form-urlencoded",
        "application/json;charset=iso-8859-1",
        "application/json;charset=utf-16",
        "application/json;charset=",
        "application/json;charset",
        "application/json;charset=utf-8;charset=utf-16",
        ";charset=utf-8"
      })
  void nothingElse(@Nullable String type) {
    assertRefused(request(type, null));
  }

  @ParameterizedTest
  @EnumSource
  void textForPingsAndFarewells(Action endpoint) {
    HttpServletRequest text = request("text/plain;charset=utf-8", null);
    if (endpoint == Action.PING || endpoint == Action.CLOSE_CHANNEL) {
      assertThatCode(() -> ContentType.require(text, endpoint)).doesNotThrowAnyException();
    } else {
      assertThatExceptionOfType(Problem.class)
          .isThrownBy(() -> ContentType.require(text, endpoint));
    }
  }

  @ParameterizedTest
  @CsvSource({"gzip", "identity", "''"})
  void noEncoding(String encoding) {
    assertRefused(request("application/json", encoding));
  }

  private static void assertRefused(HttpServletRequest request) {
    assertThatExceptionOfType(Problem.class)
        .isThrownBy(() -> ContentType.require(request, Action.SEND))
        .satisfies(problem -> assertThat(problem.reply().status()).isEqualTo(415));
  }

  private static HttpServletRequest request(@Nullable String type, @Nullable String encoding) {
    HttpServletRequest request = mock();
    when(request.getHeader("Content-Type")).thenReturn(type);
    when(request.getHeader("Content-Encoding")).thenReturn(encoding);
    return request;
  }
}
