package io.peerbroker.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import jakarta.servlet.AsyncContext;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The yardstick for the cost of a container's streams: writes bytes to all of them, and flushes.
 */
final class BareServlet extends HttpServlet {

  private static final long serialVersionUID = 1L;

  private static final byte[] FIRST_EVENT = "event: ready\ndata: {}\n\n".getBytes(US_ASCII);

  private final transient List<AsyncContext> streams = new CopyOnWriteArrayList<>();

  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    response.setContentType("text/event-stream");
    AsyncContext async = request.startAsync();
    async.setTimeout(0);
    streams.add(async);
    write(response.getOutputStream(), FIRST_EVENT);
  }

  /** Writes to every stream, one after the other; blocks if one has no room. */
  void write(byte[] bytes) throws IOException {
    for (AsyncContext async : streams) {
      write(async.getResponse().getOutputStream(), bytes);
    }
  }

  private static void write(ServletOutputStream out, byte[] bytes) throws IOException {
    out.write(bytes);
    out.flush();
  }
}
