package io.peerbroker.servlet;

import io.peerbroker.core.Channel;
import io.peerbroker.core.Delivery;
import io.peerbroker.core.Json;
import io.peerbroker.core.Message;
import io.peerbroker.core.Refusal;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Sends one message or several, each when the one before has been taken, and says what became of
 * them. The first that is refused is the last that is tried, so that what was taken is always the
 * beginning.
 */
final class Deliveries {

  private final Channel sender;
  private final String origin;
  private final String target;
  private final List<Json> messages;
  private final StringBuilder told = new StringBuilder("{\"deliveries\":[");
  private final CompletableFuture<Reply> reply = new CompletableFuture<>();
  private int next;

  private Deliveries(Channel sender, String origin, String target, List<Json> messages) {
    this.sender = sender;
    this.origin = origin;
    this.target = target;
    this.messages = messages;
  }

  /** Sends one message, and answers what became of it. */
  static CompletionStage<Reply> ofOne(Channel sender, String origin, String target, Json message) {
    CompletionStage<Delivery> stage = sender.send(new Message(origin, target, message));
    return stage == Delivery.sent()
        ? CompletableFuture.completedStage(Reply.json(200, "{\"delivery\":\"sent\"}"))
        : stage.thenApply(Deliveries::reply);
  }

  private static Reply reply(Delivery delivery) {
    return delivery instanceof Delivery.Refused refused
        ? Problem.of(refused.refusal()).reply()
        : Reply.json(200, told(delivery));
  }

  /** Sends several messages in order, and answers what became of each. */
  static CompletionStage<Reply> ofAll(
      Channel sender, String origin, String target, List<Json> messages) {
    Deliveries deliveries = new Deliveries(sender, origin, target, messages);
    deliveries.goOn();
    return deliveries.reply;
  }

  private void goOn() {
    // A reply that has come without us is a timeout: nobody learns of what is sent after it.
    while (next < messages.size() && !reply.isDone()) {
      CompletionStage<Delivery> stage =
          sender.send(new Message(origin, target, messages.get(next)));
      CompletableFuture<Delivery> delivered = stage.toCompletableFuture();
      if (!delivered.isDone()) {
        stage.whenComplete(
            (delivery, thrown) -> {
              if (tell(delivery, thrown)) {
                goOn();
              }
            });
        return;
      }
      if (!tell(delivered.join(), null)) {
        return;
      }
    }
    reply.complete(Reply.json(200, told.append("]}").toString()));
  }

  /** Notes what became of the next message; answers whether to go on with the one behind it. */
  private boolean tell(@Nullable Delivery delivery, @Nullable Throwable thrown) {
    if (delivery == null) {
      reply.completeExceptionally(
          thrown != null ? thrown : new IllegalStateException("No delivery"));
      return false;
    }
    boolean refused = delivery instanceof Delivery.Refused;
    if (refused && next == 0) {
      reply.complete(reply(delivery));
      return false;
    }
    int last = refused ? messages.size() - 1 : next;
    for (; next <= last; next++) {
      told.append(next == 0 ? "" : ",").append(told(delivery));
    }
    return true;
  }

  private static String told(Delivery delivery) {
    if (delivery instanceof Delivery.Refused refused) {
      Refusal refusal = refused.refusal();
      return "{\"delivery\":\"refused\",\"code\":\""
          + refusal.code().code()
          + "\",\"detail\":"
          + Json.of(refusal.detail())
          + "}";
    }
    return delivery instanceof Delivery.Queued queued
        ? "{\"delivery\":\"queued\",\"id\":" + Json.of(queued.id()) + "}"
        : "{\"delivery\":\"sent\"}";
  }
}
