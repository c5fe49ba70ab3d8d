package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peerbroker.core.Timer;
import io.peerbroker.test.FakeTimer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

/** The writer to the streams of a connection that may block its writers. */
final class ConnectionWriterTest {

  private final FakeTimer timer = new FakeTimer();
  private final ConnectionWriter connection = new ConnectionWriter("a connection", timer);

  /** A stream that is ready for writes. */
  private final class OpenStream {
    final FakeOutput output = new FakeOutput();
    final FakeSource source = new FakeSource();
    final StreamWriter writer = new StreamWriter(source, output, timer::nanoTime);

    OpenStream(String... texts) {
      writer.onWritePossible();
      source.with(texts);
      source.givesWay = () -> connection.giveWay(writer);
    }

    /** Runs something inside each of its writes and flushes. */
    void insideEach(Runnable action) {
      output.inside =
          () -> {
            insideEach(action);
            action.run();
          };
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
          // The connection takes nothing, and the other streams are woken again and again.
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
  void aBusyStreamLetsOthersHaveTheirTurn() {
    OpenStream busy = new OpenStream("a1", "a2", "a3", "a4");
    OpenStream other = new OpenStream("b");
    busy.output.inside = other::wake;
    other.output.inside = () -> assertThat(busy.output.calls).containsExactly("write a1");
    busy.wake();
    timer.runDue();
    assertThat(other.output.calls).containsExactly("write b", "flush");
    assertThat(busy.output.calls)
        .containsExactly("write a1", "write a2", "write a3", "write a4", "flush");
  }

  @Test
  void busyStreamsTakeTurns() {
    OpenStream one = new OpenStream("a1", "a2", "a3");
    OpenStream other = new OpenStream("b1", "b2", "b3");
    List<String> order = new ArrayList<>();
    one.insideEach(() -> order.add("one"));
    other.insideEach(() -> order.add("other"));
    one.wake();
    other.wake();
    timer.runDue();
    assertThat(order)
        .containsExactly("one", "other", "one", "other", "one", "one", "other", "other");
    assertThat(one.output.calls).endsWith("write a3", "flush");
    assertThat(other.output.calls).endsWith("write b3", "flush");
  }

  @Test
  void waitingForOthersThatComeAndGoIsNoStandstill() {
    OpenStream last = new OpenStream("last");
    List<OpenStream> before = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      OpenStream slow = new OpenStream("a", "b");
      slow.insideEach(
          () -> {
            timer.advance(Duration.ofSeconds(2));
            assertThat(connection.waitedNanos(last.writer)).isBetween(1L, 4_000_000_000L);
          });
      slow.wake();
      before.add(slow);
    }
    last.wake();
    timer.runDue();
    assertThat(last.output.calls).containsExactly("write last", "flush");
    assertThat(before).allMatch(slow -> slow.output.calls.contains("write a"));
  }

  @Test
  void whatIsOverDoesNotWait() {
    OpenStream kept = new OpenStream("a");
    OpenStream over = new OpenStream("b");
    List<Integer> sizes = new ArrayList<>();
    kept.output.inside =
        () -> {
          over.wake();
          sizes.add(connection.size());
          connection.forget(over.writer);
          over.writer.abort();
          over.wake();
          sizes.add(connection.size());
        };
    kept.wake();
    timer.runDue();
    assertThat(sizes).containsExactly(1, 0);
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
    OpenStream stream = new OpenStream("a");
    refusing(new RejectedExecutionException("closed")).wake(stream.writer);
    assertThat(stream.source.told).containsExactly("FAILED", "closed");
    assertThat(stream.output.calls).containsExactly("complete");
  }

  @Test
  void aTimerThatFailsEndsTheStreams() {
    ConnectionWriter failing = refusing(new OutOfMemoryError("planted"));
    for (int i = 0; i < 2; i++) {
      OpenStream stream = new OpenStream("a");
      assertThatThrownBy(() -> failing.wake(stream.writer)).hasMessage("planted");
      assertThat(stream.source.told).containsExactly("FAILED", "closed");
    }
  }

  private static ConnectionWriter refusing(Throwable thrown) {
    Timer refusing =
        new Timer() {
          @Override
          public long nanoTime() {
            return 0;
          }

          @Override
          public Scheduled schedule(Duration delay, Runnable task) {
            if (thrown instanceof Error error) {
              throw error;
            }
            throw (RuntimeException) thrown;
          }
        };
    return new ConnectionWriter("a connection", refusing);
  }
}
