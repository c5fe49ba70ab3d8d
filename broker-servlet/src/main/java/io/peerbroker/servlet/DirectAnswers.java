package io.peerbroker.servlet;

import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import java.util.concurrent.Semaphore;

/**
 * Which threads of the container may write short answers themselves, and wait if the network has no
 * room.
 *
 * <p>An answer that never waits takes the request through asynchronous mode, which costs as much as
 * all the rest of relaying a message. Nearly always the network has room for an answer of 200
 * bytes: only a client that sends many requests and reads no answer can make such a write wait. So
 * it may, but on a few threads at a time: once such clients hold those, all answers are written
 * without waiting, until the container's own write timeout has freed the threads.
 *
 * <p>Safe for use by many threads; no method blocks.
 */
final class DirectAnswers {

  /** What a longer body has is not worth it: its own bytes cost more than the way they take. */
  private static final int MAX_BYTES = 1 << 10;

  /**
   * Few beside the 200 threads that a container usually has. More than one, though there may be one
   * processor: a thread that loses it in a write keeps its place.
   */
  private static final int MAX_THREADS = 4;

  private final Semaphore places = new Semaphore(MAX_THREADS);

  /** Returns whether the threads on which a container calls the broker may wait in a write. */
  static boolean fit(ServletRequest request, ServletResponse original) {
    return request.getProtocol().startsWith("HTTP/1")
        && ContainerQuirks.endsBlockedWrites(original);
  }

  /**
   * Takes a place for a thread that writes an answer.
   *
   * @return whether there was one; then {@link #leave} must follow
   */
  boolean enter(Reply reply) {
    return reply.length() <= MAX_BYTES && places.tryAcquire();
  }

  /** Gives the place back. */
  void leave() {
    places.release();
  }
}
