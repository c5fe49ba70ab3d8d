package io.peerbroker.servlet;

import io.peerbroker.core.Timer;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletRequestWrapper;
import jakarta.servlet.http.HttpServletRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads the body of a request: in place if it is all there already, else as it comes, without
 * holding a thread meanwhile.
 *
 * <p>The rest of a refused body is read and dropped, up to a bound of time and of bytes; then the
 * connection is cut. A container whose exchange is ended before that reads the rest itself, and may
 * keep a thread for as long as the client goes on; and a connection that is closed with unread
 * bytes is reset, so the client may never see why.
 */
final class BodyReader implements ReadListener {

  /** What a body belongs to. */
  interface Asked {

    HttpServletRequest request();

    /** Notes that nothing of the body is still to come. */
    void bodyIsRead();

    /** Lets the answer come after the container's thread has returned. */
    LateAnswer answerLater();

    /** Gives the answer to a failure. */
    void answer(Throwable failure);
  }

  /**
   * How many bytes of a refused body are read and dropped: more than most bodies that are too large
   * have.
   */
  private static final int MAX_FORGOTTEN_BYTES = 1 << 20;

  /**
   * As much as a container has at once, in most: after a partial read Quarkus reports nothing
   * available, keeps the rest, and hands it out when more has come.
   */
  private static final int BUFFER_BYTES = 8 << 10;

  private static final String UNFIT =
      "A filter before the broker wraps the body in a stream that cannot be read while it comes.";

  /** The container's own stream. */
  private final ServletInputStream original;

  /** The stream that the body is read from: the same, or a filter's. */
  private final ServletInputStream in;

  private final HttpSettings settings;
  private final Timer timer;
  private final LateAnswer answer;

  /** Sends the answer to a failure of the code that takes the body. */
  private final Consumer<Throwable> failed;

  /** Takes the whole body; null once it has done so, or once the body is refused. */
  private final AtomicReference<@Nullable Runnable> then;

  private final ByteArrayOutputStream read = new ByteArrayOutputStream(1_024);

  // Used by the reading thread only.
  private boolean forgets;
  private int forgotten;
  private long forgetsUntil;
  private boolean cut;

  private BodyReader(
      ServletInputStream original,
      ServletInputStream in,
      HttpSettings settings,
      Timer timer,
      LateAnswer answer,
      Consumer<Throwable> failed,
      @Nullable Consumer<byte[]> then) {
    this.original = original;
    this.in = in;
    this.settings = settings;
    this.timer = timer;
    this.answer = answer;
    this.failed = failed;
    this.then =
        new AtomicReference<>(
            then == null ? null : settings.context().apply(() -> then.accept(read.toByteArray())));
  }

  /**
   * Reads the body and hands it on, once: at once, or later on a thread of the container's pool.
   *
   * @throws Problem {@code too_large} if that is known at once
   */
  static void read(Asked exchange, HttpSettings settings, Timer timer, Consumer<byte[]> then)
      throws IOException {
    long length = exchange.request().getContentLengthLong();
    if (length > settings.maxBodyBytes()) {
      // Before the stream is asked for: that may ask the client for the body.
      throw tooLarge(settings.maxBodyBytes());
    }
    ServletInputStream in = exchange.request().getInputStream();
    ServletInputStream original = original(exchange.request());
    if (original == null
        || (in != original && original.isFinished())
        || (length >= 0 && original.available() >= length)) {
      // The body is all there, or a filter has read it and hands on a copy, which may have another
      // length.
      exchange.bodyIsRead();
      then.accept(
          in == original ? in.readNBytes((int) length) : readAll(in, settings.maxBodyBytes()));
      return;
    }
    LateAnswer answer = exchange.answerLater();
    BodyReader body = new BodyReader(original, in, settings, timer, answer, exchange::answer, then);
    answer.after(
        settings.bodyTimeout(),
        () ->
            body.refuse(
                new Problem(
                    408,
                    "request_timeout",
                    "The body was not all there within "
                        + settings.bodyTimeout().toMillis()
                        + " ms.")));
    body.listen();
  }

