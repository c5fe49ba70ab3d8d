package io.peerbroker.peerjs;

import io.peerbroker.core.Limits;
import io.peerbroker.core.Timer;
import io.peerbroker.servlet.HttpSettings;
import io.peerbroker.websocket.MessageReader;
import jakarta.websocket.CloseReason.CloseCodes;
import java.time.Duration;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Takes a client's frames in, and bounds them: in size, in time, and in number.
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

  private final MessageReader messages;
  private final long maxParts;
  private final Timer timer;
  private final BiConsumer<CloseCodes, String> cutOff;

  /** When the second began in which parts are counted, and how many have come in it. */
  private long countedFrom;

  private long parts;

  /**
   * @param cutOff closes the connection of a client that exceeds a bound, with a code and a phrase
   */
  FrameReader(
      HttpSettings settings, Limits limits, Timer timer, BiConsumer<CloseCodes, String> cutOff) {
    int burst = limits.messageRate().burst();
    maxParts = burst == 0 ? Long.MAX_VALUE : (long) PARTS_TO_A_MESSAGE * burst;
    this.timer = timer;
    this.cutOff = cutOff;
    String tooLarge = "A frame may have at most " + settings.maxBodyBytes() + " bytes.";
    messages =
        new MessageReader(settings, timer, () -> cutOff.accept(CloseCodes.TOO_BIG, tooLarge));
    countedFrom = timer.nanoTime();
  }

  /** Takes a part of a frame, and returns the frame in UTF-8 once all of it is there. */
  byte @Nullable [] read(String part, boolean last) {
    if (isOneTooMany()) {
      cutOff.accept(CloseCodes.VIOLATED_POLICY, "Too many frames.");
      return null;
    }
    return messages.read(part, last);
  }

  /** Returns whether a frame has not come whole in its time. */
  boolean isOverdue() {
    return messages.isOverdue();
  }

  private boolean isOneTooMany() {
    long now = timer.nanoTime();
    if (now - countedFrom >= SECOND) {
      countedFrom = now;
      parts = 0;
    }
    return ++parts > maxParts;
  }
}
