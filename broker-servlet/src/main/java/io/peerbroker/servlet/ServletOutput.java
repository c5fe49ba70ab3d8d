package io.peerbroker.servlet;

import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import java.io.IOException;
import java.util.function.LongSupplier;

/**
 * Ties a {@link StreamWriter} to the response of an asynchronous request: its calls out, and the
 * callbacks in.
 */
final class ServletOutput implements StreamWriter.Output, WriteListener, AsyncListener {

  private final AsyncContext async;
  private final ServletOutputStream out;
  private final StreamWriter writer;

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

  StreamWriter writer() {
    return writer;
  }

  @Override
  public boolean isReady() {
    return out.isReady();
  }

  @Override
  public void write(byte[] bytes) throws IOException {
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
