package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Numbered requests: each is performed once, and repeats get its answer. */
final class LastAnswerTest {

  private final LastAnswer last = new LastAnswer();
  private final List<String> performed = new ArrayList<>();

  private CompletionStage<Answer> perform(String name) {
    performed.add(name);
    return CompletableFuture.completedStage(new Answer.SessionOpened(name));
  }

  private static Answer now(CompletionStage<Answer> stage) {
    CompletableFuture<Answer> future = stage.toCompletableFuture();
    assertThat(future).isDone();
    return future.join();
  }

  @Test
  @DisplayName("The same number has the same answer, whatever is asked.")
  void repeats() {
    Answer first = now(last.once(7, () -> perform("a")));
    assertThat(now(last.once(7, () -> perform("b")))).isSameAs(first);
    assertThat(now(last.once(9, () -> perform("c")))).isEqualTo(new Answer.SessionOpened("c"));
    assertThat(performed).containsExactly("a", "c");
  }

  @Test
  @DisplayName("A lower number is refused, and the refusal names both numbers.")
  void lowerNumbers() {
    now(last.once(7, () -> perform("a")));
    for (long lower : List.of(1L, 6L)) {
      Refusal refusal = ((Answer.Refused) now(last.once(lower, () -> perform("b")))).refusal();
      assertThat(refusal.code()).isEqualTo(Refusal.Code.INVALID_REQUEST);
      assertThat(refusal.detail()).contains("'seq' is " + lower).contains("has had 7");
    }
    assertThat(performed).containsExactly("a");
  }

  @Test
  @DisplayName("A refusal is an answer, and so is a failure.")
  void refusalsAndFailures() {
    Answer refused = new Answer.Refused(Refusals.unknownTarget());
    now(last.once(1, () -> CompletableFuture.completedStage(refused)));
    assertThat(now(last.once(1, () -> perform("a")))).isSameAs(refused);
    IllegalStateException failure = new IllegalStateException("a fault");
    for (int i = 0; i < 2; i++) {
      assertThat(last.once(2, () -> CompletableFuture.failedStage(failure)).toCompletableFuture())
          .isCompletedExceptionally();
    }
    for (int i = 0; i < 2; i++) {
      CompletionStage<Answer> thrown =
          last.once(
              3,
              () -> {
                throw failure;
              });
      assertThat(thrown.toCompletableFuture()).isCompletedExceptionally();
    }
    assertThat(performed).isEmpty();
  }

  @Test
  @DisplayName("While a request is under way, its repeats wait for the same answer.")
  void underWay() {
    CompletableFuture<Answer> pending = new CompletableFuture<>();
    CompletableFuture<Answer> first = last.once(1, () -> pending).toCompletableFuture();
    CompletableFuture<Answer> second = last.once(1, () -> perform("b")).toCompletableFuture();
    // A caller that gives up completes its own stage, not that of the others.
    last.once(1, () -> perform("c")).toCompletableFuture().cancel(false);
    assertThat(first).isNotDone();
    assertThat(second).isNotDone();
    // The client has gone on.
    assertThat(now(last.once(2, () -> perform("d")))).isEqualTo(new Answer.SessionOpened("d"));
    pending.complete(Answer.Done.DONE);
    assertThat(now(first)).isSameAs(Answer.Done.DONE);
    assertThat(now(second)).isSameAs(Answer.Done.DONE);
    assertThat(performed).containsExactly("d");
  }

  @Test
  @DisplayName("However many repeat at once, each number is performed once at most.")
  void manyAtOnce() throws Exception {
    int numbers = 2_000;
    int threads = 4;
    AtomicIntegerArray times = new AtomicIntegerArray(numbers + 1);
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    CountDownLatch start = new CountDownLatch(threads);
    try {
      List<Future<?>> running = new ArrayList<>();
      for (int thread = 0; thread < threads; thread++) {
        running.add(
            pool.submit(
                () -> {
                  start.countDown();
                  start.await();
                  for (int number = 1; number <= numbers; number++) {
                    int asked = number;
                    String name = "s" + asked;
                    Answer answer =
                        last.once(
                                asked,
                                () -> {
                                  times.incrementAndGet(asked);
                                  return CompletableFuture.completedStage(
                                      new Answer.SessionOpened(name));
                                })
                            .toCompletableFuture()
                            .get(30, TimeUnit.SECONDS);
                    if (answer instanceof Answer.SessionOpened opened) {
                      assertThat(opened.sid()).isEqualTo(name);
                    }
                  }
                  return null;
                }));
      }
      for (Future<?> each : running) {
        each.get(60, TimeUnit.SECONDS);
      }
    } finally {
      pool.shutdownNow();
    }
    for (int number = 1; number <= numbers; number++) {
      assertThat(times.get(number)).as("times of number %d", number).isLessThanOrEqualTo(1);
    }
    assertThat(times.get(numbers)).isEqualTo(1);
  }
}
