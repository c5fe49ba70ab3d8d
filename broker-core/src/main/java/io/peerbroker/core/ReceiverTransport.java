package io.peerbroker.core;

import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The transport to a party in this JVM: calls it one event at a time on an executor.
 *
 * <p>At most one task of it is on the executor at a time; whoever makes {@code wakeups} leave zero
 * puts it there.
 */
final class ReceiverTransport implements Transport {

  /**
   * After so many events it goes to the back of the executor's queue, for the sake of the others
   * there.
   */
  private static final int TURN = 64;

  private final Attachment attachment;
  private final Executor executor;
  private final Consumer<Event> events;
  private final Consumer<CloseReason> closed;
  private final AtomicInteger wakeups = new AtomicInteger();
  private volatile @Nullable CloseReason ending;

  ReceiverTransport(
      Attachment attachment,
      Executor executor,
      Consumer<Event> events,
      Consumer<CloseReason> closed) {
    this.attachment = attachment;
    this.executor = executor;
    this.events = events;
    this.closed = closed;
  }

  @Override
  public void ready() {
    if (wakeups.getAndIncrement() == 0) {
      schedule();
    }
  }

  @Override
  public void end(CloseReason reason) {
    ending = reason;
    ready();
  }

  private void schedule() {
    try {
      // An executor that runs it in place does so inside another's turn, or this one's own.
      executor.execute(() -> ForeignCalls.runTurn(this::takeTurn));
    } catch (RuntimeException | Error rejected) {
      // An Error where no thread can be had; if nobody takes a turn, nobody ever does again.
      attachment.detach(CloseReason.GONE);
    }
  }

  private void takeTurn() {
    for (int i = 0; i < TURN; i++) {
      int seen = wakeups.get();
      // Read before the queue: after the broker has said to end, it queues nothing more.
      CloseReason reason = ending;
      Envelope envelope = attachment.poll();
      if (envelope != null) {
        ForeignCalls.runLogged(() -> events.accept(envelope.event()));
        attachment.taken(1);
      } else if (reason != null) {
        // The count stays above zero: nobody schedules this again.
        ForeignCalls.runLogged(() -> closed.accept(reason));
        attachment.detach(reason);
        return;
      } else if (wakeups.addAndGet(-seen) == 0) {
        return;
      }
    }
    schedule();
  }
}
