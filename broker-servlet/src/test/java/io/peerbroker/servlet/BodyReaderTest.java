package io.peerbroker.servlet;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyInt;
import static org.mockito.Mockito.doAnswer;
import static org.mockito.Mockito.doThrow;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.times;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import io.peerbroker.core.Timer;
import io.peerbroker.test.FakeTimer;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * The first to come, a body's end or its deadline, decides; the test makes the container's calls.
 */
final class BodyReaderTest {

  private final FakeTimer timer = new FakeTimer();
  private final List<String> taken = new ArrayList<>();
  private final HttpServletRequest request = mock();
  private final HttpServletResponse response = mock();
  private final Closeable connection = mock();
  private final AsyncContext async = mock();
  private final ServletInputStream in = mock();
  private final ServletOutputStream out = mock();
  private final List<Runnable> handedOver = new ArrayList<>();
  private ReadListener listener;
  private WriteListener writer;
  private AsyncListener events;
  private boolean cancelIsLate;
  private Error failure;

  @BeforeEach
  void read() throws IOException {
    when(request.getMethod()).thenReturn("POST");
    when(request.getProtocol()).thenReturn("HTTP/1.1");
    when(request.getAttribute("org.eclipse.jetty.server.HttpConnection")).thenReturn(connection);
    when(request.isAsyncSupported()).thenReturn(true);
    when(request.startAsync()).thenReturn(async);
    when(request.getContentLengthLong()).thenReturn(-1L);
    when(request.getInputStream()).thenReturn(in);
    when(async.getRequest()).thenReturn(request);
    when(async.getResponse()).thenReturn(response);
    when(response.getOutputStream()).thenReturn(out);
    when(out.isReady()).thenReturn(true);
    doAnswer(call -> handedOver.add(call.getArgument(0))).when(async).start(any());
    doAnswer(call -> events = call.getArgument(0)).when(async).addListener(any());
    doAnswer(call -> listener = call.getArgument(0)).when(in).setReadListener(any());
    doAnswer(call -> writer = call.getArgument(0)).when(out).setWriteListener(any());
    Exchange exchange =
        new Exchange(
            request,
            response,
            HttpSettings.defaults().withContext(this::named),
            new DirectAnswers(),
            withLateCancel());
    BodyReader.read(
        exchange,
        HttpSettings.defaults().withContext(this::named),
        withLateCancel(),
        body -> {
          if (failure != null) {
            throw failure;
          }
          taken.add(context + new String(body, UTF_8));
        });
  }

  private String context = "";

  /** The application's context: a name that is set while the body is taken. */
  private Runnable named(Runnable task) {
    return () -> {
      context = "within ";
      task.run();
      context = "";
    };
  }

  /** Does the work of the container's pool, and calls the writer back if it waits for that. */
  private void runThePool() throws IOException {
    while (!handedOver.isEmpty()) {
      handedOver.remove(0).run();
      if (writer != null) {
        WriteListener waiting = writer;
        writer = null;
        waiting.onWritePossible();
      }
    }
  }

  /** A timer whose tasks may already have begun when they are cancelled. */
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

  /** Delivers these bytes, as often as the reader asks. */
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
  @DisplayName("A whole body is handed on by another thread, in the context of that thread.")
  void aWholeBodyIsHandedOnInItsContext() throws IOException {
    come("ab", 3);
    listener.onAllDataRead();
    assertThat(taken).isEmpty();
    runThePool();
    assertThat(taken).containsExactly("within ababab");
    verify(response, never()).setStatus(anyInt());
  }

  @Test
  void anErrorOfTheApplicationsIsAnsweredLateToo() throws IOException {
    failure = new NoClassDefFoundError("a policy's");
    listener.onAllDataRead();
    runThePool();
    verify(response).setStatus(500);
    verify(async).complete();
    assertThat(timer.scheduled()).isZero();
  }

  @Test
  void afterTheDeadlineNothingIsHandedOn() throws IOException {
    come("ab", 1);
    timer.advance(Duration.ofSeconds(10));
    verify(out, never().description("the timer writes nothing")).setWriteListener(any());
    runThePool();
    verify(response).setStatus(408);
    verify(out, times(2).description("in two pieces, where the body is still to come"))
        .write(any(byte[].class));
    verify(async, never().description("before its body has ended")).complete();
    come("ab", 1);
    listener.onAllDataRead();
    runThePool();
    verify(async).complete();
    listener.onError(new IOException("reset"));
    timer.advance(Duration.ofSeconds(10));
    runThePool();
    assertThat(taken).isEmpty();
    verify(async).complete();
    verify(response).setStatus(anyInt());
  }

