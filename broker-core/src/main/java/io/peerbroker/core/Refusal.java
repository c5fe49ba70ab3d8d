package io.peerbroker.core;

import java.io.Serializable;
import java.time.Duration;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The reason why the broker refused a call. A refused call has changed nothing.
 *
 * @param code the stable reason, for programs
 * @param detail what was wrong and what would be right, for people; never contains a key
 * @param retryAfter how long to wait before the same call may succeed; null if waiting won't help
 *     or the time is unknown
 */
public record Refusal(Code code, String detail, @Nullable Duration retryAfter)
    implements Serializable {

  /** How many code points of a client's text a detail repeats: as many as a tag may have. */
  private static final int MAX_QUOTED = Tags.MAX_CODE_POINTS;

  /**
   * Checks the parts.
   *
   * @throws IllegalArgumentException if {@code retryAfter} is negative
   */
  public Refusal {
    Objects.requireNonNull(code, "code");
    Objects.requireNonNull(detail, "detail");
    if (retryAfter != null && retryAfter.isNegative()) {
      throw new IllegalArgumentException("retryAfter must not be negative: " + retryAfter);
    }
  }

  /** Returns a refusal without advice to retry. */
  public static Refusal of(Code code, String detail) {
    return new Refusal(code, detail, null);
  }

  /**
   * Returns a client's text in double quotes, safe to repeat in a detail or a log line: at most 64
   * code points, then an ellipsis. Control and format characters (such as those that change the
   * direction of text), line separators and lone surrogates are written as escapes.
   */
  public static String quote(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    int i = 0;
    for (int shown = 0; i < text.length() && shown < MAX_QUOTED; shown++) {
      int codePoint = text.codePointAt(i);
      int next = i + Character.charCount(codePoint);
      switch (Character.getType(codePoint)) {
        case Character.CONTROL,
            Character.FORMAT,
            Character.SURROGATE,
            Character.LINE_SEPARATOR,
            Character.PARAGRAPH_SEPARATOR -> {
          // As in JSON: two escapes for a character outside the basic plane.
          for (int unit = i; unit < next; unit++) {
            quoted.append(String.format("\\u%04x", (int) text.charAt(unit)));
          }
        }
        default -> quoted.appendCodePoint(codePoint);
      }
      i = next;
    }
    return quoted.append(i < text.length() ? "…\"" : "\"").toString();
  }

  /**
   * The reasons for a refusal. Constants may be added in later versions; their wire forms never
   * change.
   */
  public enum Code {
    /** The text is not JSON (RFC 8259) in well-formed UTF-8, begins with a BOM, or is too deep. */
    MALFORMED_JSON,
    /** A member or parameter is missing, given twice, of the wrong type or out of range. */
    INVALID_REQUEST,
    /** A list filter does not follow the filter grammar. */
    INVALID_FILTER,
    /** A tag is empty, too long, or contains a character that tags must not contain. */
    INVALID_TAG,
    /** The key is not that of the acting channel. */
    WRONG_KEY,
    /** The application's access policy refused the call. */
    DENIED,
    /** The acting channel, or the origin of a message, does not exist or is closed. */
    UNKNOWN_CHANNEL,
    /** The session to change does not exist or is closed. */
    UNKNOWN_SESSION,
    /** The target of a message is neither an open channel nor an open session. */
    UNKNOWN_TARGET,
    /** The body, the message or the metadata is larger than its limit. */
    TOO_LARGE,
    /** The acting channel exceeds its rate. */
    RATE_LIMITED,
    /** The target's queue is full: it reads more slowly than others send to it. */
    TARGET_BUSY,
    /** The channel already hosts the most sessions that one channel may host. */
    TOO_MANY_SESSIONS,
    /** The channel's stream already carries the most lists that one channel may have. */
    TOO_MANY_WATCHES,
    /** The broker or the application's code failed; the log has the cause, the detail does not. */
    INTERNAL,
    /** The broker as a whole is full: channels, watches or memory. */
    AT_CAPACITY,
    /** The broker is closing and accepts nothing new. */
    SHUTTING_DOWN;

    private final String wire = name().toLowerCase(Locale.ROOT);

    /** Returns the code as it is sent to clients: the constant's name in lower case. */
    public String code() {
      return wire;
    }
  }
}
