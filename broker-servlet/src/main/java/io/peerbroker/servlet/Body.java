package io.peerbroker.servlet;

import io.peerbroker.core.Timer;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * Reads the body of a request: in place where it is all there already, else as it comes, holding no
 * thread meanwhile.
 */
final class Body implements ReadListener {

  private final Exchange exchange;
  private final ServletInputStream in;
  private final int maxBytes;
  private final Consumer<byte[]> then;
  private final ByteArrayOutputStream read = new ByteArrayOutputStream(1_024);
  private final byte[] buffer = new byte[1_024];
  private final Timer.Scheduled deadline;

  /** Set by whatever comes first: the whole body, too much of it, its deadline, or a failure. */
  private final AtomicBoolean over = new AtomicBoolean();

  private Body(
      Exchange exchange,
      ServletInputStream in,
      HttpSettings settings,
      Timer timer,
      Consumer<byte[]> then) {
    this.exchange = exchange;
    this.in = in;
    this.then = then;
    maxBytes = settings.maxBodyBytes();
    deadline =
        timer.schedule(
            settings.bodyTimeout(),
            () ->
                refuse(
                    new Problem(
                        408,
                        "request_timeout",
                        "The body was not all there within "
                            + settings.bodyTimeout().toMillis()
                            + " ms.")));
  }

  /**
   * Reads the body and hands it on, once, at once or later.
   *
   * @param then what answers the exchange; what it throws is answered as well
   * @throws Problem {@code too_large} where the length is declared
   */
  static void read(Exchange exchange, HttpSettings settings, Timer timer, Consumer<byte[]> then)
      throws IOException {
    long length = exchange.request.getContentLengthLong();
    if (length > settings.maxBodyBytes()) {
      throw tooLarge(settings.maxBodyBytes());
    }
    ServletInputStream in = exchange.request.getInputStream();
    if (length >= 0 && in.available() >= length) {
      then.accept(in.readNBytes((int) length));
      return;
    }
    exchange.answerLater();
    in.setReadListener(new Body(exchange, in, settings, timer, then));
  }

  private static Problem tooLarge(int maxBytes) {
    return new Problem(413, "too_large", "A body may have at most " + maxBytes + " bytes.");
  }

  /** Refuses the body, unless it is all there: what has been acted on is not refused any more. */
  private void refuse(Problem problem) {
    if (!over.getAndSet(true)) {
      exchange.answer(problem);
    }
  }

  @Override
  public void onDataAvailable() throws IOException {
    while (!over.get() && in.isReady()) {
      int count = in.read(buffer);
      if (count < 0) {
        return;
      }
      read.write(buffer, 0, count);
      if (read.size() > maxBytes) {
        deadline.cancel();
        refuse(tooLarge(maxBytes));
      }
    }
  }

  @Override
  public void onAllDataRead() {
    deadline.cancel();
    if (over.getAndSet(true)) {
      return;
    }
    try {
      then.accept(read.toByteArray());
    } catch (RuntimeException thrown) {
      exchange.answer(thrown);
    }
  }

  @Override
  public void onError(Throwable failure) {
    deadline.cancel();
    // For a client that has gone nobody reads this; one that only broke its body off may.
    exchange.answer(
        new Problem(400, "malformed_json", "The body broke off, or its chunks are malformed."));
  }
}
