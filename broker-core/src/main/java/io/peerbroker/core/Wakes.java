package io.peerbroker.core;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * When the live lists of a group are woken for what has changed: at once when they have not been
 * for a pause, else when the pause is over, so that many changes are one wake-up.
 *
 * <p>The first few are woken on the thread that has made the change, all others on an executor,
 * some at a time, so that a change by one does not keep its thread with the streams of thousands,
 * and groups take turns. Of one group there is one round at a time. The timer only says when.
 *
 * <p>Safe for use by many threads. The lock is a leaf, but that tasks are scheduled under it; lists
 * are woken outside it.
 */
final class Wakes {

  /** How many lists one change wakes on its own thread at most. */
  private static final int HERE = 64;

  /** How many are woken before others have their turn on the executor. */
  private static final int PIECE = 256;

  /** What is known of a group's rounds. Guarded by the lock. */
  static final class Turn {
    private final Watches.Group group;
    private boolean begun;
    private boolean running;

    /** Whether another round is due: after the pause, or after the one that is running. */
    private boolean due;

    private long last;

    Turn(Watches.Group group) {
      this.group = group;
    }
  }

  private final Timer timer;
  private final long pause;
  private final Executor executor;
  private final ReentrantLock lock = new ReentrantLock();

  // Guarded by the lock: those whose pause is not over, longest first.
  private final Queue<Turn> waiting = new ArrayDeque<>();
  private boolean scheduled;

  /**
   * @param pause how long a group has its peace after a round; zero for not at all
   */
  Wakes(Timer timer, Duration pause, Executor executor) {
    this.timer = timer;
    this.pause = pause.toNanos();
    this.executor = executor;
  }

  /** Has the lists of groups woken that a change has touched. Outside locks. */
  void touched(List<Watches.Group> groups) {
    int here = HERE;
    for (Watches.Group group : groups) {
      if (begins(group.turn)) {
        here = begin(group.turn, here);
      }
    }
  }

  /** Has one list woken on the executor. */
  void later(ListStream stream) {
    execute(stream::wakeNow);
  }

  /** Whether a group's round is to begin now; notes that one is due if not. */
  private boolean begins(Turn turn) {
    lock.lock();
    try {
      if (turn.running || turn.due) {
        turn.due = true;
        return false;
      }
      long now = timer.nanoTime();
      if (pause == 0 || !turn.begun || now - turn.last >= pause) {
        turn.begun = true;
        turn.running = true;
        return true;
      }
      await(turn, now);
      return false;
    } finally {
      lock.unlock();
    }
  }

  /** Has a round begin when the pause is over, with the lock held. */
  private void await(Turn turn, long now) {
    turn.due = true;
    waiting.add(turn);
    if (!scheduled) {
      scheduled = true;
      timer.schedule(Duration.ofNanos(Math.max(1, turn.last + pause - now)), this::pauseOver);
    }
  }

  private void pauseOver() {
    execute(this::beginDue);
  }

  /** Begins the rounds that are due. */
  private void beginDue() {
    int here = HERE;
    for (Turn turn = nextDue(); turn != null; turn = nextDue()) {
      here = begin(turn, here);
    }
  }

  private @Nullable Turn nextDue() {
    lock.lock();
    try {
      Turn turn = waiting.peek();
      if (turn == null) {
        scheduled = false;
        return null;
      }
      long left = turn.last + pause - timer.nanoTime();
      if (left > 0) {
        timer.schedule(Duration.ofNanos(left), this::pauseOver);
        return null;
      }
      waiting.remove();
      turn.due = false;
      turn.running = true;
      return turn;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Begins a round.
   *
   * @param here how many may be woken on this thread
   * @return how many more
   */
  private int begin(Turn turn, int here) {
    boolean handedOn = false;
    try {
      turn.group.log.beginRound();
      Round round = new Round(turn, turn.group.streams());
      int left = round.wake(here);
      if (!round.isOver()) {
        execute(round);
        handedOn = true;
      }
      return left;
    } finally {
      if (!handedOn) {
        ended(turn);
      }
    }
  }

  private void ended(Turn turn) {
    boolean again;
    lock.lock();
    try {
      turn.running = false;
      long now = timer.nanoTime();
      turn.last = now;
      again = turn.due && pause == 0;
      if (again) {
        turn.due = false;
        turn.running = true;
      } else if (turn.due) {
        await(turn, now);
      }
    } finally {
      lock.unlock();
    }
    if (again) {
      begin(turn, HERE);
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

  /** One round through a group's lists. */
  private final class Round implements Runnable {
    private final Turn turn;
    private final ListStream[] streams;
    private int at;

    Round(Turn turn, ListStream[] streams) {
      this.turn = turn;
      this.streams = streams;
    }

    boolean isOver() {
      return at == streams.length;
    }

    /** Wakes some; returns how many fewer there were. */
    int wake(int max) {
      int left = max;
      while (left > 0 && at < streams.length) {
        left--;
        streams[at++].flush();
      }
      return left;
    }

    @Override
    public void run() {
      wake(PIECE);
      if (isOver()) {
        ended(turn);
      } else {
        execute(this);
      }
    }
  }
}
