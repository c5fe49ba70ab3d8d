package io.peerbroker.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import jakarta.servlet.AsyncContext;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The yardstick of a relay in a container: {@code GET /<id>} opens a stream, and the bytes of a
 * {@code POST /<id>} become an event of that stream. It checks nothing, and blocks.
 */
final class BareRelayServlet extends HttpServlet {

  private static final long serialVersionUID = 1L;

  private static final byte[] OPEN = ": open\n\n".getBytes(US_ASCII);
  private static final byte[] BEFORE = "event: message\ndata: ".getBytes(US_ASCII);
  private static final byte[] AFTER = "\n\n".getBytes(US_ASCII);
  private static final byte[] DONE = "{\"delivery\":\"sent\"}".getBytes(US_ASCII);

  /** An open stream; the lock is for writing. */
  private record Target(AsyncContext async, ReentrantLock lock) {

    void write(byte[] bytes) throws IOException {
      lock.lock();
      try {
        ServletOutputStream out = async.getResponse().getOutputStream();
        out.write(bytes);
        out.flush();
      } finally {
        lock.unlock();
      }
    }
  }

  private final transient Map<String, Target> targets = new ConcurrentHashMap<>();

  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    response.setContentType("text/event-stream");
    // An idle stream keeps its buffer, and an event that has no room in it is written in pieces.
    response.setBufferSize(4_096);
    AsyncContext async = request.startAsync();
    async.setTimeout(0);
    Target target = new Target(async, new ReentrantLock());
    targets.put(request.getPathInfo(), target);
    target.write(OPEN);
  }

  @Override
  protected void doPost(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    int length = request.getContentLength();
    byte[] event = new byte[BEFORE.length + length + AFTER.length];
    System.arraycopy(BEFORE, 0, event, 0, BEFORE.length);
    if (request.getInputStream().readNBytes(event, BEFORE.length, length) < length) {
      throw new IOException("The body ended early");
    }
    System.arraycopy(AFTER, 0, event, BEFORE.length + length, AFTER.length);
    Target target = targets.get(request.getPathInfo());
    if (target == null) {
      response.sendError(HttpServletResponse.SC_NOT_FOUND);
      return;
    }
    target.write(event);
    response.setContentType("application/json");
    response.setContentLength(DONE.length);
    response.getOutputStream().write(DONE);
  }
}
