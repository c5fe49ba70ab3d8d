package io.peerbroker.core;

import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Finds the targets of messages among the channels and sessions of this broker, and lets their
 * senders know what was not delivered. In front of it stands the application's router, if there is
 * one.
 */
final class LocalRouter implements Router {

  private final Directory directory;
  private final Ids ids;
  private final AbsentQueues absent;
  private final Counters counters;
  private final Listeners listeners;

  /** What senders' messages go through: the application's router, or this one. */
  private final Router front;

  /**
   * @param front makes the application's router of this one, or returns this one
   */
  LocalRouter(
      Directory directory,
      Ids ids,
      AbsentQueues absent,
      Counters counters,
      Listeners listeners,
      UnaryOperator<Router> front) {
    this.directory = directory;
    this.ids = ids;
    this.absent = absent;
    this.counters = counters;
    this.listeners = listeners;
    this.front = Objects.requireNonNull(front.apply(this), "router");
  }

  /** Returns what senders' messages go through. */
  Router front() {
    return front;
  }

  /**
   * Whether a stage says {@link Delivery.Sent}, as nearly every one does, and is complete. There is
   * one such stage, so that it takes no more than a look.
   */
  static boolean isSent(CompletionStage<Delivery> stage) {
    return stage == Delivery.sent();
  }

  /** Sends a message on its way, and turns whatever goes wrong in foreign code into a refusal. */
  CompletionStage<Delivery> send(Message message) {
    try {
      CompletionStage<Delivery> stage = front.route(message);
      return isSent(stage) ? stage : stage.handle(LocalRouter::delivery);
    } catch (Throwable thrown) {
      // Errors too, and checked exceptions from languages that don't check them: send always
      // returns.
      return Delivery.refused(failed(thrown));
    }
  }

  private static Delivery delivery(@Nullable Delivery delivery, @Nullable Throwable thrown) {
    return delivery != null ? delivery : new Delivery.Refused(failed(thrown));
  }

  private static Refusal failed(@Nullable Throwable thrown) {
    ForeignCalls.log("The application's router failed", thrown);
    return Refusals.unroutable();
  }

  /**
   * Returns whether a target is known not to exist; an application's router may find it elsewhere.
   */
  boolean isUnknown(String target) {
    return front == this && directory.ownerOf(target) == null;
  }

  /** Puts a message into the queue of its target. */
  @Override
  public CompletionStage<Delivery> route(Message message) {
    LocalChannel target = directory.ownerOf(message.target());
    return target == null ? Delivery.refused(Refusals.unknownTarget()) : target.deliver(message);
  }

  /** Returns what the sender of a message is answered whose target's reader is away. */
  Outbox.Receipt receipt(Message message) {
    return new Outbox.Receipt(ids.delivery(), directory.ownerOf(message.origin()));
  }

  /**
   * Drops the largest of the queues whose readers are away, for one that stays smaller.
   *
   * @return whether there may be room now
   */
  boolean letLargestGo(AbsentQueues.@Nullable Place smaller, int bytes) {
    Outbox largest = absent.largerThan(smaller, bytes);
    if (largest == null) {
      return false;
    }
    largest.letGo().forEach(leftover -> notifyUndelivered(leftover, CloseReason.OVERFLOW));
    return true;
  }

  /** Notifies the origin of a queued message that its target has not read it, if it is there. */
  void notifyUndelivered(Outbox.QueuedMessage leftover, CloseReason reason) {
    Message message = leftover.message();
    LocalChannel origin = directory.ownerOf(message.origin());
    if (origin != null) {
      origin.notifyUndelivered(new Event.Undelivered(leftover.id(), message.target(), reason));
    }
    counters.messagesUndelivered.increment();
    listeners.messageUndelivered(message, leftover.id(), reason);
  }
}
