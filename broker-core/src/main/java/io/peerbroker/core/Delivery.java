package io.peerbroker.core;

import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The result of sending a message.
 *
 * <p>Later versions may add kinds. Test with {@code instanceof} for the kind that you act on, most
 * often {@link Refused}, or give a {@code switch} a {@code default} branch: for every kind but
 * {@link Refused} the broker has accepted the message.
 */
public sealed interface Delivery {

  /**
   * The message is in the queue of a channel whose stream is attached. The client may not have
   * received it yet.
   */
  record Sent() implements Delivery {
    private static final CompletionStage<Delivery> STAGE =
        CompletableFuture.completedStage(new Sent());
  }

  /**
   * The message waits for a target whose stream has broken and which may come back.
   *
   * @param id identifies the message in the notice to the sender if the target does not come back:
   *     {@link Event.Undelivered}
   */
  record Queued(String id) implements Delivery {
    public Queued {
      Objects.requireNonNull(id, "id");
    }
  }

  /** The message was not accepted, and nothing has happened. */
  record Refused(Refusal refusal) implements Delivery {
    public Refused {
      Objects.requireNonNull(refusal, "refusal");
    }
  }

  /** Returns a completed stage of {@link Sent}. */
  static CompletionStage<Delivery> sent() {
    return Sent.STAGE;
  }

  /** Returns a completed stage of {@link Queued}. */
  static CompletionStage<Delivery> queued(String id) {
    return CompletableFuture.completedStage(new Queued(id));
  }

  /** Returns a completed stage of {@link Refused}. */
  static CompletionStage<Delivery> refused(Refusal refusal) {
    return CompletableFuture.completedStage(new Refused(refusal));
  }
}
