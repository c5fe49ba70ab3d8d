package io.peerbroker.core;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The asks of one channel that wait for an answer: {@link Channel#ask}.
 *
 * <p>Messages have no number that an answer could repeat, so an answer is known by its sender
 * alone: the oldest ask to it has it. Stages complete outside the lock.
 */
final class OpenAsks {

  /** How many asks of one channel may be open. */
  static final int MAX = 1_024;

  /** One ask. Its fields are guarded by the lock of the asks, but for the timeout. */
  private static final class Ask {

    final String target;
    final CompletableFuture<Message> answer = new CompletableFuture<>();

    /** Cancelled when the answer comes. */
    volatile Timer.@Nullable Scheduled timeout;

    /** Whether it is known what became of the message. */
    boolean settled;

    /** The id of the message while it waits for a target that is away. */
    @Nullable String queuedAs;

    /** The ids that were lost on the way to this target before the ask was settled. */
    final Set<String> lost = new HashSet<>(0);

    Ask(String target) {
      this.target = target;
    }
  }

  /** The channel that asks. */
  private final String id;

  private final Timer timer;

  /** How many there are: spares a channel that asks nothing the lock. */
  private final AtomicInteger open = new AtomicInteger();

  /** The asks by their target, oldest first. */
  @GuardedBy("this")
  private final Map<String, Deque<Ask>> byTarget = new HashMap<>();

  /** Set once: no ask is added any longer. */
  @GuardedBy("this")
  private boolean closed;

  OpenAsks(String id, Timer timer) {
    this.id = id;
    this.timer = timer;
  }

  /** Sends a message, and returns the stage of its answer. */
  CompletionStage<Message> ask(
      Message message, Duration timeout, Function<Message, CompletionStage<Delivery>> send) {
    Ask ask = new Ask(message.target());
    try {
      add(ask);
    } catch (RefusedException refused) {
      return CompletableFuture.failedStage(refused);
    }
    try {
      ask.timeout = timer.schedule(timeout, () -> fail(ask, timedOut(ask.target, timeout)));
      var unused =
          send.apply(message).whenComplete((delivery, thrown) -> settle(ask, delivery, thrown));
    } catch (RuntimeException | Error failed) {
      // The application's timer or policy: nobody would ever complete the stage.
      fail(ask, failed);
    }
    return ask.answer.minimalCompletionStage();
  }

  private static TimeoutException timedOut(String target, Duration timeout) {
    return new TimeoutException("No message came from " + target + " within " + timeout + ".");
  }

  private synchronized void add(Ask ask) {
    if (closed) {
      throw refused(Refusal.Code.UNKNOWN_CHANNEL, "The channel has closed.");
    }
    if (open.get() >= MAX) {
      throw refused(
          Refusal.Code.RATE_LIMITED,
          "This channel waits for the answers to " + MAX + " asks, and may have no more open.");
    }
    open.incrementAndGet();
    byTarget.computeIfAbsent(ask.target, none -> new ArrayDeque<>(2)).add(ask);
  }

  /** Removes an ask; returns false if it has been completed. */
  private synchronized boolean remove(Ask ask) {
    Deque<Ask> asks = byTarget.get(ask.target);
    if (asks == null || !asks.remove(ask)) {
      return false;
    }
    if (asks.isEmpty()) {
      byTarget.remove(ask.target);
    }
    open.decrementAndGet();
    return true;
  }

  /** Looks at an event for what concerns asks; returns whether it is an answer to one. */
  boolean takes(Event event) {
    if (open.get() == 0) {
      return false;
    } else if (event instanceof Event.Received received) {
      return received.message().target().equals(id) && answer(received.message());
    } else if (event instanceof Event.Undelivered undelivered) {
      undelivered(undelivered);
    }
    return false;
  }

  /** Completes the oldest ask to the sender of a message; returns false if there is none. */
  private boolean answer(Message message) {
    Ask ask = takeOldest(message.origin());
    if (ask == null) {
      return false;
    }
    cancel(ask);
    ask.answer.complete(message);
    return true;
  }

  private synchronized @Nullable Ask takeOldest(String target) {
    Deque<Ask> asks = byTarget.get(target);
    Ask oldest = asks == null ? null : asks.peek();
    return oldest != null && remove(oldest) ? oldest : null;
  }

  /** Fails the ask whose message was not delivered, if there is one. */
  private void undelivered(Event.Undelivered event) {
    Ask ask = lost(event);
    if (ask != null) {
      fail(ask, notDelivered());
    }
  }

  private synchronized @Nullable Ask lost(Event.Undelivered event) {
    for (Ask ask : byTarget.getOrDefault(event.target(), new ArrayDeque<>(0))) {
      if (event.id().equals(ask.queuedAs)) {
        return ask;
      }
      if (!ask.settled) {
        ask.lost.add(event.id());
      }
    }
    return null;
  }

  private void settle(Ask ask, @Nullable Delivery delivery, @Nullable Throwable thrown) {
    if (delivery instanceof Delivery.Refused refused) {
      fail(ask, new RefusedException(refused.refusal()));
    } else if (thrown != null) {
      fail(ask, thrown);
    } else if (settled(ask, delivery instanceof Delivery.Queued queued ? queued.id() : null)) {
      fail(ask, notDelivered());
    }
  }

  /** Notes what became of a message; returns whether it is lost already. */
  private synchronized boolean settled(Ask ask, @Nullable String queuedAs) {
    ask.settled = true;
    ask.queuedAs = queuedAs;
    boolean isLost = queuedAs != null && ask.lost.contains(queuedAs);
    ask.lost.clear();
    return isLost;
  }

  /** Fails all asks: the channel has closed. */
  void close(CloseReason reason) {
    for (Ask ask : takeAll()) {
      cancel(ask);
      ask.answer.completeExceptionally(
          refused(
              Refusal.Code.UNKNOWN_CHANNEL,
              "The channel has closed (" + reason.code() + ") before an answer came."));
    }
  }

  private synchronized List<Ask> takeAll() {
    closed = true;
    List<Ask> all = new ArrayList<>(open.get());
    byTarget.values().forEach(all::addAll);
    byTarget.clear();
    open.set(0);
    return all;
  }

  private void fail(Ask ask, Throwable reason) {
    if (remove(ask)) {
      cancel(ask);
      ask.answer.completeExceptionally(reason);
    }
  }

  private static void cancel(Ask ask) {
    Timer.Scheduled timeout = ask.timeout;
    if (timeout != null) {
      ForeignCalls.runLogged(timeout::cancel);
    }
  }

  private static RefusedException notDelivered() {
    return refused(
        Refusal.Code.UNKNOWN_TARGET,
        "The target was away and did not come back: the message was not delivered.");
  }

  private static RefusedException refused(Refusal.Code code, String detail) {
    return new RefusedException(Refusal.of(code, detail));
  }
}
