package io.peerbroker.servlet;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.peerbroker.core.Timer;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletRequestWrapper;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The connections that have open streams, on containers whose write may block.
 *
 * <p>A connection is known by the client's address and port as the container has them. Safe for use
 * by many threads.
 */
final class ConnectionWriters {

  private static final class Entry {
    final ConnectionWriter writer;
    int streams;

    Entry(ConnectionWriter writer) {
      this.writer = writer;
    }
  }

  private final Timer timer;
  private final ReentrantLock lock = new ReentrantLock();

  /** The connections that have streams, by their keys. */
  @GuardedBy("lock")
  private final Map<Object, Entry> connections = new HashMap<>();

  ConnectionWriters(Timer timer) {
    this.timer = timer;
  }

  /** Returns the writer of a request's connection, for one more stream. */
  ConnectionWriter join(ServletRequest request) {
    Object connection = connection(request);
    lock.lock();
    try {
      Entry entry =
          connections.computeIfAbsent(
              connection, key -> new Entry(new ConnectionWriter(key, timer)));
      entry.streams++;
      return entry.writer;
    } finally {
      lock.unlock();
    }
  }

  /** Undoes {@link #join} for a stream that is closed. */
  void leave(ConnectionWriter writer) {
    lock.lock();
    try {
      connections.computeIfPresent(
          writer.connection(), (key, entry) -> --entry.streams == 0 ? null : entry);
    } finally {
      lock.unlock();
    }
  }

  /** A request without a port (of a Unix domain socket) has a connection of its own. */
  private static Object connection(ServletRequest request) {
    ServletRequest original = request;
    while (original instanceof ServletRequestWrapper wrapper) {
      original = wrapper.getRequest();
    }
    int port = original.getRemotePort();
    return port > 0 ? original.getRemoteAddr() + ' ' + port : new Object();
  }

  /** Returns how many connections there are. */
  int size() {
    lock.lock();
    try {
      return connections.size();
    } finally {
      lock.unlock();
    }
  }
}
