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
 * Reads the body of a request: in place where it is all there already, else as it comes, holding no
 * thread meanwhile.
 *
 * <p>What is still to come of a body when it is refused is read and forgotten, for so long and so
 * many bytes; then it is cut off. A container whose exchange is ended before that reads the rest
 * itself, and may keep a thread for as long as the client goes on; and a connection that is closed
 * while something is still to be read is reset, so the client may never see why.
 */
final class BodyReader implements ReadListener {

  /** How much of a refused body is read and forgotten: more than most that are too large have. */
  private static final int MAX_FORGOTTEN_BYTES = 1 << 20;

  /**
   * As much as a container has at once, in most: Quarkus says that nothing is there while it keeps
   * the rest of what was read in part, and gives it when more has come.
   */
  private static final int BUFFER_BYTES = 8 << 10;

  private static final String UNFIT =
      "A filter before the broker wraps the body in a stream that cannot be read while it comes.";

  /** The container's own stream. */
  private final ServletInputStream original;

  /** What it is read through: the same, or a filter's. */
  private final ServletInputStream in;

  private final HttpSettings settings;
  private final Timer timer;
  private final LateAnswer answer;

  /** Answers with what is thrown by whoever takes the body. */
  private final Consumer<Throwable> failed;

  /** What takes the body that has been read; null where that is done, or the body is refused. */
  private final AtomicReference<@Nullable Runnable> then;

  private final ByteArrayOutputStream read = new ByteArrayOutputStream(1_024);

  // The reading thread's own.
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
   * @throws Problem {@code too_large} where that is known at once
   */
  static void read(Exchange exchange, HttpSettings settings, Timer timer, Consumer<byte[]> then)
      throws IOException {
    long length = exchange.request.getContentLengthLong();
    if (length > settings.maxBodyBytes()) {
      // Before the stream is asked for: that may ask the client for the body.
      throw tooLarge(settings.maxBodyBytes());
    }
    ServletInputStream in = exchange.request.getInputStream();
    ServletInputStream original = original(exchange.request);
    if (original == null
        || (in != original && original.isFinished())
        || (length >= 0 && original.available() >= length)) {
      // All there, or read by a filter that hands on a copy, which may have another length.
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
   * Reads what there is of a body that nobody wants.
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

  /** Reads and forgets a body as it comes, of a request that is answered already. */
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

  /** The container's own stream, or null where a filter has read it as text. */
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

  /** Refuses the body, unless it is all there: what has been acted on is not refused any more. */
  private void refuse(Problem problem) {
    if (then.getAndSet(null) != null) {
      answer.give(problem.reply());
    }
  }

  @Override
  public void onDataAvailable() throws IOException {
    // For this call alone: a body that is waited for has none.
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

  /** Reads some, and says whether there may be more. */
  private boolean readOn(byte[] buffer) throws IOException {
    int count;
    if (in == original) {
      count = in.read(buffer);
    } else {
      // Of a filter's stream nothing is known but that it takes from the other what it gives.
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
      // Not asked of the count: Tomcat also calls for what is no content, as a chunk's extension.
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
      // A policy or a router of the application's may take its time, and this may be a thread that
      // serves many connections.
      answer.run(
          () -> {
            try {
              taker.run();
            } catch (Throwable thrown) {
              // On this thread nobody else would answer: errors of the application's, too.
              failed.accept(thrown);
            }
          });
    }
  }

  @Override
  public void onError(Throwable failure) {
    if (!cut) {
      // For a client that has gone nobody reads this; one that only broke its body off may.
      refuse(
          new Problem(400, "malformed_json", "The body broke off, or its chunks are malformed."));
    }
    answer.bodyIsBroken();
  }
}
