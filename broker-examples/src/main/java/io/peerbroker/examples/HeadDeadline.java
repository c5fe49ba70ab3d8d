package io.peerbroker.examples;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.server.ConnectionMetaData;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * Closes connections whose request's head does not come.
 *
 * <p>Jetty bounds a head by its size and by the pause between two bytes. A client that sends a byte
 * a minute (slowloris) stays within both for days. A head must be all there within a time of its
 * own, however it comes. Bodies are the broker's to bound; a connection that is silent between two
 * requests is idle, and ends by the connector's timeout.
 */
final class HeadDeadline extends Handler.Wrapper {

  private final long nanos;
  private final Scheduler scheduler;
  private final Map<Connection, Waiting> connections = new ConcurrentHashMap<>();

  /**
   * A handler in front of all others.
   *
   * @param within how long a head may take; a connection is closed within a quarter more
   */
  HeadDeadline(Duration within, Scheduler scheduler, Handler next) {
    super(next);
    nanos = within.toNanos();
    this.scheduler = scheduler;
  }

  /** The connector's notifications about its connections. */
  Connection.Listener connections() {
    return new Connection.Listener() {
      @Override
      public void onOpened(Connection connection) {
        // One that has become a WebSocket carries no more heads.
        if (connection instanceof ConnectionMetaData) {
          connections.put(connection, new Waiting());
        }
      }

      @Override
      public void onClosed(Connection connection) {
        connections.remove(connection);
      }
    };
  }

  @Override
  protected void doStart() throws Exception {
    super.doStart();
    look();
  }

  @Override
  protected void doStop() throws Exception {
    super.doStop();
    connections.clear();
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    Connection connection = request.getConnectionMetaData().getConnection();
    Waiting waiting = connections.get(connection);
    if (waiting != null) {
      waiting.end();
      Request.addCompletionListener(request, over -> waiting.begin(connection.getBytesIn()));
    }
    return super.handle(request, response, callback);
  }

  private void look() {
    if (isStopping() || isStopped()) {
      return;
    }
    connections.forEach(
        (connection, waiting) -> {
          if (waiting.since(connection.getBytesIn()) > nanos) {
            connection.getEndPoint().close();
          }
        });
    scheduler.schedule(this::look, Math.max(1, nanos / 4), TimeUnit.NANOSECONDS);
  }

  /** How long a connection has been waiting for the rest of a head. */
  private static final class Waiting {

    /** Whether no request is being answered. Guarded by this, as are the others. */
    private boolean isWaiting = true;

    /** Whether a part of a head has come; the head of a first request counts as begun. */
    private boolean hasBegun = true;

    private long begun = System.nanoTime();

    /** The bytes received when the last request was over. */
    private long bytes;

    /** A head is complete: its request is being answered. */
    synchronized void end() {
      isWaiting = false;
    }

    /** A request has been answered. */
    synchronized void begin(long bytesIn) {
      isWaiting = true;
      hasBegun = false;
      bytes = bytesIn;
    }

    /** How many nanoseconds ago a head began that is not all there yet; 0 if none has. */
    synchronized long since(long bytesIn) {
      if (!isWaiting) {
        return 0;
      }
      if (!hasBegun) {
        hasBegun = bytesIn > bytes;
        begun = System.nanoTime();
      }
      return System.nanoTime() - begun;
    }
  }
}
