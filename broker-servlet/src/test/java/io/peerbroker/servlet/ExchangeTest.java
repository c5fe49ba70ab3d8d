package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.anyString;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import io.peerbroker.core.Broker;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.http.HttpServletMapping;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.MappingMatch;
import java.io.IOException;
import java.util.Collections;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A request that has gone asynchronous and then fails, which no container can be made to do. */
final class ExchangeTest {

  @ParameterizedTest
  @ValueSource(strings = {"/channel", "/list"})
  void whatCannotBeginIsAnsweredAndEnded(String path) throws Exception {
    HttpServletRequest request = mock(HttpServletRequest.class);
    HttpServletResponse response = mock(HttpServletResponse.class);
    HttpServletMapping mapping = mock(HttpServletMapping.class);
    AsyncContext async = mock(AsyncContext.class);
    ServletOutputStream out = mock(ServletOutputStream.class);
    when(request.getMethod()).thenReturn("GET");
    when(request.getRequestURI()).thenReturn(path);
    when(request.getServletPath()).thenReturn(path);
    when(request.getHttpServletMapping()).thenReturn(mapping);
    when(mapping.getMappingMatch()).thenReturn(MappingMatch.DEFAULT);
    when(request.getHeaders(anyString())).thenReturn(Collections.emptyEnumeration());
    when(request.isAsyncSupported()).thenReturn(true);
    when(request.startAsync()).thenReturn(async);
    when(async.getResponse()).thenReturn(response);
    // The stream for the events is not available; the one for the refusal is.
    when(response.getOutputStream()).thenThrow(new IOException("planted")).thenReturn(out);

    try (Broker broker = Broker.create()) {
      new BrokerHttp(broker, HttpSettings.defaults()).handle(request, response);
      verify(response).setStatus(500);
      verify(async).complete();
      assertThat(broker.stats().streams()).isZero();
      assertThat(broker.stats().channels()).isZero();
    }
  }
}
