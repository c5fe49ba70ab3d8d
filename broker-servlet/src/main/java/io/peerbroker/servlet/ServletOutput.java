package io.peerbroker.servlet;

import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.ServletResponseWrapper;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Ties a {@link StreamWriter} to the response of an asynchronous request: its calls out, and the
 * callbacks in.
 *
 * <p>Quarkus reports room while a flush is still under way, and loses the bytes of that flush when
 * the next one comes before it is done. So each write is flushed there at once, and the next waits
 * for the callback that follows every such pair. No callback follows the last byte of a known
 * length: with it Quarkus has ended the response by itself, and never reports room again.
 */
final class ServletOutput implements StreamWriter.Output, WriteListener, AsyncListener {

  private final AsyncContext async;
  private final ServletOutputStream out;
  private final boolean ofQuarkus;
  private final boolean steady;
  private final StreamWriter writer;

  /** What must still be done before the first byte, with the writer's lock held. */
  private volatile @Nullable Consumer<HttpServletResponse> first;

  /** Whether a thread writes all there is, and may wait in a write; the container never calls. */
  private volatile boolean direct;

  /** On Quarkus, whether the callback that follows a write has yet to come. */
  private volatile boolean callbackDue;

  // On Quarkus, with the writer's lock held.
  private long written;
  private boolean lengthReached;

  private ServletOutput(AsyncContext async, StreamWriter.Source source, LongSupplier nanoTime)
      throws IOException {
    this.async = async;
    out = original(async.getResponse()).getOutputStream();
    ofQuarkus = ContainerQuirks.isQuarkus(out);
    steady = ContainerQuirks.isSteady(out, async.getRequest());
    writer = new StreamWriter(source, this, nanoTime);
  }

  /** A writer for the response, whose headers are set; nothing is written before {@link #start}. */
  static ServletOutput prepare(
      AsyncContext async, StreamWriter.Source source, LongSupplier nanoTime) throws IOException {
    ServletOutput output = new ServletOutput(async, source, nanoTime);
    // Tomcat's default would end a stream after 30 s.
    async.setTimeout(0);
    async.addListener(output);
    return output;
  }

  /**
   * Returns how long after its reader was given up the response must be ended, if the container has
   * not done so: on Quarkus at once, where no thread waits in it and no callback would come.
   */
  Duration lastResort() {
    return ofQuarkus ? Duration.ZERO : ResponseTimeout.LAST_RESORT;
  }

  /** Lets the container call back: from here on the response is written. */
  void start() {
    out.setWriteListener(this);
  }

  /** Writes on this thread, which may wait in a write: instead of {@link #start}. */
  void writeHere() {
    direct = true;
    writer.onWritePossible();
  }

  /**
   * Lets the thread that writes first set the status and the headers: for an answer that is not
   * known yet when the writer is prepared. Must be called before there is anything to write.
   */
  void beforeFirstWrite(Consumer<HttpServletResponse> head) {
    first = head;
  }

  StreamWriter writer() {
    return writer;
  }

  /** Returns whether a write may block, though the container has reported that there is room. */
  boolean mayBlock() {
    return ContainerQuirks.mayBlock(out, async.getRequest());
  }

  @Override
  public boolean isReady() {
    return direct || lengthReached || (!callbackDue && out.isReady());
  }

  @Override
  public boolean isSteady() {
    return steady;
  }

  @Override
  public void write(byte[] bytes) throws IOException {
    Consumer<HttpServletResponse> head = first;
    if (head != null) {
      first = null;
      head.accept(response());
    }
    if (!ofQuarkus) {
      out.write(bytes);
    } else if (bytes.length > 0) {
      callbackDue = true;
      out.write(bytes);
      out.flush();
      written += bytes.length;
      String length = response().getHeader("Content-Length");
      lengthReached = length != null && written >= Long.parseLong(length);
    }
  }

  private HttpServletResponse response() {
    return (HttpServletResponse) original(async.getResponse());
  }

  @Override
  public void flush() throws IOException {
    if (!ofQuarkus) {
      out.flush();
    }
  }

  @Override
  public void complete() {
    async.complete();
  }

  @Override
  public void onWritePossible() {
    callbackDue = false;
    writer.onWritePossible();
  }

  @Override
  public void onError(Throwable failure) {
    writer.onFailed();
  }

  /**
   * Completes the exchange, even if that was done before: if Tomcat has notified the write listener
   * first, it has forgotten the completion. Otherwise it would answer with the application's error
   * page, if there is one, and keep a thread of its pool for a reader that takes nothing.
   */
  @Override
  public void onError(AsyncEvent event) {
    writer.onFailed();
    try {
      async.complete();
    } catch (RuntimeException alreadyOver) {
      // As it is on every other container.
    }
  }

  @Override
  public void onTimeout(AsyncEvent event) {
    writer.onFailed();
  }

  @Override
  public void onComplete(AsyncEvent event) {
    writer.onCompleted();
  }

  @Override
  public void onStartAsync(AsyncEvent event) {}

  /**
   * The container's own response, beneath all wrappers of filters, which may hold back written
   * bytes. Undertow gives the wrapped one to asynchronous requests.
   */
  static ServletResponse original(ServletResponse response) {
    ServletResponse original = response;
    while (original instanceof ServletResponseWrapper wrapper) {
      original = wrapper.getResponse();
    }
    return original;
  }
}
