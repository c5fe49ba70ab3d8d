package io.peerbroker.core;

import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Finds the targets of messages among the channels and sessions of this broker, and notifies
 * senders of messages that were not delivered. The application's router, if there is one, is in
 * front of it.
 */
final class LocalRouter implements Router {

  private final Directory directory;
  private final Ids ids;
  private final AbsentQueues absent;
  private final Counters counters;
  private final Listeners listeners;

  /** The router for senders' messages: the application's, or this one. */
  private final Router front;

  /**
   * @param front returns the application's router, which may use this one, or this one itself
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

  /** Returns the router for senders' messages. */
  Router front() {
    return front;
  }

  /**
   * Returns whether a stage is the completed one of {@link Delivery.Sent}, as nearly every one is.
   * There is only one such stage, so a comparison is enough.
   */
  static boolean isSent(CompletionStage<Delivery> stage) {
    return stage == Delivery.sent();
  }

  /** Routes a message, and turns every failure of foreign code into a refusal. */
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

  /** Returns the receipt for the sender of a message whose target's reader is away. */
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

  /**
   * Notifies the origin of a queued message, if it still exists, that its target has not read it.
   */
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
