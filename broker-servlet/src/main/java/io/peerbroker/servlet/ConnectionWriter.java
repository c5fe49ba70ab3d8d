package io.peerbroker.servlet;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.peerbroker.core.Timer;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Writes to the streams of one connection, one after another, on one of the timer's threads: for
 * containers whose write may block until the connection has room.
 *
 * <p>In such a container a thread that has something for a stream must not write it: it would wait
 * for a client that reads nothing, and so would the sender, the other watches that the thread
 * wakes, or the other heartbeats that are due. All streams of a connection wait for the same room,
 * so one thread for all of them delays none, as long as it stays with none: a stream that has more
 * to write goes behind those that wait.
 *
 * <p>Safe for use by many threads. No method waits for a write, before the broker has closed.
 */
final class ConnectionWriter {

  private final Object connection;
  private final Timer timer;
  private final ReentrantLock lock = new ReentrantLock();

  /** The streams that may have something to write, longest first, and since when. */
  @GuardedBy("lock")
  private final Map<StreamWriter, Long> waiting = new LinkedHashMap<>();

  /** Whether a thread is writing, or will. */
  @GuardedBy("lock")
  private boolean running;

  /** When the thread that writes came back from a stream last. */
  @GuardedBy("lock")
  private long cameBack;

  /**
   * @param connection the key of its connection
   */
  ConnectionWriter(Object connection, Timer timer) {
    this.connection = connection;
    this.timer = timer;
    cameBack = timer.nanoTime();
  }

  Object connection() {
    return connection;
  }

  /**
   * Makes a stream of this connection write its pending bytes, as far as the container takes them.
   */
  void wake(StreamWriter stream) {
    lock.lock();
    try {
      if (!enqueue(stream) || running) {
        return;
      }
      running = true;
    } finally {
      lock.unlock();
    }
    start();
  }

  /**
   * Lets other streams of this connection have their turn, if any waits; the one that asks waits
   * behind them then.
   *
   * @return whether it must stop writing; it will be drained again
   */
  boolean giveWay(StreamWriter stream) {
    lock.lock();
    try {
      // As long as one waits there is a thread, so none has to be started.
      return !waiting.isEmpty() && enqueue(stream);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Puts a stream behind those that wait, unless it is over: nothing would take it out before the
   * thread comes back from a stuck stream, and meanwhile clients could open and close streams
   * without end.
   */
  @GuardedBy("lock")
  private boolean enqueue(StreamWriter stream) {
    if (stream.isClosed()) {
      return false;
    }
    waiting.putIfAbsent(stream, timer.nanoTime());
    return true;
  }

  /** Forgets a stream that is closed. */
  void forget(StreamWriter stream) {
    lock.lock();
    try {
      waiting.remove(stream);
    } finally {
      lock.unlock();
    }
  }

  /** Returns how many streams wait for their turn. */
  int size() {
    lock.lock();
    try {
      return waiting.size();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Returns for how long a stream has waited behind another of its connection, in nanoseconds; 0
   * when it does not. It waits for the one that is being written to: as long as the streams before
   * it come and go, the connection takes bytes, and its turn comes.
   */
  long waitedNanos(StreamWriter stream) {
    lock.lock();
    try {
      Long since = waiting.get(stream);
      if (since == null) {
        return 0;
      }
      long now = timer.nanoTime();
      return Math.max(1, Math.min(now - since, now - cameBack));
    } finally {
      lock.unlock();
    }
  }

  private void start() {
    try {
      timer.schedule(Duration.ZERO, this::run);
    } catch (Throwable refused) {
      // An application's timer may throw. Errors are caught as well: no thread would come any
      // longer.
      stop().forEach(StreamWriter::abort);
      if (refused instanceof Error error) {
        throw error;
      }
      return;
    }
    if (timer.isClosed()) {
      // The broker has closed. A stream that an earlier request still opens is notified by its own
      // thread.
      run();
    }
  }

  private void run() {
    boolean done = false;
    try {
      for (StreamWriter stream = next(); stream != null; stream = next()) {
        stream.drain();
      }
      done = true;
    } finally {
      if (!done) {
        start();
      }
    }
  }

  private @Nullable StreamWriter next() {
    lock.lock();
    try {
      cameBack = timer.nanoTime();
      Iterator<StreamWriter> streams = waiting.keySet().iterator();
      if (!streams.hasNext()) {
        running = false;
        return null;
      }
      StreamWriter first = streams.next();
      streams.remove();
      return first;
    } finally {
      lock.unlock();
    }
  }

  /** Returns the streams for which no thread will come, since the timer takes no more tasks. */
  private List<StreamWriter> stop() {
    lock.lock();
    try {
      List<StreamWriter> left = List.copyOf(waiting.keySet());
      waiting.clear();
      running = false;
      return left;
    } finally {
      lock.unlock();
    }
  }
}
