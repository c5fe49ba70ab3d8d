package io.peerbroker.websocket;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.peerbroker.core.Timer;
import io.peerbroker.servlet.HttpSettings;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Puts the text messages of one WebSocket together from their parts, and bounds them in size and in
 * time. For this module, and for {@code broker-peerjs}; not for others, since it may change with
 * each version.
 *
 * <p>The parts come from one thread at a time; {@link #isOverdue} is safe for use by many threads.
 */
public final class MessageReader {

  private final int maxBytes;
  private final long maxNanos;
  private final Timer timer;
  private final Runnable tooLarge;

  /** The text of which not all has come. */
  private volatile @Nullable StringBuilder begun;

  /** Since when it has been coming. Written before {@link #begun}, and read after it. */
  private volatile long begunAt;

  /**
   * Creates one for a new connection.
   *
   * @param settings bound a message as a request's body
   * @param tooLarge cuts off a client whose message has more bytes; called on the thread that reads
   */
  public MessageReader(HttpSettings settings, Timer timer, Runnable tooLarge) {
    maxBytes = settings.maxBodyBytes();
    maxNanos = settings.bodyTimeout().toNanos();
    this.timer = Objects.requireNonNull(timer, "timer");
    this.tooLarge = Objects.requireNonNull(tooLarge, "tooLarge");
  }

  /**
   * Takes a part of a message, and returns the message in UTF-8 once all of it is there; null until
   * then, and if it is too large.
   */
  public byte @Nullable [] read(String part, boolean last) {
    StringBuilder text = begun;
    // A character has a byte at least.
    if ((text == null ? 0 : text.length()) + (long) part.length() > maxBytes) {
      tooLarge.run();
      return null;
    }
    if (text == null && last) {
      return bytes(part);
    }
    if (text == null) {
      text = new StringBuilder();
      begunAt = timer.nanoTime();
      begun = text;
    }
    text.append(part);
    if (!last) {
      return null;
    }
    begun = null;
    return bytes(text.toString());
  }

  private byte @Nullable [] bytes(String text) {
    byte[] message = text.getBytes(UTF_8);
    if (message.length > maxBytes) {
      tooLarge.run();
      return null;
    }
    return message;
  }

  /** Returns whether a message has not come whole in its time. */
  public boolean isOverdue() {
    return begun != null && timer.nanoTime() - begunAt >= maxNanos;
  }
}
