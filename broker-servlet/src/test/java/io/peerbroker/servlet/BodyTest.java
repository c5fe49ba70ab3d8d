package io.peerbroker.servlet;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyInt;
import static org.mockito.Mockito.doAnswer;
import static org.mockito.Mockito.doThrow;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import io.peerbroker.core.Timer;
import io.peerbroker.test.FakeTimer;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Which comes first, a body's end or its deadline, decides; the container's calls are made here.
 */
final class BodyTest {

  private final FakeTimer timer = new FakeTimer();
  private final List<String> taken = new ArrayList<>();
  private final HttpServletRequest request = mock();
  private final HttpServletResponse response = mock();
  private final AsyncContext async = mock();
  private final ServletInputStream in = mock();
  private ReadListener listener;
  private boolean cancelIsLate;

  @BeforeEach
  void read() throws IOException {
    when(request.getMethod()).thenReturn("POST");
    when(request.isAsyncSupported()).thenReturn(true);
    when(request.startAsync()).thenReturn(async);
    when(request.getContentLengthLong()).thenReturn(-1L);
    when(request.getInputStream()).thenReturn(in);
    when(async.getResponse()).thenReturn(response);
    when(response.getOutputStream()).thenReturn(mock(ServletOutputStream.class));
    doAnswer(call -> listener = call.getArgument(0)).when(in).setReadListener(any());
    Body.read(
        new Exchange(request, response),
        HttpSettings.defaults(),
        withLateCancel(),
        body -> taken.add(new String(body, UTF_8)));
  }

  /** The timer, but for tasks that have begun, as it were, when they are taken back. */
  private Timer withLateCancel() {
    return new Timer() {
      @Override
      public long nanoTime() {
        return timer.nanoTime();
      }

      @Override
      public Scheduled schedule(Duration delay, Runnable task) {
        Scheduled scheduled = timer.schedule(delay, task);
        return () -> {
          if (!cancelIsLate) {
            scheduled.cancel();
          }
        };
      }
    };
  }

  /** Lets this come, as often as the reader asks. */
  private void come(String text, int times) throws IOException {
    int[] left = {times};
    when(in.isReady()).thenAnswer(call -> left[0] > 0);
    when(in.read(any(byte[].class)))
        .thenAnswer(
            call -> {
              left[0]--;
              byte[] bytes = text.getBytes(UTF_8);
              System.arraycopy(bytes, 0, call.<byte[]>getArgument(0), 0, bytes.length);
              return bytes.length;
            });
    listener.onDataAvailable();
  }

  @Test
  void aWholeBodyIsHandedOnAndHasNoDeadlineAnyMore() throws IOException {
    come("ab", 3);
    listener.onAllDataRead();
    assertThat(taken).containsExactly("ababab");
    assertThat(timer.scheduled()).isZero();
    verify(response, never()).setStatus(anyInt());
  }

  @Test
  void afterTheDeadlineNothingIsHandedOn() throws IOException {
    come("ab", 1);
    timer.advance(Duration.ofSeconds(10));
    verify(response).setStatus(408);
    verify(async).complete();
    come("ab", 1);
    listener.onAllDataRead();
    listener.onError(new IOException("reset"));
    assertThat(taken).isEmpty();
    verify(async).complete();
    verify(response).setStatus(anyInt());
  }

  @Test
  void aDeadlineThatRunsWhenAllIsThereRefusesNothing() throws IOException {
    cancelIsLate = true;
    listener.onAllDataRead();
    timer.advance(Duration.ofSeconds(10));
    assertThat(taken).hasSize(1);
    verify(response, never()).setStatus(anyInt());
  }

  @Test
  void tooMuchIsRefusedAtOnce() throws IOException {
    come("x".repeat(1_000), 100);
    verify(response).setStatus(413);
    verify(async).complete();
    listener.onAllDataRead();
    assertThat(taken).isEmpty();
    assertThat(timer.scheduled()).isZero();
  }

  @Test
  void aBodyThatBreaksOffIsRefused() {
    listener.onError(new IOException("early end"));
    verify(response).setStatus(400);
    verify(async).complete();
    assertThat(timer.scheduled()).isZero();
  }

  @Test
  void aContainerThatHasEndedTheExchangeMayComplain() {
    doThrow(new NullPointerException("recycled")).when(response).setStatus(anyInt());
    doThrow(new IllegalStateException("completed")).when(async).complete();
    timer.advance(Duration.ofSeconds(10));
    verify(async).complete();
  }
}
