package io.peerbroker.core;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The transport to a receiver or watcher in this JVM: calls it with one event at a time, on an
 * executor.
 *
 * <p>At most one of its turns is on the executor at a time; the thread that raises {@code wakeups}
 * from zero submits it. An executor may drop a turn silently, as {@code shutdownNow} does. So a
 * turn that has not begun is submitted again every {@link #LOOK}, which an executor that has shut
 * down rejects, and after {@link #GIVEN_UP} checks the stream is given up.
 */
final class ReceiverTransport implements Transport {

  /**
   * After this many events a turn goes to the back of the executor's queue, so that other tasks get
   * their turn.
   */
  private static final int TURN = 64;

  /** The time between two checks of a turn that has not begun. */
  static final Duration LOOK = Duration.ofSeconds(15);

  /** A turn that has not begun after this many checks never begins. */
  static final int GIVEN_UP = 5;

  private final Attachment attachment;
  private final Executor executor;
  private final @Nullable Timer timer;
  private final Consumer<Event> events;
  private final Consumer<CloseReason> closed;

  /** Made once, and not for each message. */
  private final Runnable taking = this::takeTurn;

  private final AtomicInteger wakeups = new AtomicInteger();
  private final AtomicBoolean lookedAfter = new AtomicBoolean();
  private volatile @Nullable CloseReason ending;

  /** The turn that was submitted last. */
  private volatile @Nullable Turn last;

  private volatile Timer.@Nullable Scheduled look;

  /**
   * @param timer schedules the checks of turns that do not begin; null for an executor that drops
   *     none
   */
  ReceiverTransport(
      Attachment attachment,
      Executor executor,
      @Nullable Timer timer,
      Consumer<Event> events,
      Consumer<CloseReason> closed) {
    this.attachment = attachment;
    this.executor = executor;
    this.timer = timer;
    this.events = events;
    this.closed = closed;
  }

  /**
   * A turn on its way to the executor's thread; may be submitted several times, and begins once.
   */
  private final class Turn extends AtomicBoolean implements Runnable {

    private static final long serialVersionUID = 1;

    /** How often it has been checked; used only by the checking task. */
    private int looks;

    @Override
    public void run() {
      if (!getAndSet(true)) {
        // An executor that runs it in place does so inside another turn, or inside one of this
        // transport.
        ForeignCalls.runTurn(taking);
      }
    }
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
    if (wakeups.getAndIncrement() == 0) {
      schedule();
      return;
    }
    Turn turn = last;
    if (turn != null && !turn.get()) {
      // The broker waits for this stream, so an executor that has dropped the turn must reject it
      // now.
      handOver(turn);
    }
  }

  private void schedule() {
    Turn turn = new Turn();
    last = turn;
    handOver(turn);
    if (timer != null && !turn.get()) {
      lookAfter(timer);
    }
  }

  private void handOver(Turn turn) {
    try {
      executor.execute(turn);
    } catch (RuntimeException | Error rejected) {
      // An Error if no thread can be started. If this turn never begins, no later one would be
      // submitted.
      if (!turn.getAndSet(true)) {
        detach(CloseReason.GONE);
      }
    }
  }

  private void lookAfter(Timer by) {
    if (!lookedAfter.getAndSet(true)) {
      try {
        look = by.schedule(LOOK, () -> look(by));
      } catch (RuntimeException | Error unscheduled) {
        lookedAfter.set(false);
        ForeignCalls.log(
            "The timer has rejected a task; a receiver that is never called will not be noticed",
            unscheduled);
      }
    }
  }

  private void look(Timer by) {
    lookedAfter.set(false);
    Turn turn = last;
    if (turn == null || turn.get() || isOver()) {
      return;
    }
    if (++turn.looks < GIVEN_UP) {
      handOver(turn);
      if (!turn.get()) {
        lookAfter(by);
      }
    } else {
      ForeignCalls.log(
          "The executor of a receiver or watcher has not begun its task for a minute; its stream ends",
          null);
      // If the turn begins after all, it finds this.
      ending = ending == null ? CloseReason.STALLED : ending;
      detach(CloseReason.STALLED);
    }
  }

  /** Returns whether the broker has released the stream and no longer waits for it. */
  private boolean isOver() {
    return attachment instanceof AbstractAttachment link && link.isDetached();
  }

  private void takeTurn() {
    try {
      callWithEvents();
    } catch (RuntimeException | Error failed) {
      // Otherwise no turn would ever be submitted again.
      ForeignCalls.log("A receiver's or watcher's stream has failed; it ends", failed);
      detach(CloseReason.GONE);
    }
  }

  private void callWithEvents() {
    for (int i = 0; i < TURN; i++) {
      int seen = wakeups.get();
      // Read before the queue: once the broker has asked the stream to end, it queues nothing more.
      CloseReason reason = ending;
      Envelope envelope = attachment.poll();
      if (envelope != null) {
        ForeignCalls.runLogged(() -> events.accept(envelope.event()));
        attachment.consumed(1);
      } else if (reason != null) {
        // The count stays above zero, so that no turn is submitted again.
        ForeignCalls.runLogged(() -> closed.accept(reason));
        detach(reason);
        return;
      } else if (wakeups.addAndGet(-seen) == 0) {
        return;
      }
    }
    schedule();
  }

  private void detach(CloseReason reason) {
    Timer.Scheduled waiting = look;
    if (waiting != null) {
      ForeignCalls.runLogged(waiting::cancel);
    }
    attachment.detach(reason);
  }
}
