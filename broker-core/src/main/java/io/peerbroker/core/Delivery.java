package io.peerbroker.core;

import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** What became of a message. */
public sealed interface Delivery {

  /**
   * It is in the queue of a channel whose stream is attached: handed to it, which is not yet
   * received by it.
   */
  record Sent() implements Delivery {
    private static final CompletionStage<Delivery> STAGE =
        CompletableFuture.completedStage(new Sent());
  }

  /**
   * It waits for a target whose stream has broken and who may come back.
   *
   * @param id by which the sender is told if the target does not: {@link Event.Undelivered}
   */
  record Queued(String id) implements Delivery {
    public Queued {
      Objects.requireNonNull(id, "id");
    }
  }

  /** It was not taken, and nothing has happened. */
  record Refused(Refusal refusal) implements Delivery {
    public Refused {
      Objects.requireNonNull(refusal, "refusal");
    }
  }

  /** A complete stage that says {@link Sent}. */
  static CompletionStage<Delivery> sent() {
    return Sent.STAGE;
  }

  /** A complete stage that says {@link Queued}. */
  static CompletionStage<Delivery> queued(String id) {
    return CompletableFuture.completedStage(new Queued(id));
  }

  /** A complete stage that says {@link Refused}. */
  static CompletionStage<Delivery> refused(Refusal refusal) {
    return CompletableFuture.completedStage(new Refused(refusal));
  }
}
