package io.peerbroker.core;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** What {@link Gateway#perform} answers a {@link Request}: a result of its own kind, or a no. */
public sealed interface Answer {

  /** The request was refused, and nothing of it has happened. */
  record Refused(Refusal refusal) implements Answer {
    public Refused {
      Objects.requireNonNull(refusal, "refusal");
    }
  }

  /** The channel or the session has been closed, or the session changed. */
  record Done() implements Answer {
    static final Done DONE = new Done();
  }

  /**
   * The answer to a ping: how the channel's stream stands.
   *
   * @param attached whether there is one ({@link Channel#isAttached()})
   * @param lastConsumed how far it has come ({@link Channel#lastConsumed()}), or null
   */
  record Pong(boolean attached, @Nullable String lastConsumed) implements Answer {

    /** An event's id is as good as a key. */
    @Override
    public String toString() {
      return "Pong[attached=" + attached + "]";
    }
  }

  /** The session is there. */
  record SessionOpened(String sid) implements Answer {
    public SessionOpened {
      Objects.requireNonNull(sid, "sid");
    }
  }

  /**
   * What became of each message, in order. What was taken is always the beginning: behind one that
   * was refused none was tried, and all of them are refused as it was. Where the first was refused,
   * the answer is {@link Refused}.
   */
  record Delivered(List<Delivery> deliveries) implements Answer {

    private static final CompletionStage<Answer> ONE_SENT =
        CompletableFuture.completedStage(new Delivered(List.of(new Delivery.Sent())));

    public Delivered {
      deliveries = List.copyOf(deliveries);
    }

    /**
     * Returns a complete stage for one message that was sent: always the same, so that an adapter
     * can tell it by its identity.
     */
    static CompletionStage<Answer> oneSent() {
      return ONE_SENT;
    }
  }
}
