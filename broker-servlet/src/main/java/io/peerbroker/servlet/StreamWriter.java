package io.peerbroker.servlet;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The state machine that writes one response without blocking: the only class that knows when one
 * may write.
 *
 * <p>It stands between a {@link Source} of bytes and the container's {@link Output}, both plain
 * interfaces, so that its interleavings can be tested without a container. It goes from <em>waiting
 * for the first callback</em> to <em>writing</em> and <em>blocked</em>, to and fro, and ends once:
 * <em>completed</em>, <em>failed</em>, or <em>abandoned</em>, which is given up while the reader
 * takes nothing.
 *
 * <h2>Threads</h2>
 *
 * Any thread may call any method; none blocks. Of all who call {@link #drain} one becomes the owner
 * and goes on until nothing is left to do; the others leave their wish in {@code wakeups}. Only the
 * owner asks the source and writes. The source is asked outside the lock; the lock is held around
 * calls to the output alone.
 *
 * <h2>What looks odd and is meant</h2>
 *
 * <ul>
 *   <li>The container's error callbacks take the lock although they hardly need it: when a write to
 *       a dead client fails on our thread, Tomcat runs the callback on another, then recycles the
 *       response for the next request; while our thread is still inside that write, the next
 *       request would get its exception.
 *   <li>The lock is reentrant: Undertow runs the error callback inside the write that fails.
 *   <li>{@code blocked} is set before {@code isReady} is asked: once that has said no, the callback
 *       may come at once.
 *   <li>{@code isReady} is asked before every write and every flush, and once more after the last:
 *       its yes is also what tells that the network has taken what was written before.
 *   <li>A response whose reader takes nothing is not completed: Tomcat would park a pool thread in
 *       it. It is abandoned, and completed when the container calls back or, at the very last, by
 *       {@link #abort}.
 * </ul>
 */
final class StreamWriter {

  /** The container's side of a response. All calls come one at a time. */
  interface Output {

    boolean isReady();

    void write(byte[] bytes) throws IOException;

    void flush() throws IOException;

    /** Ends the exchange. Called at most once. */
    void complete();
  }

  /** Where the bytes come from. Called by one thread at a time, outside the lock. */
  interface Source {

    /** The next bytes, which nobody changes any more, or null when there are none now. */
    byte @Nullable [] next();

    /**
     * The container has room again: what was given so far has been taken. May come when nothing was
     * given.
     */
    void taken();

    /**
     * Whether, after a null from {@link #next}, nothing will ever come: the response is to be
     * completed.
     */
    boolean isFinished();

    /** The response has ended, in whatever way: nothing more is asked for. Called exactly once. */
    void ended(End end);

    /**
     * The exchange is over for the container too: at once after {@link #ended}, or later where it
     * was abandoned. Called exactly once, last.
     */
    void closed();
  }

  /** How a response ended. */
  enum End {
    COMPLETED,
    /** The client has gone, or the container has ended the exchange. */
    FAILED,
    /** The client took nothing for too long. */
    ABANDONED
  }

  private static final System.Logger LOG = System.getLogger(BrokerHttp.class.getName());

  private final Source source;
  private final Output output;
  private final LongSupplier nanoTime;
  private final AtomicInteger wakeups = new AtomicInteger();
  private final ReentrantLock lock = new ReentrantLock();

  // The owner's own.
  private byte @Nullable [] pending;
  private boolean given;
  private boolean endTold;
  private boolean closeTold;

  // Guarded by the lock. Blocked until the first callback, which is waited for like any other.
  private boolean blocked = true;
  private long blockedSince;
  private boolean needsFlush;
  private @Nullable End end;

  /**
   * Whether the exchange is over for the container too, which it isn't yet when it is only
   * abandoned.
   */
  private boolean closed;

  StreamWriter(Source source, Output output, LongSupplier nanoTime) {
    this.source = source;
    this.output = output;
    this.nanoTime = nanoTime;
    blockedSince = nanoTime.getAsLong();
  }

  /** Writes what there is, as far as it goes. */
  void drain() {
    // Called back inside a call to the output: whoever made it drains when it has let go of the
    // lock.
    boolean inside = lock.isHeldByCurrentThread();
    if (wakeups.getAndUpdate(n -> n == 0 && inside ? 0 : n + 1) != 0 || inside) {
      return;
    }
    int seen = 1;
    do {
      pump();
      seen = wakeups.addAndGet(-seen);
    } while (seen != 0);
  }

  private void pump() {
    try {
      write();
    } catch (RuntimeException broken) {
      LOG.log(System.Logger.Level.ERROR, "A stream's source failed; the stream ends", broken);
      fail();
    }
    tellEnd();
  }

  private void write() {
    while (isReady()) {
      if (given) {
        given = false;
        source.taken();
      }
      if (pending == null) {
        pending = source.next();
      }
      if (!step(pending == null && source.isFinished())) {
        return;
      }
    }
  }

  private boolean isReady() {
    lock.lock();
    try {
      return !blocked && end == null && ask();
    } catch (RuntimeException failed) {
      close(End.FAILED);
      return false;
    } finally {
      lock.unlock();
    }
  }

  /** Asks the container, with the lock held. */
  private boolean ask() {
    block();
    if (!output.isReady()) {
      return false;
    }
    blocked = false;
    return end == null;
  }

  /**
   * Writes, flushes or completes, whatever is next.
   *
   * @return whether there may be more to do
   */
  private boolean step(boolean finished) {
    lock.lock();
    try {
      // Asked again: over HTTP/2 the window can close while the source is being asked.
      if (end != null || !ask()) {
        return false;
      }
      byte[] bytes = pending;
      if (bytes != null) {
        output.write(bytes);
        pending = null;
        given = true;
        needsFlush = true;
        return true;
      }
      if (needsFlush) {
        output.flush();
        needsFlush = false;
        return true;
      }
      if (finished) {
        close(End.COMPLETED);
      }
      return false;
    } catch (IllegalStateException unready) {
      // It can also close between the question and the write. The container has then noted that a
      // callback is due; if none comes, the stall limit ends this.
      block();
      return false;
    } catch (IOException | RuntimeException failed) {
      // Tomcat answers a write after an error with a NullPointerException.
      close(End.FAILED);
      return false;
    } finally {
      lock.unlock();
    }
  }

  private void block() {
    blocked = true;
    blockedSince = nanoTime.getAsLong();
  }

  /** Ends the exchange, with the lock held. */
  private void close(End how) {
    if (end == null) {
      end = how;
    }
    if (!closed) {
      closed = true;
      try {
        output.complete();
      } catch (RuntimeException alreadyOver) {
        // The container has ended it by itself, as Tomcat and Undertow do after an error.
      }
    }
  }

  private void tellEnd() {
    End how;
    boolean over;
    lock.lock();
    try {
      how = end;
      over = closed;
    } finally {
      lock.unlock();
    }
    if (how != null && !endTold) {
      endTold = true;
      pending = null;
      source.ended(how);
    }
    if (over && !closeTold) {
      closeTold = true;
      source.closed();
    }
  }

  /** The container has room: its callback {@code onWritePossible}, first or later. */
  void onWritePossible() {
    lock.lock();
    try {
      blocked = false;
      if (end != null) {
        close(end);
      }
    } finally {
      lock.unlock();
    }
    drain();
  }

  /** The exchange has failed or timed out: any of the container's callbacks for that. */
  void onFailed() {
    fail();
    drain();
  }

  private void fail() {
    lock.lock();
    try {
      close(End.FAILED);
    } finally {
      lock.unlock();
    }
  }

  /** The container has ended the exchange: its callback {@code onComplete}. */
  void onCompleted() {
    lock.lock();
    try {
      closed = true;
      if (end == null) {
        end = End.FAILED;
      }
    } finally {
      lock.unlock();
    }
    drain();
  }

  /**
   * For how long the reader has taken nothing of what is waiting, in nanoseconds; 0 when it keeps
   * up.
   */
  long blockedNanos() {
    lock.lock();
    try {
      return blocked && end == null ? Math.max(1, nanoTime.getAsLong() - blockedSince) : 0;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Gives the reader up. The exchange stays open for the container until it calls back, or {@link
   * #abort}.
   */
  void abandon() {
    lock.lock();
    try {
      // Asked once more, since what was written last may have filled the network's buffers.
      boolean ready = end == null && !blocked && ask();
      if (end == null) {
        end = End.ABANDONED;
        if (ready) {
          close(End.ABANDONED);
        }
      }
    } catch (RuntimeException failed) {
      close(End.FAILED);
    } finally {
      lock.unlock();
    }
    drain();
  }

  /** Ends the exchange in whatever state it is. */
  void abort() {
    fail();
    drain();
  }
}
