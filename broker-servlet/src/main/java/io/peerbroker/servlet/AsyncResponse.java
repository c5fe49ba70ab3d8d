package io.peerbroker.servlet;

import io.peerbroker.core.Timer;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * The response of an asynchronous request while it is written: its writer, and the one task that
 * looks after it.
 */
final class AsyncResponse {

  final StreamWriter writer;
  final ResponseTimeout timeout;
  private final ServletOutput output;

  /** Prepares the response to be written; nothing is, before {@link #start}. */
  AsyncResponse(AsyncContext async, StreamWriter.Source source, Timer timer) throws IOException {
    timeout = new ResponseTimeout(timer);
    output = ServletOutput.prepare(async, source, timer::nanoTime);
    writer = output.writer();
  }

  /** Lets the container call back: from here on the response is written. */
  void start() {
    output.start();
  }

  /** As {@link ServletOutput#writeHere}. */
  void writeHere() {
    output.writeHere();
  }

  /** As {@link ServletOutput#beforeFirstWrite}. */
  void beforeFirstWrite(Consumer<HttpServletResponse> head) {
    output.beforeFirstWrite(head);
  }

  /** Returns whether a write may block, as {@link ContainerQuirks#mayBlock}. */
  boolean mayBlock() {
    return output.mayBlock();
  }

  /**
   * Gives the reader up once it has taken nothing for so long: from now on, and again and again.
   */
  void watch(Duration writeTimeout) {
    long left = timeout.nanosLeft(writer.blockedNanos(), writeTimeout);
    if (left > 0) {
      timeout.watch(Duration.ofNanos(left), () -> watch(writeTimeout));
    } else {
      writer.abandon();
    }
  }

  /** Has a response ended whose reader has been given up, if the container has not done so. */
  void endAtLast(Runnable last) {
    timeout.lastResort(output.lastResort(), last);
  }
}