  private static byte[] readAll(InputStream in, int maxBytes) throws IOException {
    byte[] whole = in.readNBytes((int) Math.min(maxBytes + 1L, Integer.MAX_VALUE));
    if (whole.length > maxBytes) {
      throw tooLarge(maxBytes);
    }
    return whole;
  }

  /**
   * Reads the available bytes of an unwanted body.
   *
   * @return whether it is over
   */
  static boolean skip(HttpServletRequest request) throws IOException {
    ServletInputStream original = original(request);
    if (original == null || original.isFinished()) {
      return true;
    }
    long length = request.getContentLengthLong();
    if (length < 0 || original.available() < length) {
      return false;
    }
    original.skipNBytes(length);
    return true;
  }

  /** Reads and drops, as it comes, the body of a request that is answered already. */
  static void forget(
      HttpServletRequest request, HttpSettings settings, Timer timer, LateAnswer answer)
      throws IOException {
    ServletInputStream original = original(request);
    if (original != null) {
      new BodyReader(original, original, settings, timer, answer, thrown -> {}, null).listen();
    }
  }

  private void listen() {
    answer.awaitBody();
    original.setReadListener(this);
  }

  /** The container's own stream, or null if a filter has read it as text. */
  private static @Nullable ServletInputStream original(HttpServletRequest request)
      throws IOException {
    ServletRequest original = request;
    while (original instanceof ServletRequestWrapper wrapper) {
      original = wrapper.getRequest();
    }
    try {
      return original.getInputStream();
    } catch (IllegalStateException hasReader) {
      return null;
    }
  }

  private static Problem tooLarge(int maxBytes) {
    return new Problem(413, "too_large", "A body may have at most " + maxBytes + " bytes.");
  }

  /**
   * Refuses the body, unless it is all there: a request that was acted on can no longer be refused.
   */
  private void refuse(Problem problem) {
    if (then.getAndSet(null) != null) {
      answer.give(problem.reply());
    }
  }

  @Override
  public void onDataAvailable() throws IOException {
    // For this call only: a body that is waited for has no array.
    byte[] buffer = new byte[BUFFER_BYTES];
    while (!answer.isOver() && original.isReady()) {
      if (then.get() == null) {
        int count = original.read(buffer);
        if (count < 0) {
          return;
        }
        forget(count);
      } else if (!readOn(buffer)) {
        return;
      }
    }
  }

  /** Reads some bytes, and returns whether there may be more. */
  private boolean readOn(byte[] buffer) throws IOException {
    int count;
    if (in == original) {
      count = in.read(buffer);
    } else {
      // All that is known of a filter's stream is that it takes from the other what it gives.
      int octet;
      try {
        octet = in.read();
      } catch (RuntimeException unfit) {
        refuse(new Problem(500, "internal", UNFIT));
        return true;
      }
      buffer[0] = (byte) octet;
      count = octet < 0 ? -1 : 1;
    }
    if (count < 0) {
      return false;
    }
    read.write(buffer, 0, count);
    if (read.size() > settings.maxBodyBytes()) {
      refuse(tooLarge(settings.maxBodyBytes()));
    }
    return true;
  }

  private void forget(int count) throws IOException {
    long now = timer.nanoTime();
    if (!forgets) {
      // The count does not decide: Tomcat also calls for bytes that are no content, such as a
      // chunk's extension.
      forgets = true;
      forgetsUntil = now + settings.bodyTimeout().toNanos();
    }
    forgotten += count;
    if (forgotten > MAX_FORGOTTEN_BYTES || now - forgetsUntil > 0) {
      cut = true;
      throw new IOException("A refused body goes on for too long");
    }
  }

  @Override
  public void onAllDataRead() {
    Runnable taker = then.getAndSet(null);
    answer.bodyIsOver();
    if (taker != null) {
      answer.act(
          () -> {
            try {
              taker.run();
            } catch (Throwable thrown) {
              // On this thread nothing else would answer; this includes the application's errors.
              failed.accept(thrown);
            }
          });
    }
  }

  @Override
  public void onError(Throwable failure) {
    if (!cut) {
      // A client that has gone does not read this; one that only broke its body off may.
      refuse(
          new Problem(400, "malformed_json", "The body broke off, or its chunks are malformed."));
    }
    answer.bodyIsBroken();
  }
}