  @Test
  void aDeadlineOfAWholeBodyRefusesNothing() throws IOException {
    cancelIsLate = true;
    listener.onAllDataRead();
    timer.advance(Duration.ofSeconds(10));
    runThePool();
    assertThat(taken).hasSize(1);
    verify(response, never()).setStatus(anyInt());
  }

  @Test
  @DisplayName(
      "Too large a body is refused at once; the rest is read and dropped until that is too much.")
  void tooMuchIsRefusedAtOnce() throws IOException {
    come("x".repeat(1_000), 100);
    runThePool();
    verify(response).setStatus(413);
    verify(response).setHeader("Connection", "close");
    verify(async, never()).complete();
    assertThatThrownBy(() -> come("x".repeat(1_000), 1_100)).isInstanceOf(IOException.class);
    listener.onError(new IOException("as the container tells it"));
    runThePool();
    verify(async, never().description("while the container cuts")).complete();
    timer.advance(Duration.ofSeconds(1));
    runThePool();
    verify(async).complete();
    assertThat(taken).isEmpty();
    assertThat(timer.scheduled()).isZero();
  }

  @Test
  void aRefusedBodyThatDribblesIsCutInTime() throws IOException {
    timer.advance(Duration.ofSeconds(10));
    runThePool();
    come("x", 1);
    timer.advance(Duration.ofSeconds(9));
    come("x", 1);
    timer.advance(Duration.ofSeconds(2));
    assertThatThrownBy(() -> come("x", 1)).isInstanceOf(IOException.class);
  }

  @Test
  void aRefusedBodyWithoutContentIsCutInTime() throws IOException {
    timer.advance(Duration.ofSeconds(10));
    runThePool();
    come("", 1);
    timer.advance(Duration.ofSeconds(9));
    come("", 1);
    timer.advance(Duration.ofSeconds(2));
    assertThatThrownBy(() -> come("", 1)).isInstanceOf(IOException.class);
  }

  @Test
  @DisplayName("The connection is closed where the container hands it out.")
  void theConnectionIsClosedWhereItIsKnown() throws IOException {
    timer.advance(Duration.ofSeconds(10));
    runThePool();
    verify(connection, never()).close();
    listener.onError(new IOException("cut off"));
    timer.advance(Duration.ofSeconds(1));
    runThePool();
    verify(connection).close();
    verify(async).complete();
    assertThat(timer.scheduled()).isZero();
  }

  @Test
  @DisplayName("A body that ends behind its refusal leaves the connection open.")
  void aBodyEndingBehindItsRefusalIsLeftAlone() throws IOException {
    timer.advance(Duration.ofSeconds(10));
    runThePool();
    listener.onAllDataRead();
    timer.advance(Duration.ofSeconds(20));
    runThePool();
    verify(async).complete();
    verify(connection, never()).close();
    assertThat(timer.scheduled()).isZero();
  }

  @Test
  void aBodyThatBreaksOffIsRefused() throws IOException {
    listener.onError(new IOException("early end"));
    runThePool();
    verify(response).setStatus(400);
    timer.advance(Duration.ofSeconds(1));
    runThePool();
    verify(async).complete();
    assertThat(timer.scheduled()).isZero();
  }

  @Test
  @DisplayName("A failure is completed again if the container forgets the completion.")
  void aForgottenFailureIsCompletedAgain() throws IOException {
    timer.advance(Duration.ofSeconds(10));
    handedOver.remove(0).run();
    handedOver.remove(0).run();
    writer.onError(new IOException("timed out"));
    verify(async).complete();
    events.onError(mock(AsyncEvent.class));
    verify(async, times(2)).complete();
    assertThat(timer.scheduled()).isZero();
  }

  @Test
  void aContainerThatHasEndedTheExchangeMayComplain() throws IOException {
    doThrow(new NullPointerException("recycled")).when(response).setStatus(anyInt());
    doThrow(new IllegalStateException("completed")).when(async).complete();
    timer.advance(Duration.ofSeconds(10));
    runThePool();
    verify(async).complete();
    assertThat(timer.scheduled()).isZero();
  }

  @Test
  void aContainerWithoutThreadsEndsTheExchange() {
    doThrow(new RejectedExecutionException("stopped")).when(async).start(any());
    timer.advance(Duration.ofSeconds(10));
    verify(async).complete();
    assertThat(timer.scheduled()).isZero();
  }
}
