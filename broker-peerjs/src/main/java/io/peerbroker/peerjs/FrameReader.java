package io.peerbroker.peerjs;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.peerbroker.core.Limits;
import io.peerbroker.core.Timer;
import jakarta.websocket.CloseReason.CloseCodes;
import java.time.Duration;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Puts the parts of a client's frames together, and bounds them: in size, in time, and in number.
 *
 * <p>The parts come from one thread at a time; {@link #isOverdue} is safe for use by many threads.
 */
final class FrameReader {

  /**
   * How many parts may come in a second, as a multiple of the messages that may be sent at once:
   * also of what is no message, which has no other rate. A page sends a few, and a heartbeat.
   */
  static final int PARTS_TO_A_MESSAGE = 10;

  private static final long SECOND = Duration.ofSeconds(1).toNanos();

  private final int maxBytes;
  private final long maxNanos;
  private final long maxParts;
  private final Timer timer;
  private final BiConsumer<CloseCodes, String> cutOff;

  /** The text of which not all has come, and since when it has been coming. */
  private volatile @Nullable StringBuilder begun;

  private volatile long begunAt;

  /** When the second began in which parts are counted, and how many have come in it. */
  private long countedFrom;

  private long parts;

  /**
   * @param cutOff closes the connection of a client that exceeds a bound, with a code and a phrase
   */
  FrameReader(
      PeerJsSettings settings, Limits limits, Timer timer, BiConsumer<CloseCodes, String> cutOff) {
    maxBytes = settings.http().maxBodyBytes();
    maxNanos = settings.http().bodyTimeout().toNanos();
    int burst = limits.messageRate().burst();
    maxParts = burst == 0 ? Long.MAX_VALUE : (long) PARTS_TO_A_MESSAGE * burst;
    this.timer = timer;
    this.cutOff = cutOff;
    countedFrom = timer.nanoTime();
  }

  /** Takes a part of a frame, and returns the frame in UTF-8 once all of it is there. */
  byte @Nullable [] read(String part, boolean last) {
    if (isOneTooMany()) {
      cutOff.accept(CloseCodes.VIOLATED_POLICY, "Too many frames.");
      return null;
    }
    StringBuilder text = begun;
    // A character has a byte at least.
    if ((text == null ? 0 : text.length()) + (long) part.length() > maxBytes) {
      refuse();
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

  /** Returns whether a frame has not come whole in its time. */
  boolean isOverdue() {
    return begun != null && timer.nanoTime() - begunAt >= maxNanos;
  }

  private boolean isOneTooMany() {
    long now = timer.nanoTime();
    if (now - countedFrom >= SECOND) {
      countedFrom = now;
      parts = 0;
    }
    return ++parts > maxParts;
  }

  private byte @Nullable [] bytes(String text) {
    byte[] frame = text.getBytes(UTF_8);
    if (frame.length > maxBytes) {
      refuse();
      return null;
    }
    return frame;
  }

  private void refuse() {
    cutOff.accept(CloseCodes.TOO_BIG, "A frame may have at most " + maxBytes + " bytes.");
  }
}
