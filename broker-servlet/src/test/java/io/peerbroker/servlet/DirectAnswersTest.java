package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

import jakarta.servlet.ServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import org.eclipse.jetty.server.Response;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class DirectAnswersTest {

  private static final Reply SHORT = Reply.noContent();

  private final DirectAnswers direct = new DirectAnswers();

  @Test
  @DisplayName("At most four threads may wait in a write.")
  void placesAreBounded() {
    for (int i = 0; i < 4; i++) {
      assertThat(direct.enter(SHORT)).isTrue();
    }
    assertThat(direct.enter(SHORT)).isFalse();
    direct.leave();
    assertThat(direct.enter(SHORT)).isTrue();
    assertThat(direct.enter(SHORT)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"1024, true", "1025, false"})
  @DisplayName("A long answer takes no place.")
  void onlyShortOnes(int bytes, boolean entered) {
    assertThat(direct.enter(Reply.json(200, new byte[bytes]))).isEqualTo(entered);
    assertThat(direct.enter(SHORT)).isTrue();
  }

  @Test
  @DisplayName(
      "Only HTTP/1 on a container that ends a write which blocks, and no filter's response.")
  void whereTheyFit() {
    ServletRequest first = request("HTTP/1.1");
    HttpServletResponse jettys = mock(Response.class);
    assertThat(DirectAnswers.fit(first, jettys)).isTrue();
    assertThat(DirectAnswers.fit(request("HTTP/2.0"), jettys)).isFalse();
    assertThat(DirectAnswers.fit(first, new HttpServletResponseWrapper(jettys))).isFalse();
    assertThat(DirectAnswers.fit(first, mock(HttpServletResponse.class))).isFalse();
  }

  private static ServletRequest request(String protocol) {
    ServletRequest request = mock(ServletRequest.class);
    when(request.getProtocol()).thenReturn(protocol);
    return request;
  }
}
