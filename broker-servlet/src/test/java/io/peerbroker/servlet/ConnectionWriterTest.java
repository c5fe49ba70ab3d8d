package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Timer;
import io.peerbroker.test.FakeTimer;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

/** What writes to the streams of a connection that may block its writers. */
final class ConnectionWriterTest {

  private final FakeTimer timer = new FakeTimer();
  private final ConnectionWriter connection = new ConnectionWriter("a connection", timer);

  /** A stream that is ready to be written to. */
  private final class OpenStream {
    final FakeOutput output = new FakeOutput();
    final FakeSource source = new FakeSource();
    final StreamWriter writer = new StreamWriter(source, output, timer::nanoTime);

    OpenStream(String... texts) {
      writer.onWritePossible();
      source.with(texts);
    }

    void wake() {
      connection.wake(writer);
    }
  }

  @Test
  void nothingIsWrittenOnTheThreadThatWakes() {
    OpenStream stream = new OpenStream("a");
    stream.wake();
    assertThat(stream.output.calls).isEmpty();
    timer.runDue();
    assertThat(stream.output.calls).containsExactly("write a", "flush");
  }

  @Test
  void aThreadThatIsKeptInsideAWriteIsTheOnlyOne() {
    OpenStream kept = new OpenStream("a");
    OpenStream first = new OpenStream("b");
    OpenStream second = new OpenStream("c");
    kept.output.inside =
        () -> {
          // The connection takes nothing, and the other streams are woken time and again.
          first.wake();
          second.wake();
          first.wake();
          assertThat(timer.scheduled()).isZero();
          timer.advance(Duration.ofSeconds(5));
          assertThat(first.output.calls).isEmpty();
          assertThat(connection.waitedNanos(first.writer)).isEqualTo(5_000_000_000L);
          assertThat(connection.waitedNanos(kept.writer)).isZero();
        };
    kept.wake();
    timer.runDue();
    assertThat(kept.output.calls).containsExactly("write a", "flush");
    assertThat(first.output.calls).containsExactly("write b", "flush");
    assertThat(second.output.calls).containsExactly("write c", "flush");
    assertThat(connection.waitedNanos(first.writer)).isZero();
  }

  @Test
  void whatIsWokenInsideItsOwnWriteIsWrittenToAgain() {
    OpenStream stream = new OpenStream("a");
    stream.output.inside =
        () -> {
          stream.source.with("b");
          stream.wake();
        };
    stream.wake();
    timer.runDue();
    assertThat(stream.output.calls).contains("write a", "write b").endsWith("flush");
  }

  @Test
  void anErrorLeavesTheOthersTheirThread() {
    OpenStream fails = new OpenStream();
    fails.source.finished();
    fails.source.insideEnded =
        () -> {
          throw new AssertionError("an Error of the core's");
        };
    OpenStream other = new OpenStream("b");
    fails.wake();
    other.wake();
    try {
      timer.runDue();
    } catch (AssertionError ofTheCore) {
      assertThat(ofTheCore).hasMessageContaining("of the core's");
    }
    timer.runDue();
    assertThat(other.output.calls).containsExactly("write b", "flush");
    other.source.with("c");
    other.wake();
    timer.runDue();
    assertThat(other.output.calls).contains("write c");
  }

  @Test
  void aTimerThatRefusesEndsTheStreams() {
    Timer refusing =
        new Timer() {
          @Override
          public long nanoTime() {
            return 0;
          }

          @Override
          public Scheduled schedule(Duration delay, Runnable task) {
            throw new RejectedExecutionException("closed");
          }
        };
    OpenStream stream = new OpenStream("a");
    new ConnectionWriter("a connection", refusing).wake(stream.writer);
    assertThat(stream.source.told).containsExactly("FAILED", "closed");
    assertThat(stream.output.calls).containsExactly("complete");
  }
}
