package io.peerbroker.core;

import java.time.Duration;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * When those are seen to for whom something has changed: at once when they have not been for a
 * pause, else when the pause is over, so that many changes are one wake-up.
 *
 * <p>It goes in two steps. A home has a round through its groups, in which each looks at what has
 * changed. A group that has found something has a round through its watches, which are woken. Of
 * each there is one round at a time, and where something happens during it, another one when a
 * pause after it is over.
 *
 * <p>The first little is done on the thread that has made the change, all else on an executor, some
 * at a time, so that a change by one does not keep its thread with the streams of thousands, and
 * homes and groups take turns. The timer only says when.
 *
 * <p>Safe for use by many threads. The lock is a leaf, but that tasks are scheduled under it;
 * rounds go on outside it.
 */
final class WakeThrottle {

  /** How much one change does on its own thread at most: lists woken, changes looked at. */
  private static final int HERE = 64;

  /** How much is done before others have their turn on the executor. */
  private static final int PIECE = 256;

  /** One time through all for whom something has changed, a piece at a time. */
  interface Round {

    /** Whether there is no more to be done. */
    boolean isOver();

    /**
     * Goes on, until there is no more to be done or that was as much as may be. Where it throws, it
     * has got on by one at least.
     *
     * @param max how much may be done
     * @return how much more could have been
     */
    int go(int max);
  }

  /** What is known of the rounds of a home or a group. Guarded by the lock. */
  static final class Turn {
    private final Supplier<Round> rounds;

    /** What carries its rounds out, one at a time; null until the first begins. */
    private @Nullable Running carrier;

    private boolean running;

    /** Whether another round is due: after the pause, or after the one that is running. */
    private boolean due;

    private long last;

    /**
     * @param rounds begins a round
     */
    Turn(Supplier<Round> rounds) {
      this.rounds = rounds;
    }
  }

  private final Timer timer;
  private final long pause;
  private final Executor executor;
  private final ReentrantLock lock = new ReentrantLock();

  // Guarded by the lock: those whose pause is not over, the one that is over first at the head.
  private final PriorityQueue<Turn> waiting =
      new PriorityQueue<>((one, other) -> Long.compare(one.last - other.last, 0));
  private Timer.@Nullable Scheduled scheduled;
  private long scheduledFor;

  /** How many tasks that begin what is due the executor has or is about to have. */
  private int beginners;

  private final Runnable beginner = this::beginDue;

  /**
   * @param pause how long there is peace after a round; zero for not at all
   */
  WakeThrottle(Timer timer, Duration pause, Executor executor) {
    this.timer = timer;
    this.pause = pause.toNanos();
    this.executor = executor;
  }

  /**
   * Has those seen to that a change has touched. Outside locks. Where that fails for some, the
   * others have been seen to when it is thrown.
   */
  void touched(List<WatchIndex.Home> homes) {
    int here = HERE;
    Throwable failure = null;
    for (WatchIndex.Home home : homes) {
      try {
        here = touched(home.turn, here);
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
   * Has one seen to, for which there is something.
   *
   * @param here how much may be done on this thread
   * @return how much more
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

  /** Has one list woken on the executor. */
  void later(LocalWatch stream) {
    execute(stream::wakeNow);
  }

  /** The round that is to begin now; notes that one is due if none is. With the lock held. */
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

  /** Notes that a round has begun, with the lock held. */
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

  /** Has a round begin when the pause is over, with the lock held. */
  private void await(Turn turn, long now) {
    waiting.add(turn);
    turn.due = true;
    scheduleFor(turn.last + pause, now);
  }

  /** Tries again where the timer has refused the task of those that wait, with the lock held. */
  private void scheduleRefused() {
    Turn first = waiting.peek();
    if (first != null && scheduled == null && beginners == 0) {
      scheduleFor(first.last + pause, timer.nanoTime());
    }
  }

  /** Has those begin then that are due, unless some are to before, with the lock held. */
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
   * Begins a round, here as far as may be, and on the executor.
   *
   * @param here how much may be done on this thread
   * @return how much more
   */
  private int begin(Running round, int here) {
    if (here > 0) {
      return round.go(here);
    }
    execute(round);
    return 0;
  }

  /** Notes that a round has ended; true if another one begins at once. */
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
      // The broker ends, and with it all lists, which need not be woken.
    } catch (OutOfMemoryError noThread) {
      task.run();
    }
  }

  /** Carries out the rounds of a turn, one after another. Used by one thread at a time. */
  private final class Running implements Runnable {
    private final Turn turn;
    private @Nullable Round round;

    Running(Turn turn) {
      this.turn = turn;
    }

    /** Goes on, and has the rest done on the executor; returns how much more could be done here. */
    int go(int max) {
      try {
        Round begun = round;
        if (begun == null) {
          begun = turn.rounds.get();
          round = begun;
        }
        return begun.isOver() ? max : begun.go(max);
      } finally {
        // Also where something has failed for one: the others, and what is due later, go on.
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
