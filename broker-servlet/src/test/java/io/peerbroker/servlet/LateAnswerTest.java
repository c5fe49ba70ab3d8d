package io.peerbroker.servlet;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.Mockito.doAnswer;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import io.peerbroker.test.FakeTimer;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The end of an answer whose request's body breaks off, on a container that never calls back. */
final class LateAnswerTest {

  private static final Duration GRACE = Duration.ofSeconds(1);

  private final FakeTimer timer = new FakeTimer();
  private final AsyncContext async = mock(AsyncContext.class);
  private final HttpServletRequest request = mock(HttpServletRequest.class);

  /** The tasks for a thread of the container's pool. */
  private final Queue<Runnable> pool = new ArrayDeque<>();

  @BeforeEach
  void container() throws IOException {
    HttpServletResponse response = mock(HttpServletResponse.class);
    ServletOutputStream out = mock(ServletOutputStream.class);
    when(request.getProtocol()).thenReturn("HTTP/1.1");
    when(async.getRequest()).thenReturn(request);
    when(async.getResponse()).thenReturn(response);
    when(response.getOutputStream()).thenReturn(out);
    doAnswer(started -> pool.add(started.getArgument(0))).when(async).start(any());
  }

  private LateAnswer begin() throws IOException {
    return LateAnswer.begin(async, true, HttpSettings.defaults(), new DirectAnswers(), timer);
  }

  @Test
  @DisplayName("A body that breaks off while it is being refused is cut off all the same.")
  void brokenWhileRefused() throws Exception {
    LateAnswer answer = begin();
    answer.awaitBody();
    answer.bodyIsBroken();
    answer.give(Reply.json(408, "{}".getBytes(UTF_8)));
    timer.advance(GRACE.minusMillis(1));
    pool.forEach(Runnable::run);
    verify(async, never()).complete();
    pool.clear();
    timer.advance(Duration.ofMillis(1));
    pool.forEach(Runnable::run);
    verify(async).complete();
  }

  @Test
  @DisplayName("A connection that cannot be closed keeps no exchange.")
  void unclosable() throws Exception {
    Closeable connection =
        () -> {
          throw new IllegalStateException("planted");
        };
    when(request.getAttribute("org.eclipse.jetty.server.HttpConnection")).thenReturn(connection);
    LateAnswer answer = begin();
    answer.awaitBody();
    answer.bodyIsBroken();
    timer.advance(GRACE);
    assertThatThrownBy(() -> pool.forEach(Runnable::run)).hasMessage("planted");
    verify(async).complete();
  }
}
