package io.peerbroker.core;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The greatest number that a channel's requests have had, with the answer to that request: a client
 * whose answer was lost repeats the request, and it is performed once.
 *
 * <p>Safe for use by many threads. The lock is a leaf: requests are performed outside it.
 */
final class LastAnswer {

  /** Zero before the first numbered request. */
  @GuardedBy("this")
  private long seq;

  /** Incomplete while the request is performed. Null before the first numbered request. */
  @GuardedBy("this")
  private @Nullable CompletableFuture<Answer> answer;

  /**
   * Performs a request if its number is new.
   *
   * @param number at least 1
   * @param request what it throws is the stage's failure
   * @return for a number that is not new: the answer to the request with the same number, or a
   *     refusal if there has been a greater one
   */
  CompletionStage<Answer> once(long number, Supplier<CompletionStage<Answer>> request) {
    CompletableFuture<Answer> mine;
    synchronized (this) {
      if (number < seq) {
        return CompletableFuture.completedStage(
            new Answer.Refused(Refusals.lowerNumber(number, seq)));
      }
      if (number == seq) {
        return Objects.requireNonNull(answer).minimalCompletionStage();
      }
      mine = new CompletableFuture<>();
      seq = number;
      answer = mine;
    }
    try {
      var unused =
          request
              .get()
              .whenComplete(
                  (given, failed) -> {
                    if (failed == null) {
                      mine.complete(given);
                    } else {
                      mine.completeExceptionally(failed);
                    }
                  });
    } catch (Throwable failed) {
      // Out of memory, perhaps: a repeat must not wait for ever.
      mine.completeExceptionally(failed);
    }
    return mine.minimalCompletionStage();
  }

  /** Returns the last numbered request and its answer as they are now; null if there is none. */
  synchronized ChannelState.@Nullable Answered state() {
    CompletableFuture<Answer> given = answer;
    if (given == null) {
      return null;
    }
    boolean isKnown = given.isDone() && !given.isCompletedExceptionally();
    return new ChannelState.Answered(seq, isKnown ? given.getNow(null) : null);
  }

  /** Continues after the last numbered request of a channel that comes from another broker. */
  synchronized void restore(ChannelState.Answered last) {
    Answer given = last.answer();
    seq = last.seq();
    answer =
        CompletableFuture.completedFuture(
            given == null ? new Answer.Refused(Refusals.outcomeUnknown()) : given);
  }
}
