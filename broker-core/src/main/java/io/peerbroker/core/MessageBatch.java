package io.peerbroker.core;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The messages of one request, each sent after the previous one was accepted. The first one that is
 * refused is the last one that is tried.
 *
 * <p>Used by one thread at a time: the request's, and then the one on which the application's
 * router answers.
 */
final class MessageBatch {

  /** How long the application's router may take for one request. */
  private static final Duration ROUTE_TIMEOUT = Duration.ofSeconds(30);

  private final LocalChannel sender;
  private final Request.Send request;
  private final @Nullable Consumer<Message> permission;
  private final List<Delivery> deliveries = new ArrayList<>();
  private final CompletableFuture<Answer> answer = new CompletableFuture<>();

  private MessageBatch(
      LocalChannel sender, Request.Send request, @Nullable Consumer<Message> permission) {
    this.sender = sender;
    this.request = request;
    this.permission = permission;
  }

  /**
   * Sends the messages of a request, whose sizes and origin have been checked.
   *
   * @param sender the channel that owns the origin
   * @param permission refuses a message that is not permitted; null where no policy is asked
   */
  static CompletionStage<Answer> send(
      LocalChannel sender,
      Request.Send request,
      @Nullable Consumer<Message> permission,
      Timer timer) {
    CompletionStage<Delivery> first = sender.sendChecked(message(request, 0), permission);
    // Nearly every request ends here, and has allocated nothing but its message.
    return LocalRouter.isSent(first) && request.messages().size() == 1
        ? Answer.Delivered.oneSent()
        : new MessageBatch(sender, request, permission).answer(first, timer);
  }

  private CompletionStage<Answer> answer(CompletionStage<Delivery> first, Timer timer) {
    goOn(first);
    if (!answer.isDone()) {
      // A router of the application's takes its time, or for ever.
      try {
        Timer.Scheduled timeout = timer.schedule(ROUTE_TIMEOUT, this::giveUp);
        var unused = answer.whenComplete((given, thrown) -> timeout.cancel());
      } catch (Throwable unscheduled) {
        // Nothing would ever end the wait. It also keeps the messages behind from being sent.
        answer.completeExceptionally(unscheduled);
      }
    }
    return answer;
  }

  private void giveUp() {
    if (answer.complete(new Answer.Refused(Refusals.unroutable()))) {
      ForeignCalls.log(
          "The application's router has not answered for " + ROUTE_TIMEOUT.toSeconds() + " s",
          null);
    }
  }

  private Message next() {
    return message(request, deliveries.size());
  }

  private static Message message(Request.Send request, int index) {
    return new Message(request.actor().id(), request.target(), request.messages().get(index));
  }

  private void goOn(CompletionStage<Delivery> first) {
    CompletionStage<Delivery> stage = first;
    while (true) {
      CompletableFuture<Delivery> delivered = stage.toCompletableFuture();
      if (!delivered.isDone()) {
        stage.whenComplete(
            (delivery, thrown) -> {
              if (note(delivery, thrown)) {
                RefusedException.untraced(this::goOnLater);
              }
            });
        return;
      }
      if (!note(delivered.join(), null)) {
        return;
      }
      stage = sender.send(next(), permission);
    }
  }

  private void goOnLater() {
    try {
      goOn(sender.send(next(), permission));
    } catch (Throwable failed) {
      // An exception on this thread would leave the stage incomplete.
      answer.completeExceptionally(failed);
    }
  }

  /** Notes the result of the next message; returns whether to continue with the one after it. */
  private boolean note(@Nullable Delivery delivery, @Nullable Throwable thrown) {
    if (delivery == null) {
      answer.completeExceptionally(
          thrown != null ? thrown : new IllegalStateException("No delivery"));
      return false;
    }
    int all = request.messages().size();
    if (delivery instanceof Delivery.Refused refused) {
      if (deliveries.isEmpty()) {
        answer.complete(new Answer.Refused(refused.refusal()));
        return false;
      }
      while (deliveries.size() < all) {
        deliveries.add(delivery);
      }
    } else {
      deliveries.add(delivery);
    }
    if (deliveries.size() == all) {
      answer.complete(new Answer.Delivered(deliveries));
    }
    // If the stage is already complete, the request was given up, and the rest would not be
    // reported.
    return !answer.isDone();
  }
}
