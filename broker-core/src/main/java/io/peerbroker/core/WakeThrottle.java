package io.peerbroker.core;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Decides when watches are woken after a change: at once if their last wake-up is longer ago than
 * the pause, otherwise when the pause is over, so that many changes cause one wake-up.
 *
 * <p>It works in two steps. A home's round visits its groups, each of which examines the changes.
 * If a group finds news, its round visits its watches and wakes them. Each home and each group has
 * one round at a time; a change during a round causes another one after a pause.
 *
 * <p>The thread that made the change does the first {@link #HERE} steps itself. An executor does
 * the rest, {@link #PIECE} steps at a time, so that one change does not occupy its thread with the
 * streams of thousands of watches, and homes and groups take turns. The timer only starts what is
 * due.
 *
 * <p>Safe for use by many threads. The lock is a leaf, except that tasks are scheduled while it is
 * held; rounds run outside it.
 */
final class WakeThrottle {

  /** The most work that one change does on its own thread: watches woken plus changes examined. */
  private static final int HERE = 64;

  /** How much work is done before other rounds have their turn on the executor. */
  private static final int PIECE = 256;

  /** What has a turn. */
  interface Throttled {

    Turn turn();
  }

  /** One pass through everything that a change affects, a piece at a time. */
  interface Round {

    /** Returns whether nothing is left to do. */
    boolean isOver();

    /**
     * Continues until nothing is left to do or the bound is reached. If it throws, it has advanced
     * by at least one.
     *
     * @param max how much work to do at most
     * @return how much of that is left
     */
    int go(int max);
  }

  /**
   * The state of the rounds of a home or a group. Its fields are guarded by the throttle's lock,
   * which the compiler cannot check from here.
   */
  static final class Turn {
    private final Supplier<Round> rounds;

    /** Runs its rounds, one at a time; null until the first one begins. */
    private @Nullable Running carrier;

    /** Whether a round is under way. */
    private boolean running;

    /** Whether another round is due, after the pause or after the one that is running. */
    private boolean due;

    /** When the last round ended, by the timer. */
    private long last;

    /**
     * @param rounds creates a round
     */
    Turn(Supplier<Round> rounds) {
      this.rounds = rounds;
    }
  }

  private final Timer timer;
  private final long pause;
  private final Executor executor;
  private final ReentrantLock lock = new ReentrantLock();

  /** The turns whose pause is not over, ordered by the end of the pause. */
  @GuardedBy("lock")
  private final PriorityQueue<Turn> waiting =
      new PriorityQueue<>((one, other) -> Long.compare(one.last - other.last, 0));

  /** What ends the first pause; null if nothing waits for one. */
  @GuardedBy("lock")
  private Timer.@Nullable Scheduled scheduled;

  /** The time for which it is scheduled. */
  @GuardedBy("lock")
  private long scheduledFor;

  /** How many runs of the beginner are on the executor or about to be. */
  @GuardedBy("lock")
  private int beginners;

  private final Runnable beginner = this::beginDue;

  /**
   * @param pause the least time between two rounds; zero for none
   */
  WakeThrottle(Timer timer, Duration pause, Executor executor) {
    this.timer = timer;
    this.pause = pause.toNanos();
    this.executor = executor;
  }

  /**
   * Begins or schedules the rounds of the homes that a change has touched. Called outside locks. A
   * failure for one of them is thrown after the others were handled.
   */
  void touched(List<? extends Throttled> homes) {
    int here = HERE;
    Throwable failure = null;
    for (Throttled home : homes) {
      try {
        here = touched(home.turn(), here);
      } catch (RuntimeException | Error failed) {
        here = 0;
        failure = failure == null ? failed : failure;
      }
    }
    rethrow(failure);
  }

  private static void rethrow(@Nullable Throwable failure) {
    if (failure instanceof RuntimeException exception) {
      throw exception;
    } else if (failure instanceof Error error) {
      throw error;
    }
  }

  /**
   * Begins or schedules the round of one turn, which has news.
   *
   * @param here how much work this thread may do
   * @return how much of that is left
   */
  int touched(Turn turn, int here) {
    Running now;
    lock.lock();
    try {
      now = begins(turn);
    } finally {
      lock.unlock();
    }
    return now == null ? here : begin(now, here);
  }

  /**
   * Wakes one stream on the executor: once for all that ask before that.
   *
   * @param due the stream's own, for this alone: whether it will be woken
   */
  void later(Runnable wake, AtomicBoolean due) {
    if (!due.getAndSet(true)) {
      execute(
          () -> {
            due.set(false);
            wake.run();
          });
    }
  }

  /** Returns the round to begin now; if there is none, notes that one is due. */
  @GuardedBy("lock")
  private @Nullable Running begins(Turn turn) {
    if (turn.running || turn.due) {
      turn.due = true;
      if (!turn.running) {
        scheduleRefused();
      }
      return null;
    }
    long now = timer.nanoTime();
    Running known = turn.carrier;
    if (known == null || now - turn.last >= pause) {
      return runs(turn);
    }
    await(turn, now);
    return null;
  }

  /** Notes that a round has begun. */
  @GuardedBy("lock")
  private Running runs(Turn turn) {
    Running carrier = turn.carrier;
    if (carrier == null) {
      carrier = new Running(turn);
      turn.carrier = carrier;
    }
    turn.due = false;
    turn.running = true;
    return carrier;
  }

  /** Schedules a round for the end of the pause. */
  @GuardedBy("lock")
  private void await(Turn turn, long now) {
    waiting.add(turn);
    turn.due = true;
    scheduleFor(turn.last + pause, now);
  }

  /** Retries if the timer has rejected the task for the waiting turns. */
  @GuardedBy("lock")
  private void scheduleRefused() {
    Turn first = waiting.peek();
    if (first != null && scheduled == null && beginners == 0) {
      scheduleFor(first.last + pause, timer.nanoTime());
    }
  }

  /** Schedules the task that begins due rounds, unless it is scheduled for an earlier time. */
  @GuardedBy("lock")
  private void scheduleFor(long time, long now) {
    if (scheduled != null) {
      if (scheduledFor - time <= 0) {
        return;
      }
      scheduled.cancel();
      scheduled = null;
    }
    scheduledFor = time;
    scheduled = timer.schedule(Duration.ofNanos(Math.max(1, time - now)), () -> pauseOver(time));
  }

  private void pauseOver(long time) {
    lock.lock();
    try {
      if (scheduledFor == time) {
        scheduled = null;
      }
      beginners++;
    } finally {
      lock.unlock();
    }
    execute(beginner);
  }

  /** Begins the rounds that are due. */
  private void beginDue() {
    int here = HERE;
    Throwable failure = null;
    try {
      for (Running due = nextDue(); due != null; due = nextDue()) {
        try {
          here = begin(due, here);
        } catch (RuntimeException | Error failed) {
          here = 0;
          failure = failure == null ? failed : failure;
        }
      }
    } finally {
      lock.lock();
      try {
        beginners--;
      } finally {
        lock.unlock();
      }
    }
    rethrow(failure);
  }

  private @Nullable Running nextDue() {
    lock.lock();
    try {
      Turn turn = waiting.peek();
      if (turn == null) {
        return null;
      }
      long due = turn.last + pause;
      long now = timer.nanoTime();
      if (due - now > 0) {
        scheduleFor(due, now);
        return null;
      }
      Running begun = runs(turn);
      waiting.remove();
      return begun;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Begins a round on this thread, as far as it may, and continues it on the executor.
   *
   * @param here how much work this thread may do
   * @return how much of that is left
   */
  private int begin(Running round, int here) {
    if (here > 0) {
      return round.go(here);
    }
    execute(round);
    return 0;
  }

  /** Notes that a round has ended; returns whether another one begins at once. */
  private boolean ended(Turn turn) {
    lock.lock();
    try {
      turn.running = false;
      long now = timer.nanoTime();
      turn.last = now;
      boolean due = turn.due;
      turn.due = false;
      if (due && pause > 0) {
        await(turn, now);
      } else if (due) {
        turn.running = true;
      }
      return turn.running;
    } finally {
      lock.unlock();
    }
  }

  private void execute(Runnable task) {
    try {
      executor.execute(task);
    } catch (RejectedExecutionException closing) {
      // The broker is closing, and all watches with it, so they need not be woken.
    } catch (OutOfMemoryError noThread) {
      task.run();
    }
  }

  /** Runs the rounds of a turn, one after another. Used by one thread at a time. */
  private final class Running implements Runnable {
    private final Turn turn;
    private @Nullable Round round;

    Running(Turn turn) {
      this.turn = turn;
    }

    /**
     * Continues the round, and leaves the rest to the executor; returns how much of the bound is
     * left.
     */
    int go(int max) {
      try {
        Round begun = round;
        if (begun == null) {
          begun = turn.rounds.get();
          round = begun;
        }
        return begun.isOver() ? max : begun.go(max);
      } finally {
        // After a failure as well: the others, and rounds that are due later, continue.
        boolean over = round == null || round.isOver();
        if (over) {
          round = null;
        }
        if (!over || ended(turn)) {
          execute(this);
        }
      }
    }

    @Override
    public void run() {
      int unused = go(PIECE);
    }
  }
}
