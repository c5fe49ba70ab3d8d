package io.peerbroker.websocket;

import io.peerbroker.core.Answer;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Gateway;
import io.peerbroker.core.Refusal;
import io.peerbroker.core.RefusedException;
import io.peerbroker.core.Request;
import io.peerbroker.json.JsonAnswers;
import io.peerbroker.json.JsonMembers;
import io.peerbroker.json.JsonRequests;
import io.peerbroker.json.RequestPath;
import io.peerbroker.servlet.HttpSettings;
import jakarta.websocket.CloseReason;
import java.util.Queue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The requests of one WebSocket: reads them from its text messages, performs them in the order in
 * which they come, and keeps their answers until the connection takes them.
 *
 * <p>The messages come from one thread at a time; everything else is safe for use by many threads.
 */
final class SocketRequests {

  /**
   * How many requests may be under way or have answers that the client has not taken: reading
   * cannot be paused, so a client that sends on without reading is cut off.
   */
  static final int MAX_UNANSWERED = 256;

  /**
   * How many bytes of answers may wait when one more is added: room for a few that list 64
   * deliveries each.
   */
  static final int MAX_WAITING_BYTES = 64 << 10;

  private final Gateway gateway;
  private final JsonRequests reader;
  private final MessageReader messages;
  private final Runnable ready;
  private final Consumer<CloseReason> cutOff;

  private final AtomicInteger unanswered = new AtomicInteger();
  private final AtomicInteger waitingBytes = new AtomicInteger();
  private final Queue<byte[]> answers = new ConcurrentLinkedQueue<>();

  /** The channel, once it is open. */
  private volatile @Nullable Channel channel;

  /** Whether a request is being performed on the thread that receives. */
  private volatile boolean performing;

  /**
   * @param gateway that of the caller of the requests
   * @param ready called when there may be more to send, on any thread
   * @param cutOff cuts off a client that breaks the protocol, or that reads no answers
   */
  SocketRequests(
      Gateway gateway,
      HttpSettings settings,
      JsonRequests reader,
      Runnable ready,
      Consumer<CloseReason> cutOff) {
    this.gateway = gateway;
    this.reader = reader;
    this.ready = ready;
    this.cutOff = cutOff;
    messages =
        new MessageReader(
            settings,
            gateway.timer(),
            () -> cutOff.accept(Frames.tooLarge(settings.maxBodyBytes())));
  }

  /** Notes the channel to which the requests belong. */
  void opened(@Nullable Channel given) {
    channel = given;
  }

  /** Takes a part of a text message, and performs its request when all of it is there. */
  void received(String part, boolean last) {
    byte[] text = messages.read(part, last);
    if (text != null) {
      received(text);
    }
  }

  /** Returns whether a message has not come whole in its time. */
  boolean isOverdue() {
    return messages.isOverdue();
  }

  /**
   * Returns whether a request is being performed now: one that closes the channel is answered
   * before the farewell.
   */
  boolean isPerforming() {
    return performing;
  }

  /** Returns the next answer, which the client takes now; null if there is none. */
  byte @Nullable [] poll() {
    byte[] answer = answers.poll();
    if (answer != null) {
      unanswered.decrementAndGet();
      waitingBytes.addAndGet(-answer.length);
    }
    return answer;
  }

  /** Drops the answers: the connection is over. */
  void clear() {
    answers.clear();
  }

  private void received(byte[] text) {
    if (unanswered.incrementAndGet() > MAX_UNANSWERED) {
      cutOff.accept(Frames.tooManyUnanswered());
      return;
    }
    performing = true;
    try {
      RefusedException.untraced(() -> perform(text));
    } finally {
      performing = false;
      ready.run();
    }
  }

  private void perform(byte[] text) {
    Long ref = null;
    try {
      JsonMembers members = JsonMembers.of(text, gateway.limits().maxJsonDepth());
      ref = members.optionalNatural("ref");
      Long asked = ref;
      Request request = reader.read(path(members), members, channel());
      boolean several = JsonAnswers.isForSeveral(request, members);
      var unused =
          gateway
              .perform(request)
              .whenComplete(
                  (answer, failure) -> {
                    if (failure != null) {
                      refuse(asked, refusal(failure));
                    } else {
                      answer(asked, answer, several);
                    }
                  });
    } catch (Throwable failure) {
      // Errors too: the container would end the connection for them.
      refuse(ref, refusal(failure));
    }
  }

  private static RequestPath path(JsonMembers members) {
    RequestPath path = RequestPath.of(members.string("post"));
    if (path == null) {
      throw RefusedException.of(
          Refusal.Code.INVALID_REQUEST,
          "The member 'post' must be the path of a POST, such as /session or /send/<target>.");
    }
    return path;
  }

  private Channel channel() {
    Channel own = channel;
    if (own == null) {
      throw RefusedException.of(
          Refusal.Code.UNKNOWN_CHANNEL, "The channel is not open yet: wait for its first event.");
    }
    return own;
  }

  /** Returns the refusal that a failure is to the client. The broker's own failures are logged. */
  static Refusal refusal(Throwable failure) {
    Throwable thrown =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    if (thrown instanceof RefusedException refused) {
      return refused.refusal();
    }
    Log.log(System.Logger.Level.ERROR, "A request failed", thrown);
    return Refusal.of(Refusal.Code.INTERNAL, "The broker failed; its log says more.");
  }

  private void answer(@Nullable Long ref, Answer answer, boolean several) {
    if (answer instanceof Answer.Refused given) {
      refuse(ref, given.refusal());
    } else if (ref == null) {
      unanswered.decrementAndGet();
    } else {
      give(Frames.answer(ref, answer, several));
    }
  }

  private void refuse(@Nullable Long ref, Refusal refusal) {
    give(Frames.refusal(ref, refusal));
  }

  private void give(byte[] answer) {
    if (waitingBytes.getAndAdd(answer.length) > MAX_WAITING_BYTES) {
      cutOff.accept(Frames.tooManyWaiting());
      return;
    }
    answers.add(answer);
    ready.run();
  }
}
