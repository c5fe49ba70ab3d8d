package io.peerbroker.websocket;

import io.peerbroker.core.Timer;
import jakarta.websocket.CloseReason;
import jakarta.websocket.RemoteEndpoint;
import jakarta.websocket.Session;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Closes the connection of one WebSocket, once, and on another thread than one that sends for
 * others, since a container may wait with a close.
 *
 * <p>Safe for use by many threads.
 */
final class SocketCloser {

  /** A client that does not close its side within this time is cut off. */
  static final Duration CLOSE_WITHIN = Duration.ofSeconds(5);

  /** For so long Tomcat waits in a close until a client that reads nothing has taken it. */
  private static final long CLOSE_MILLIS = 100;

  private static final String TOMCAT = "org.apache.tomcat.websocket.";

  /** How many connections are closed at the same time when all are. */
  private static final int CLOSERS = 16;

  private final Timer timer;

  /** Closes the connection once; null until it must be. A timer that closes drops its own. */
  private volatile @Nullable Runnable pending;

  /** Creates one for a connection, which may be yet to come. */
  SocketCloser(Timer timer) {
    this.timer = timer;
  }

  /**
   * Sets a new connection's timeouts, and returns its writing side.
   *
   * @param writeTimeout after how long the caller gives up a client that takes nothing
   */
  static RemoteEndpoint.Async prepare(Session connected, Duration writeTimeout) {
    connected.setMaxIdleTimeout(0);
    connected.getUserProperties().put(TOMCAT + "SESSION_CLOSE_TIMEOUT", CLOSE_WITHIN.toMillis());
    RemoteEndpoint.Async async = connected.getAsyncRemote();
    // Later than the caller gives it up: after a pause of the process the container would be too
    // early.
    async.setSendTimeout(2 * writeTimeout.toMillis());
    return async;
  }

  /**
   * Closes the connection on a thread of the timer. Must be called once.
   *
   * @param connected null if there is no connection: then only {@code afterwards} is called
   * @param delay after how long it is closed, if the container should do so by itself
   * @param afterwards called once, when that is done
   */
  void closeLater(
      @Nullable Session connected, CloseReason closing, Duration delay, Runnable afterwards) {
    AtomicBoolean done = new AtomicBoolean();
    Runnable close =
        () -> {
          if (!done.getAndSet(true)) {
            try {
              if (connected != null) {
                close(connected, closing);
              }
            } finally {
              afterwards.run();
            }
          }
        };
    pending = close;
    try {
      var unused = timer.schedule(delay, close);
    } catch (Throwable refusing) {
      // An application's timer.
      close.run();
      return;
    }
    if (timer.isClosed()) {
      close.run();
    }
  }

  /** Closes the connection on this thread if {@link #closeLater} was called and has not done so. */
  void closeNow() {
    Runnable close = pending;
    if (close != null) {
      close.run();
    }
  }

  /** Closes a connection on this thread; a failure is logged. */
  static void close(Session connected, CloseReason closing) {
    try {
      // Jetty waits for the client's own close, and behind a frame that it does not take.
      connected.setMaxIdleTimeout(CLOSE_WITHIN.toMillis());
      // Not before, since it is the bound of the container's answers to pings, too.
      connected.getUserProperties().put(TOMCAT + "BLOCKING_SEND_TIMEOUT", CLOSE_MILLIS);
      connected.close(closing);
    } catch (Exception gone) {
      Log.log(System.Logger.Level.DEBUG, "A WebSocket could not be closed", gone);
    }
  }

  /**
   * Calls what closes the connections of an application that stops, side by side: Tomcat's close
   * waits a little for each client that takes nothing. Waits for at most 5 s until all are closed;
   * after that, or an interrupt, it goes on without this thread.
   *
   * @param closes each closes one connection
   */
  static void closeAll(Collection<Runnable> closes) {
    Queue<Runnable> left = new ConcurrentLinkedQueue<>(closes);
    List<Thread> closers =
        Stream.generate(() -> closer(left)).limit(Math.min(CLOSERS, left.size())).toList();
    closers.forEach(Thread::start);
    long deadline = System.nanoTime() + CLOSE_WITHIN.toNanos();
    try {
      for (Thread closer : closers) {
        closer.join(Math.max(1, (deadline - System.nanoTime()) / 1_000_000));
      }
    } catch (InterruptedException interrupted) {
      // They go on without this thread.
      Thread.currentThread().interrupt();
    }
  }

  private static Thread closer(Queue<Runnable> left) {
    Runnable loop =
        () -> {
          for (Runnable next = left.poll(); next != null; next = left.poll()) {
            next.run();
          }
        };
    // Inherits nothing of the thread that stops the application.
    Thread thread = new Thread(null, loop, "peerbroker-close", 0, false);
    thread.setDaemon(true);
    return thread;
  }
}
