package io.peerbroker.servlet;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The writer's states and the callbacks in every order, on one thread, by literal scenarios. */
final class StreamWriterTest {

  private final FakeOutput output = new FakeOutput();
  private final FakeSource source = new FakeSource();
  private volatile long now = 1_000;
  private final StreamWriter writer = new StreamWriter(source, output, () -> now);

  @Test
  void nothingIsWrittenBeforeTheFirstCallback() {
    source.with("a");
    writer.drain();
    assertThat(output.calls).isEmpty();
    writer.onWritePossible();
    assertThat(output.calls).containsExactly("write a", "flush");
  }

  @Test
  void allThatIsThereIsFlushedOnce() {
    source.with("a", "b", "c");
    writer.onWritePossible();
    assertThat(output.calls).containsExactly("write a", "write b", "write c", "flush");
  }

  @Test
  void withNothingToWriteNothingIsFlushed() {
    writer.onWritePossible();
    writer.drain();
    assertThat(output.calls).isEmpty();
    assertThat(source.told).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"true, 3", "false, 6"})
  @DisplayName(
      "Where a yes lasts, the container is asked once for each write and flush, and once after.")
  void asksNoMoreThanItMust(boolean steady, int asked) {
    output.steady = steady;
    source.with("a");
    writer.onWritePossible();
    assertThat(output.calls).containsExactly("write a", "flush");
    assertThat(source.told).containsExactly("taken");
    assertThat(output.asked).isEqualTo(asked);
  }

  @Test
  @DisplayName("Nothing is written to a response that ends between the question and the write.")
  void endsWhileTheSourceIsAsked() {
    output.steady = true;
    source.with("a");
    source.insideNext = writer::onCompleted;
    writer.onWritePossible();
    assertThat(output.calls).isEmpty();
  }

  @Test
  void writtenBytesCountOnceThereIsRoomAgain() {
    source.with("a");
    output.room = 2;
    writer.onWritePossible();
    assertThat(output.calls).containsExactly("write a");
    assertThat(source.told).isEmpty();
    output.room = 9;
    writer.drain();
    assertThat(source.told).as("no callback has reported room").isEmpty();
    writer.onWritePossible();
    assertThat(source.told).containsExactly("taken");
    assertThat(output.calls).containsExactly("write a", "flush");
  }

  @Test
  void whatWasAskedForButNotWrittenIsNotTaken() {
    source.with("a");
    output.room = 1;
    writer.onWritePossible();
    assertThat(output.calls).isEmpty();
    output.room = 2;
    writer.onWritePossible();
    assertThat(output.calls).containsExactly("write a");
    assertThat(source.told).isEmpty();
  }

  @Test
  void aFinishedSourceEndsOnceAllIsFlushed() {
    source.with("a").finished();
    writer.onWritePossible();
    assertThat(output.calls).containsExactly("write a", "flush", "complete");
    assertThat(source.told).containsExactly("taken", "COMPLETED", "closed");
  }

  @Test
  void aSourceThatFailsAtItsEndIsStillNotified() {
    source.insideEnded =
        () -> {
          throw new IllegalStateException("an application's timer has been shut down");
        };
    writer.onFailed();
    writer.onCompleted();
    assertThat(source.told).containsExactly("FAILED", "closed");
    assertThat(output.calls).containsExactly("complete");
  }

  @Test
  void aFinishedSourceWaitsForItsReader() {
    source.with("a").finished();
    output.room = 4;
    writer.onWritePossible();
    assertThat(output.calls).containsExactly("write a", "flush");
    writer.drain();
    assertThat(output.calls).doesNotContain("complete");
    output.room = 9;
    writer.onWritePossible();
    assertThat(output.calls).containsExactly("write a", "flush", "complete");
  }

  @ParameterizedTest
  @MethodSource("failures")
  void aFailedWriteEndsTheExchange(Exception failure) {
    source.with("a", "b");
    output.failure = failure;
    writer.onWritePossible();
    assertThat(source.told).as("before any callback").containsExactly("FAILED", "closed");
    writer.onFailed();
    writer.onCompleted();
    writer.drain();
    assertThat(output.calls).containsExactly("complete");
    assertThat(source.told).containsExactly("FAILED", "closed");
  }

  static List<Exception> failures() {
    return List.of(new IOException("reset"), new NullPointerException("as Tomcat does"));
  }

  @Test
  void aContainerThatFailsToAnswerEndsTheExchange() {
    output.insideIsReady =
        () -> {
          throw new IllegalStateException("recycled");
        };
    writer.onWritePossible();
    assertThat(source.told).containsExactly("FAILED", "closed");
  }

  @Test
  void aBatchIsKeptWhenTheWindowClosesUnderIt() {
    source.with("a", "b");
    output.failure = new IllegalStateException("not ready after all");
    writer.onWritePossible();
    writer.drain();
    assertThat(output.calls).isEmpty();
    assertThat(writer.blockedNanos()).isPositive();
    writer.onWritePossible();
    assertThat(output.calls).containsExactly("write a", "write b", "flush");
    assertThat(source.told).containsExactly("taken", "taken");
  }

  @Test
  void aFlushIsMadeGoodWhenTheWindowClosesUnderIt() {
    source.with("a");
    output.inside = () -> output.inside = () -> output.failure = new IllegalStateException();
    writer.onWritePossible();
    assertThat(output.calls).containsExactly("write a");
    writer.onWritePossible();
    assertThat(output.calls).containsExactly("write a", "flush");
  }

  @Test
  void theErrorCallbackMayComeInsideTheWrite() {
    source.with("a");
    output.inside =
        () -> {
          writer.onFailed();
          output.failure = new IOException("reset");
        };
    source.insideEnded = this::assertThatTheLockIsFree;
    writer.onWritePossible();
    assertThat(output.calls).containsExactly("complete");
    assertThat(source.told).containsExactly("FAILED", "closed");
  }

  @Test
  void roomMayBeToldInsideTheQuestionForIt() {
    source.with("a");
    output.room = 0;
    output.insideIsReady =
        () -> {
          output.room = 9;
          writer.onWritePossible();
        };
    writer.onWritePossible();
    assertThat(output.calls).containsExactly("write a", "flush");
  }

  @Test
  @DisplayName(
      "The end is reported without the lock, even if the container calls back inside complete.")
  void theEndIsToldWithoutTheLock() {
    output.insideComplete = writer::onCompleted;
    source.insideEnded = this::assertThatTheLockIsFree;
    writer.onWritePossible();
    writer.abandon();
    assertThat(source.told).containsExactly("ABANDONED", "closed");
  }

  private void assertThatTheLockIsFree() {
    assertThat(CompletableFuture.runAsync(writer::onCompleted)).succeedsWithin(20, SECONDS);
  }

  @Test
  void aBlockedExchangeIsAbandonedAndNotCompleted() {
    block();
    writer.abandon();
    assertThat(output.calls).doesNotContain("complete");
    assertThat(source.told).containsExactly("ABANDONED");
    output.room = 9;
    writer.drain();
    assertThat(output.calls).containsExactly("write a");
  }

  @Test
  @DisplayName("An abandoned exchange is completed once there is room.")
  void anAbandonedExchangeIsCompletedInTheEnd() {
    block();
    writer.abandon();
    writer.onWritePossible();
    assertThat(output.calls).containsExactly("write a", "complete");
    assertThat(source.told).containsExactly("ABANDONED", "closed");
  }

  @Test
  void anAbandonedExchangeIsCompletedOnceItFails() {
    block();
    writer.abandon();
    writer.onFailed();
    writer.onCompleted();
    assertThat(output.calls).containsExactly("write a", "complete");
    assertThat(source.told).containsExactly("ABANDONED", "closed");
  }

  @Test
  void anAbandonedExchangeThatEndsIsLeftAlone() {
    block();
    writer.abandon();
    writer.onCompleted();
    writer.abort();
    assertThat(output.calls).containsExactly("write a");
    assertThat(source.told).containsExactly("ABANDONED", "closed");
  }

  @Test
  void anAbandonedExchangeIsAbortedAtTheVeryLast() {
    block();
    writer.abandon();
    writer.abort();
    assertThat(output.calls).containsExactly("write a", "complete");
    assertThat(source.told).containsExactly("ABANDONED", "closed");
  }

  @Test
  void whatHasRoomIsCompletedWhenAbandoned() {
    source.with("a");
    writer.onWritePossible();
    writer.abandon();
    assertThat(output.calls).containsExactly("write a", "flush", "complete");
    assertThat(source.told).containsExactly("taken", "ABANDONED", "closed");
  }

  @Test
  @DisplayName("An exchange that its last write has filled is not completed when it is abandoned.")
  void aFilledExchangeIsNotCompletedAtOnce() {
    writer.onWritePossible();
    output.room = 0;
    writer.abandon();
    assertThat(output.calls).isEmpty();
    assertThat(source.told).containsExactly("ABANDONED");
  }

  @Test
  void whatHasNotBegunIsNotCompletedWhenAbandoned() {
    writer.abandon();
    assertThat(output.calls).isEmpty();
    writer.onWritePossible();
    assertThat(output.calls).containsExactly("complete");
  }

  @Test
  void aSourceThatFailsEndsTheExchange() {
    Logger log = Logger.getLogger(BrokerHttp.class.getName());
    log.setLevel(Level.OFF);
    source.failure = new IllegalStateException("planted by the test");
    writer.onWritePossible();
    log.setLevel(null);
    writer.drain();
    assertThat(output.calls).containsExactly("complete");
    assertThat(source.told).containsExactly("FAILED", "closed");
  }

  @Test
  void abortEndsWhateverStateItIsIn() {
    writer.abort();
    assertThat(output.calls).containsExactly("complete");
    assertThat(source.told).containsExactly("FAILED", "closed");
  }

  @Test
  void theTimeWithoutRoomIsCountedExactly() {
    now = 1_010;
    assertThat(writer.blockedNanos()).as("since the beginning").isEqualTo(10);
    writer.onWritePossible();
    now = 1_020;
    assertThat(writer.blockedNanos()).isZero();
    block();
    now = 1_050;
    assertThat(writer.blockedNanos()).isEqualTo(30);
    writer.drain();
    assertThat(writer.blockedNanos()).as("a wish changes nothing").isEqualTo(30);
    output.room = 9;
    writer.onWritePossible();
    assertThat(writer.blockedNanos()).isZero();
    writer.abort();
    assertThat(writer.blockedNanos()).isZero();
  }

  @Test
  void aFlushIsToldAndMayBringMore() {
    source.with("a");
    source.insideFlushed = () -> source.with("comment");
    writer.onWritePossible();
    assertThat(output.calls).containsExactly("write a", "flush", "write comment", "flush");
  }

  @Test
  void anErrorOutOfTheSourceEndsTheExchange() {
    Logger log = Logger.getLogger(BrokerHttp.class.getName());
    log.setLevel(Level.OFF);
    source.failure = new StackOverflowError("planted by the test");
    writer.onWritePossible();
    log.setLevel(null);
    assertThat(output.calls).containsExactly("complete");
    assertThat(source.told).containsExactly("FAILED", "closed");
  }

  /** As Open Liberty does for a stalled reader, and Tomcat for a stalled HTTP/2 connection. */
  @Test
  void aWriteThatBlocksKeepsNobodyWaiting() throws Exception {
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch letGo = new CountDownLatch(1);
    output.inside =
        () -> {
          inside.countDown();
          awaitUnchecked(letGo);
        };
    source.with("a", "b");
    CompletableFuture<Void> writing = CompletableFuture.runAsync(writer::onWritePossible);
    assertThat(inside.await(20, SECONDS)).isTrue();
    now = 1_050;
    assertThat(writer.blockedNanos()).as("since the write was begun").isEqualTo(50);
    writer.drain();
    writer.abandon();
    assertThat(source.told).as("while the write has not returned").containsExactly("ABANDONED");
    writer.abort();
    assertThat(output.calls).as("never beside the write").isEmpty();
    letGo.countDown();
    assertThat(writing).succeedsWithin(20, SECONDS);
    assertThat(output.calls).containsExactly("write a", "complete");
    assertThat(source.told).containsExactly("ABANDONED", "closed");
  }

  @Test
  @DisplayName("A write that returns after the reader was given up is the last.")
  void noWriteFollowsOneThatReturnsTooLate() throws Exception {
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch letGo = new CountDownLatch(1);
    output.inside =
        () -> {
          inside.countDown();
          awaitUnchecked(letGo);
          output.room = 0;
        };
    source.with("a", "b");
    CompletableFuture<Void> writing = CompletableFuture.runAsync(writer::onWritePossible);
    assertThat(inside.await(20, SECONDS)).isTrue();
    writer.abandon();
    letGo.countDown();
    assertThat(writing).succeedsWithin(20, SECONDS);
    assertThat(output.calls).as("not completed: there is no room").containsExactly("write a");
    output.room = 9;
    writer.onWritePossible();
    assertThat(output.calls).containsExactly("write a", "complete");
    assertThat(source.told).containsExactly("ABANDONED", "closed");
  }

  @Test
  void anErrorOnAnotherThreadWaitsForTheWrite() throws Exception {
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch letGo = new CountDownLatch(1);
    output.inside =
        () -> {
          inside.countDown();
          awaitUnchecked(letGo);
          output.failure = new IOException("reset");
        };
    source.with("a");
    CompletableFuture<Void> writing = CompletableFuture.runAsync(writer::onWritePossible);
    assertThat(inside.await(20, SECONDS)).isTrue();
    Thread callback = new Thread(writer::onCompleted);
    callback.start();
    Thread.State[] waits = {Thread.State.WAITING, Thread.State.TIMED_WAITING};
    await().atMost(20, SECONDS).until(() -> List.of(waits).contains(callback.getState()));
    // A stopping container interrupts its threads: the writer waits all the same.
    callback.interrupt();
    await()
        .atMost(20, SECONDS)
        .until(() -> !callback.isInterrupted() && List.of(waits).contains(callback.getState()));
    letGo.countDown();
    callback.join(SECONDS.toMillis(20));
    assertThat(callback.isAlive()).isFalse();
    assertThat(writing).succeedsWithin(20, SECONDS);
    assertThat(output.calls).containsExactly("complete");
    assertThat(source.told).containsExactly("FAILED", "closed");
  }

  private static void awaitUnchecked(CountDownLatch latch) {
    try {
      assertThat(latch.await(20, SECONDS)).isTrue();
    } catch (InterruptedException interrupted) {
      throw new AssertionError(interrupted);
    }
  }

  /** For any calls in any order: one end, one close after it, at most one complete. */
  @Test
  void everyOrderOfWhatCanHappenEndsOnce() {
    List<Consumer<StreamWriter>> all =
        List.of(
            StreamWriter::onWritePossible,
            StreamWriter::onFailed,
            StreamWriter::onCompleted,
            StreamWriter::abandon,
            StreamWriter::abort,
            StreamWriter::drain);
    for (int room = 0; room < 6; room++) {
      for (List<Consumer<StreamWriter>> order : permutations(all)) {
        FakeOutput out = new FakeOutput();
        out.room = room;
        FakeSource in = new FakeSource().with("a").finished();
        StreamWriter each = new StreamWriter(in, out, () -> now);
        order.forEach(step -> step.accept(each));
        in.told.removeIf("taken"::equals);
        assertThat(in.told).hasSize(2).endsWith("closed");
        assertThat(Collections.frequency(out.calls, "complete")).isLessThanOrEqualTo(1);
      }
    }
  }

  private static <T> List<List<T>> permutations(List<T> all) {
    if (all.isEmpty()) {
      return List.of(List.of());
    }
    List<List<T>> found = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      List<T> rest = new ArrayList<>(all);
      T first = rest.remove(i);
      for (List<T> order : permutations(rest)) {
        List<T> whole = new ArrayList<>(order);
        whole.add(0, first);
        found.add(whole);
      }
    }
    return found;
  }

  /** Writes one text, after which there is no more room. */
  private void block() {
    source.with("a");
    output.room = 2;
    writer.onWritePossible();
    assertThat(output.calls).containsExactly("write a");
  }

  @Test
  void aLogThatFailsKeepsNoStream() {
    Logger logger = Logger.getLogger(BrokerHttp.class.getName());
    Handler failing =
        new Handler() {
          @Override
          public void publish(LogRecord logged) {
            throw new IllegalStateException("the disk is full");
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    FakeOutput output = new FakeOutput();
    FakeSource source = new FakeSource();
    StreamWriter writer = new StreamWriter(source, output, () -> 0);
    source.failure = new IllegalStateException("planted");
    source.insideEnded =
        () -> {
          throw new IllegalStateException("planted");
        };
    logger.addHandler(failing);
    try {
      writer.onWritePossible();
    } finally {
      logger.removeHandler(failing);
    }
    assertThat(source.told).containsExactly("FAILED", "closed");
    assertThat(output.calls).containsExactly("complete");
  }
}
