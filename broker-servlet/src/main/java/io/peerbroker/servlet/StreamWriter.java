package io.peerbroker.servlet;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The state machine that writes one response without blocking: the only class that knows when
 * writing is allowed.
 *
 * <p>It stands between a {@link Source} of bytes and the container's {@link Output}, both plain
 * interfaces, so that its interleavings can be tested without a container. It goes from <em>waiting
 * for the first callback</em> to <em>writing</em> and <em>blocked</em>, to and fro, and ends once:
 * <em>completed</em>, <em>failed</em>, or <em>abandoned</em>, that is, given up while the reader
 * takes nothing.
 *
 * <h2>Threads</h2>
 *
 * Any thread may call any method. Of all that call {@link #drain} one becomes the owner and goes on
 * until nothing is left to do; the others leave their wish in {@code wakeups}. Only the owner asks
 * the source and writes. The source is asked outside the lock; the lock is held only around calls
 * to the output.
 *
 * <p>A container may block inside a call that must not: Open Liberty does when the reader has
 * stalled, Tomcat over HTTP/2 when the connection has. So only the container's own callbacks wait
 * for the lock. All others look at what is volatile, and leave a wish where another thread is
 * inside: {@link #blockedNanos}, {@link #abandon} and {@link #abort} return at once, and the source
 * learns of the end at once, regardless of what the thread inside is waiting for.
 *
 * <h2>What looks odd and is meant</h2>
 *
 * <ul>
 *   <li>The container's error callbacks take the lock although they hardly need it: when a write to
 *       a dead client fails on our thread, Tomcat runs the callback on another, then recycles the
 *       response for the next request; while our thread is still inside that write, the next
 *       request would get its exception. They wait no longer than any container's write timeout: a
 *       container whose write waits for its own callback would wait for ever.
 *   <li>The lock is reentrant: Undertow runs the error callback inside the write that fails.
 *   <li>The owner gives up if it does not get the lock: the thread that holds it drains when it has
 *       let go.
 *   <li>It is <em>blocked</em> before {@code isReady} is asked: once that has said no, the callback
 *       may come at once. It is blocked inside a write, too: a write that does not return is a
 *       reader that takes nothing.
 *   <li>{@code isReady} is asked before every write and every flush, and once more after the last:
 *       its yes is also what tells that the network has taken what was written before. Where a yes
 *       may not last until the source has been asked, it is asked twice.
 *   <li>A response whose reader takes nothing is not completed: Tomcat would park a pool thread in
 *       it. It is abandoned, and completed when the container calls back or, at the very last, by
 *       {@link #abort}.
 * </ul>
 */
final class StreamWriter {

  /** The container's side of a response. All calls come one at a time. */
  interface Output {

    boolean isReady();

    /** Returns whether a yes of {@link #isReady} holds until the next write or flush. */
    default boolean isSteady() {
      return false;
    }

    void write(byte[] bytes) throws IOException;

    void flush() throws IOException;

    /** Ends the exchange. Called at most once. */
    void complete();
  }

  /** Where the bytes come from. Called by one thread at a time, outside the lock. */
  interface Source {

    /**
     * Returns the next bytes, which are not changed any longer, or null when there are none now.
     */
    byte @Nullable [] next();

    /**
     * The container has room again: what was given so far has been taken. May come when nothing was
     * given.
     */
    void taken();

    /** What was given so far has been flushed. */
    default void flushed() {}

    /**
     * Whether others must have their turn before the bytes of {@link #next} are written; then
     * {@link #drain} will be called again. Asked between two writes.
     */
    default boolean givesWay() {
      return false;
    }

    /**
     * Whether, after a null from {@link #next}, nothing will ever come: the response must be
     * completed.
     */
    boolean isFinished();

    /**
     * The response has ended, in any way: the source is not asked again. Called exactly once, by
     * the thread that ended it, perhaps while another is still inside a call of this source.
     */
    void ended(End end);

    /**
     * The exchange is over for the container too: at once after {@link #ended}, or later where it
     * was abandoned. Called exactly once, when {@code ended} has returned.
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

  /** The value of {@link #blockedSince} while the container has room. */
  private static final long HAS_ROOM = Long.MIN_VALUE;

  /** How far the source has been notified of the end. */
  private enum Told {
    NOTHING,
    TELLING_END,
    END,
    CLOSE
  }

  private final Source source;
  private final Output output;
  private final LongSupplier nanoTime;
  private final AtomicInteger wakeups = new AtomicInteger();
  private final ReentrantLock lock = new ReentrantLock();

  private final AtomicReference<@Nullable End> end = new AtomicReference<>();
  private final AtomicReference<Told> told = new AtomicReference<>(Told.NOTHING);

  /** Whether the response must be completed though there may be no room. */
  private volatile boolean aborted;

  // Used by the owner only.
  private byte @Nullable [] pending;
  private boolean given;

  // Written under the lock, read without.

  /**
   * Since when the container has had no room, or a thread has been inside it. From the beginning:
   * the first callback is waited for like any other.
   */
  private volatile long blockedSince;

  /**
   * Whether the exchange is over for the container too, which it isn't yet when it is only
   * abandoned.
   */
  private volatile boolean closed;

  /** Whether bytes have been written since the last flush. */
  @GuardedBy("lock")
  private boolean needsFlush;

  StreamWriter(Source source, Output output, LongSupplier nanoTime) {
    this.source = source;
    this.output = output;
    this.nanoTime = nanoTime;
    blockedSince = nanoTime.getAsLong();
  }

  /**
   * Writes the available bytes, as far as the container takes them, or until the source lets others
   * have their turn.
   */
  void drain() {
    // Called back inside a call to the output: that call's thread drains when it has let go of the
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
    Throwable broken = null;
    try {
      write();
    } catch (Throwable thrown) {
      // Errors too: the stream would keep its permit for ever.
      broken = thrown;
      end.compareAndSet(null, End.FAILED);
      aborted = true;
    }
    settle();
    if (end.get() != null) {
      pending = null;
    }
    tellEnd();
    if (broken != null) {
      log("A stream's source failed; the stream ends", broken);
    }
  }

  private void write() {
    boolean stepped = false;
    while (isReady()) {
      if (given) {
        given = false;
        source.taken();
      }
      if (pending == null) {
        pending = source.next();
      }
      // Never before a flush: the written bytes are on their way when the turn is over.
      if (stepped && pending != null && source.givesWay()) {
        return;
      }
      stepped = true;
      if (!step(pending == null && source.isFinished())) {
        return;
      }
    }
  }

  private boolean isReady() {
    if (!lock.tryLock()) {
      return false;
    }
    try {
      return hasRoom() && end.get() == null && ask();
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
    blockedSince = HAS_ROOM;
    // The container may have called back inside.
    return !closed;
  }

  private enum Step {
    WRITTEN,
    FLUSHED,
    NONE
  }

  /**
   * Does the next step (writes, flushes or completes), and returns whether there may be more to do.
   */
  private boolean step(boolean finished) {
    Step done = takeStep(finished);
    if (done == Step.FLUSHED) {
      source.flushed();
    }
    return done != Step.NONE;
  }

  private Step takeStep(boolean finished) {
    if (!lock.tryLock()) {
      return Step.NONE;
    }
    try {
      // Asked again: over HTTP/2 the window can close while the source is being asked.
      if (end.get() != null || !(output.isSteady() || ask())) {
        return Step.NONE;
      }
      byte[] bytes = pending;
      if (bytes != null) {
        block();
        output.write(bytes);
        blockedSince = HAS_ROOM;
        pending = null;
        given = true;
        needsFlush = true;
        return Step.WRITTEN;
      }
      if (needsFlush) {
        block();
        output.flush();
        blockedSince = HAS_ROOM;
        needsFlush = false;
        return Step.FLUSHED;
      }
      if (finished) {
        close(End.COMPLETED);
      }
      return Step.NONE;
    } catch (IllegalStateException unready) {
      // It can also close between the question and the write. The container has then noted that a
      // callback is due; if none comes, the stall limit ends this.
      block();
      return Step.NONE;
    } catch (IOException | RuntimeException failed) {
      // Tomcat answers a write after an error with a NullPointerException.
      close(End.FAILED);
      return Step.NONE;
    } finally {
      lock.unlock();
    }
  }

  private boolean hasRoom() {
    return blockedSince == HAS_ROOM;
  }

  private void block() {
    blockedSince = nanoTime.getAsLong();
  }

  /**
   * Completes the response if it has ended, and otherwise waits for nothing. Called by the owner.
   */
  private void settle() {
    if (end.get() == null || closed || !(aborted || hasRoom()) || !lock.tryLock()) {
      return;
    }
    try {
      // Asked once more, since what was written last may have filled the network's buffers.
      if (aborted || ask()) {
        close(End.FAILED);
      }
    } catch (RuntimeException failed) {
      close(End.FAILED);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Ends the exchange for the container, with the lock held.
   *
   * @param how it ends, unless it has ended before
   */
  private void close(End how) {
    end.compareAndSet(null, how);
    if (!closed) {
      closed = true;
      try {
        output.complete();
      } catch (RuntimeException alreadyOver) {
        // The container has ended it by itself, as Tomcat and Undertow do after an error.
      }
    }
  }

  /** Notifies the source of how far this has ended, without the lock. On any thread. */
  private void tellEnd() {
    End how = end.get();
    if (how != null && told.compareAndSet(Told.NOTHING, Told.TELLING_END)) {
      try {
        source.ended(how);
      } catch (Throwable thrown) {
        // An application's timer may refuse, say: the exchange is over all the same.
        log("A stream's source failed at its end", thrown);
      } finally {
        told.set(Told.END);
      }
    }
    if (closed && told.compareAndSet(Told.END, Told.CLOSE)) {
      source.closed();
    }
  }

  /** Logs an error. Exceptions of the logger's handlers are dropped: what follows must be done. */
  private static void log(String message, Throwable thrown) {
    try {
      Log.LOG.log(System.Logger.Level.ERROR, message, thrown);
    } catch (Throwable unloggable) {
      // There is nowhere left to report it.
    }
  }

  /** The container has room: its callback {@code onWritePossible}, first or later. */
  void onWritePossible() {
    callback(
        () -> {
          blockedSince = HAS_ROOM;
          End how = end.get();
          if (how != null) {
            close(how);
          }
        });
  }

  /** The exchange has failed or timed out: any of the container's callbacks for that. */
  void onFailed() {
    callback(() -> close(End.FAILED));
  }

  /** The container has ended the exchange: its callback {@code onComplete}. */
  void onCompleted() {
    callback(
        () -> {
          closed = true;
          end.compareAndSet(null, End.FAILED);
        });
  }

  /** Does what a callback is for, with the lock held; waits for a thread that is inside. */
  private void callback(Runnable action) {
    if (lockWithin(ResponseTimeout.LAST_RESORT.toNanos())) {
      try {
        action.run();
      } finally {
        lock.unlock();
      }
    } else {
      // A write that has not returned for this long will not return by itself.
      end.compareAndSet(null, End.FAILED);
      aborted = true;
      tellEnd();
    }
    drain();
  }

  private boolean lockWithin(long nanos) {
    long deadline = System.nanoTime() + nanos;
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return lock.tryLock(deadline - System.nanoTime(), NANOSECONDS);
        } catch (InterruptedException again) {
          // A container that stops interrupts its threads; this one must wait all the same.
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * Returns whether the exchange is over, for the container too: there is nothing left to write.
   */
  boolean isClosed() {
    return closed;
  }

  /**
   * Returns for how long the reader has taken nothing of what is waiting, in nanoseconds; 0 when it
   * keeps up. Never waits.
   */
  long blockedNanos() {
    long since = blockedSince;
    return since == HAS_ROOM || end.get() != null ? 0 : Math.max(1, nanoTime.getAsLong() - since);
  }

  /**
   * Gives the reader up. The exchange stays open for the container until it calls back, or {@link
   * #abort}. The source has been notified when this returns, even if another thread is inside the
   * container.
   */
  void abandon() {
    letGo();
    drain();
  }

  /**
   * Gives the reader up without a call to the container: the next {@link #drain} completes the
   * response if there is room, which the caller has to ensure.
   */
  void letGo() {
    end.compareAndSet(null, End.ABANDONED);
    tellEnd();
  }

  /**
   * Ends the exchange in any state; if a thread is inside the container, when that has come back.
   * The source has been notified when this returns.
   */
  void abort() {
    end.compareAndSet(null, End.FAILED);
    aborted = true;
    tellEnd();
    drain();
  }
}
