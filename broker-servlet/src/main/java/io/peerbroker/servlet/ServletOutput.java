package io.peerbroker.servlet;

import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Ties a {@link StreamWriter} to the response of an asynchronous request: its calls out, and the
 * callbacks in.
 */
final class ServletOutput implements StreamWriter.Output, WriteListener, AsyncListener {

  private final AsyncContext async;
  private final ServletOutputStream out;
  private final StreamWriter writer;

  /** What is still to be done before the first byte, with the writer's lock held. */
  private volatile @Nullable Consumer<HttpServletResponse> first;

  private ServletOutput(AsyncContext async, StreamWriter.Source source, LongSupplier nanoTime)
      throws IOException {
    this.async = async;
    out = Exchange.original(async.getResponse()).getOutputStream();
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

  /** Lets the container call back: from here on the response is written. */
  void start() {
    out.setWriteListener(this);
  }

  /**
   * Has the status and the headers set by the thread that writes first: for an answer that is not
   * known yet when the writer is prepared. To be called before there is anything to write.
   */
  void beforeFirstWrite(Consumer<HttpServletResponse> head) {
    first = head;
  }

  StreamWriter writer() {
    return writer;
  }

  @Override
  public boolean isReady() {
    return out.isReady();
  }

  @Override
  public void write(byte[] bytes) throws IOException {
    Consumer<HttpServletResponse> head = first;
    if (head != null) {
      first = null;
      head.accept((HttpServletResponse) Exchange.original(async.getResponse()));
    }
    out.write(bytes);
  }

  @Override
  public void flush() throws IOException {
    out.flush();
  }

  @Override
  public void complete() {
    async.complete();
  }

  @Override
  public void onWritePossible() {
    writer.onWritePossible();
  }

  @Override
  public void onError(Throwable failure) {
    writer.onFailed();
  }

  @Override
  public void onError(AsyncEvent event) {
    writer.onFailed();
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
}
