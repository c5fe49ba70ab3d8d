package io.peerbroker.core;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * What {@link Gateway#perform} answers a {@link Request}: a result of its own kind, or a refusal.
 * Later versions may add kinds, so a switch over them needs a default branch.
 */
public sealed interface Answer {

  /**
   * The request was refused, and nothing of it has happened. One exception is a {@link
   * Request.Send} whose {@link Router} has not answered within 30 s ({@code internal}): messages
   * may have been delivered, and none is sent after this answer.
   */
  record Refused(Refusal refusal) implements Answer {
    public Refused {
      Objects.requireNonNull(refusal, "refusal");
    }
  }

  /**
   * The channel or the session has been closed, the session changed, or the list begun or ended.
   */
  record Done() implements Answer {
    static final Done DONE = new Done();
  }

  /**
   * The answer to a ping: the state of the channel's stream.
   *
   * @param attached whether a stream is attached ({@link Channel#isAttached()})
   * @param lastConsumed the last event that the network has taken ({@link Channel#lastConsumed()}),
   *     or null
   */
  record Pong(boolean attached, @Nullable String lastConsumed) implements Answer {

    /** An event's id is as good as a key. */
    @Override
    public String toString() {
      return "Pong[attached=" + attached + "]";
    }
  }

  /** The ICE servers that the client may use from now on. */
  record IceServersGiven(IceConfiguration configuration) implements Answer {
    public IceServersGiven {
      Objects.requireNonNull(configuration, "configuration");
    }
  }

  /** The session was created. */
  record SessionOpened(String sid) implements Answer {
    public SessionOpened {
      Objects.requireNonNull(sid, "sid");
    }
  }

  /**
   * The result for each message, in order. Messages are accepted from the beginning: after the
   * first refused message none is tried, and all of them have its refusal. If the first message is
   * refused, the answer is {@link Refused}.
   */
  record Delivered(List<Delivery> deliveries) implements Answer {

    private static final CompletionStage<Answer> ONE_SENT =
        CompletableFuture.completedStage(new Delivered(List.of(new Delivery.Sent())));

    public Delivered {
      deliveries = List.copyOf(deliveries);
    }

    /** Returns the one complete stage for a single message that was sent. */
    static CompletionStage<Answer> oneSent() {
      return ONE_SENT;
    }
  }
}
