package io.peerbroker.core;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A watch that begins again when it has ended for want of speed or because of changed rights:
 * {@link Broker#keepWatching}.
 *
 * <p>It consists of one watch after another, never two at a time, with a pause between them. No
 * foreign code runs inside its lock.
 */
final class ReturningWatch implements Watch {

  /** The longest first pause; each further one is up to twice as long. */
  static final Duration FIRST = Duration.ofMillis(100);

  /** The longest pause, and how long a watch must have lasted for the pauses to begin anew. */
  static final Duration LONGEST = Duration.ofSeconds(30);

  /** Opens one watch: a broker's {@link Broker#watch(TagFilter, Watcher, Executor)}. */
  interface Door {
    Watch watch(TagFilter filter, Watcher watcher, Executor executor);
  }

  private final Door door;
  private final OpenStreams streams;
  private final Timer timer;

  /** All of the broker's that pause. */
  private final Set<ReturningWatch> returning;

  private final TagFilter filter;
  private final Watcher watcher;
  private final Executor executor;

  /** Set by the thread that notifies the watcher of the end. */
  private final AtomicBoolean notified = new AtomicBoolean();

  /** The watch that is open, or was the last to be. */
  @GuardedBy("this")
  private @Nullable Watch current;

  /** Whether the next watch is yet to come. */
  @GuardedBy("this")
  private boolean waiting;

  /** Set once: no further watch begins. */
  @GuardedBy("this")
  private boolean ended;

  /** How many pauses there were since a watch lasted. */
  @GuardedBy("this")
  private int pauses;

  /** Begins the next watch; cancelled at the end. */
  private volatile Timer.@Nullable Scheduled pending;

  /**
   * @param door watches through the broker, or through a caller's view of it
   * @param returning all of the broker's that pause: this one adds and removes itself
   */
  ReturningWatch(
      Door door,
      OpenStreams streams,
      Timer timer,
      Set<ReturningWatch> returning,
      TagFilter filter,
      Watcher watcher,
      Executor executor) {
    this.door = door;
    this.streams = streams;
    this.timer = timer;
    this.returning = returning;
    this.filter = filter;
    this.watcher = watcher;
    this.executor = executor;
  }

  /**
   * Begins the first watch.
   *
   * @throws RefusedException as {@link Broker#watch(TagFilter, Watcher, Executor)}
   */
  ReturningWatch begin() {
    open(false);
    return this;
  }

  private void open(boolean again) {
    Watch opened = door.watch(filter, new Part(again), executor);
    boolean tooLate;
    synchronized (this) {
      current = opened;
      tooLate = ended;
    }
    if (tooLate) {
      opened.close();
    }
  }

  /** The watcher of one watch, which passes everything on but an end that is not the last. */
  private final class Part implements Watcher {

    private final long began = timer.nanoTime();

    /** Whether the watcher is yet to learn that the list starts anew. */
    private boolean isRestart;

    Part(boolean again) {
      isRestart = again;
    }

    private void restart() {
      if (isRestart) {
        isRestart = false;
        ForeignCalls.runLogged(watcher::restarted);
      }
    }

    @Override
    public void added(ListedSession session) {
      restart();
      watcher.added(session);
    }

    @Override
    public void removed(String sid) {
      restart();
      watcher.removed(sid);
    }

    @Override
    public void ready(int count) {
      restart();
      watcher.ready(count);
    }

    @Override
    public void closed(CloseReason reason) {
      if (reason == CloseReason.OVERFLOW || reason == CloseReason.SCOPE_CHANGED) {
        pause(timer.nanoTime() - began >= LONGEST.toNanos(), Duration.ZERO);
      } else {
        notifyClosed(reason);
      }
    }
  }

  /**
   * Begins the next watch after a pause, unless the watch has ended.
   *
   * @param anew whether the pauses begin anew
   * @param atLeast how long the pause takes at least
   */
  private void pause(boolean anew, Duration atLeast) {
    int before;
    boolean isOver;
    synchronized (this) {
      if (anew) {
        pauses = 0;
      }
      before = pauses++;
      isOver = ended;
      waiting = !ended;
    }
    if (isOver) {
      executeClosed(CloseReason.CLOSED);
      return;
    }
    returning.add(this);
    long most = Math.min(FIRST.toNanos() << Math.min(before, 20), LONGEST.toNanos());
    long jittered = most / 2 + ThreadLocalRandom.current().nextLong(most / 2 + 1);
    Duration pause = Duration.ofNanos(Math.max(jittered, atLeast.toNanos()));
    try {
      pending = timer.schedule(pause, this::again);
      if (isEnded()) {
        cancel();
      }
    } catch (RuntimeException | Error unscheduled) {
      ForeignCalls.log("The timer has refused a task; a watch does not come back", unscheduled);
      end(CloseReason.GONE);
    }
    if (streams.isClosing()) {
      end(CloseReason.SHUTTING_DOWN);
    }
  }

  private synchronized boolean isEnded() {
    return ended;
  }

  private void again() {
    synchronized (this) {
      if (!waiting) {
        return;
      }
      waiting = false;
    }
    returning.remove(this);
    try {
      open(true);
    } catch (RefusedException refused) {
      Refusal refusal = refused.refusal();
      switch (refusal.code()) {
        case SHUTTING_DOWN -> executeClosed(CloseReason.SHUTTING_DOWN);
        case AT_CAPACITY, RATE_LIMITED, INTERNAL ->
            pause(false, refusal.retryAfter() == null ? Duration.ZERO : refusal.retryAfter());
        default -> executeClosed(CloseReason.SCOPE_CHANGED);
      }
    } catch (RuntimeException | Error failed) {
      ForeignCalls.log("A watch could not be opened again; it is tried later", failed);
      pause(false, Duration.ZERO);
    }
  }

  /** Ends it, if the next watch is yet to come: an open one is ended by other means. */
  void end(CloseReason reason) {
    boolean wasWaiting;
    synchronized (this) {
      wasWaiting = waiting;
      waiting = false;
      ended |= wasWaiting;
    }
    if (wasWaiting) {
      cancel();
      executeClosed(reason);
    }
  }

  private void cancel() {
    returning.remove(this);
    Timer.Scheduled scheduled = pending;
    if (scheduled != null) {
      ForeignCalls.runLogged(scheduled::cancel);
    }
  }

  private void executeClosed(CloseReason reason) {
    ForeignCalls.runLogged(
        () -> executor.execute(() -> ForeignCalls.runTurn(() -> notifyClosed(reason))));
  }

  private void notifyClosed(CloseReason reason) {
    if (!notified.getAndSet(true)) {
      ForeignCalls.runLogged(() -> watcher.closed(reason));
    }
  }

  @Override
  public TagFilter filter() {
    return filter;
  }

  @Override
  public void close() {
    Watch open;
    synchronized (this) {
      ended = true;
      open = waiting ? null : current;
    }
    if (open != null) {
      open.close();
    } else {
      end(CloseReason.CLOSED);
    }
  }
}
