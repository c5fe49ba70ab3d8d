package io.peerbroker.core;

import io.peerbroker.core.Refusal.Code;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * One validating pass over one JSON text: the grammar of RFC 8259, well-formed UTF-8 (RFC 3629,
 * section 3), bounded nesting, and only white space before and after the value.
 *
 * <p>The pass also finds where the parts of the outermost object or array begin and end, so that
 * cutting them needs no second pass. It is a loop with one bit per open bracket, not a recursion:
 * depth costs no stack, and valid text costs no garbage except this object and its bits.
 *
 * <p>Escapes of lone surrogates ({@code \ud800}) pass: by section 8.2 they are legal JSON text.
 */
final class JsonScanner {

  /** Receives the parts of the outermost value, in order, before the text after them is checked. */
  @FunctionalInterface
  interface Parts {
    /**
     * Called for each member or element.
     *
     * @param name where the member's name begins, after its quote; -1 for an element
     * @param nameEnd where the name ends, before its quote; -1 for an element
     */
    void part(int name, int nameEnd, Json value);
  }

  /** Reads eight bytes as one number, the first one lowest, on every machine. */
  private static final VarHandle WORDS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final long ONES = 0x0101_0101_0101_0101L;
  private static final long HIGHS = 0x8080_8080_8080_8080L;

  private final byte[] utf8;
  private final int from;
  private final int to;
  private final int maxDepth;

  /** Bit n says whether the bracket that opened level n is an object's. */
  private final long[] objects;

  private int level;
  private boolean inObject;
  private int deepest;

  /** The position of the last CR or LF: a value that begins after it is on one line. */
  private int lastLineBreak = -1;

  /**
   * The current part: the position of its name, its own position, and its depth (the object's is
   * 1).
   */
  private int name = -1;

  private int nameEnd = -1;
  private int part;
  private int partDeepest;

  JsonScanner(byte[] utf8, int from, int to, int maxDepth) {
    this.utf8 = utf8;
    this.from = from;
    this.to = to;
    this.maxDepth = maxDepth;
    this.objects = new long[(maxDepth >> 6) + 1];
  }

  /**
   * Scans the text once; a scanner can't be used again.
   *
   * @param parts receives each part; null if the parts are not needed
   * @return the whole value, without white space around it
   * @throws RefusedException {@code malformed_json} at the first byte that is wrong
   */
  Json scan(@Nullable Parts parts) {
    refuseByteOrderMark();
    int start = white(from);
    int at = start;
    while (true) {
      if (level == 1) {
        part = at;
        partDeepest = 1;
      }
      int first = peek(at);
      boolean opened = first == '{' || first == '[';
      at = opened ? open(at, first) : scalar(at, first);

      // One iteration for each value that ends here: the scalar, then all brackets that close.
      while (true) {
        if (!opened) {
          if (level == 0) {
            Json whole = slice(start, at, deepest);
            refuseAnythingMore(at);
            return whole;
          }
          if (level == 1 && parts != null) {
            parts.part(name, nameEnd, slice(part, at, partDeepest - 1));
          }
        }
        at = white(at);
        if (peek(at) != (inObject ? '}' : ']')) {
          break;
        }
        at = close(at);
        opened = false;
      }

      if (!opened) {
        at = comma(at);
      }
      if (inObject) {
        at = name(at, opened);
      }
    }
  }

  private int open(int at, int bracket) {
    if (level == maxDepth) {
      throw malformed(at, "this is nested deeper than the " + maxDepth + " levels allowed");
    }
    level++;
    deepest = Math.max(deepest, level);
    partDeepest = Math.max(partDeepest, level);
    inObject = bracket == '{';
    long bit = 1L << level;
    objects[level >> 6] = inObject ? objects[level >> 6] | bit : objects[level >> 6] & ~bit;
    return at + 1;
  }

  private int close(int at) {
    level--;
    inObject = (objects[level >> 6] >>> level & 1) != 0;
    return at + 1;
  }

  private Json slice(int start, int end, int depth) {
    return new Json(utf8, start, end - start, depth, lastLineBreak < start);
  }

  private int comma(int at) {
    if (peek(at) != ',') {
      throw unexpected(at, inObject ? "',' or '}'" : "',' or ']'");
    }
    return white(at + 1);
  }

  private void refuseByteOrderMark() {
    if (peek(from) == 0xEF && peek(from + 1) == 0xBB && peek(from + 2) == 0xBF) {
      throw malformed(from, "this is a byte order mark; JSON is sent without one");
    }
  }

  private void refuseAnythingMore(int at) {
    int rest = white(at);
    if (rest < to) {
      throw unexpected(rest, "nothing more, as the one JSON value ended before it");
    }
  }

  private int white(int at) {
    int i = at;
    while (i < to) {
      byte b = utf8[i];
      if (b == '\n' || b == '\r') {
        lastLineBreak = i;
      } else if (b != ' ' && b != '\t') {
        break;
      }
      i++;
    }
    return i;
  }

  /** Scans a member from its name to the start of its value. */
  private int name(int at, boolean first) {
    if (peek(at) != '"') {
      String expected = "a member name in double quotes";
      throw unexpected(at, first ? expected + " or '}'" : expected + ": no comma ends an object");
    }
    int end = string(at + 1);
    if (level == 1) {
      name = at + 1;
      nameEnd = end - 1;
    }
    int colon = white(end);
    if (peek(colon) != ':') {
      throw unexpected(colon, "':' after a member name");
    }
    return white(colon + 1);
  }

  private int scalar(int at, int first) {
    return switch (first) {
      case '"' -> string(at + 1);
      case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9' -> number(at);
      case 't' -> literal(at, "true");
      case 'f' -> literal(at, "false");
      case 'n' -> literal(at, "null");
      default ->
          throw unexpected(
              at,
              "a value: '{', '[', a string in double quotes, a number that begins with a digit or"
                  + " '-', true, false or null");
    };
  }

  private int literal(int at, String word) {
    for (int i = 1; i < word.length(); i++) {
      if (peek(at + i) != word.charAt(i)) {
        throw unexpected(at + i, "the word " + word);
      }
    }
    return at + word.length();
  }

  private int number(int at) {
    int i = peek(at) == '-' ? at + 1 : at;
    if (peek(i) == '0') {
      i++;
      if (isDigit(peek(i))) {
        throw unexpected(i, "no further digit, as a number has no leading zeros");
      }
    } else {
      i = digits(i);
    }
    if (peek(i) == '.') {
      i = digits(i + 1);
    }
    if (peek(i) == 'e' || peek(i) == 'E') {
      int sign = peek(i + 1);
      i = digits(sign == '+' || sign == '-' ? i + 2 : i + 1);
    }
    return i;
  }

  private int digits(int at) {
    int i = at;
    while (isDigit(peek(i))) {
      i++;
    }
    if (i == at) {
      throw unexpected(at, "a digit");
    }
    return i;
  }

  /** Scans from after the opening quote to after the closing one. */
  private int string(int at) {
    int i = plain(at);
    while (peek(i) != '"') {
      int b = peek(i);
      if (b == '\\') {
        i = escape(i + 1);
      } else if (b >= 0x80) {
        i = multiByte(i);
      } else if (b >= 0) {
        throw unexpected(i, "its escape: strings hold no raw control characters");
      } else {
        throw unexpected(i, "the double quote that ends the string");
      }
      i = plain(i);
    }
    return i + 1;
  }

  /**
   * Returns the position of the next byte that ends a run of plain ASCII: a quote, a backslash, a
   * control character, a lead byte.
   */
  private int plain(int at) {
    // Nearly all bytes of an offer pass through here, so it takes eight at once. The subtractions
    // set a byte's highest bit if it is below ' ' or is one of the two characters. A borrow spoils
    // only the bytes above such a hit, and only the lowest hit counts.
    int i = at;
    while (i <= to - Long.BYTES) {
      long w = (long) WORDS.get(utf8, i);
      long quote = w ^ '"' * ONES;
      long backslash = w ^ '\\' * ONES;
      long hits = (w | (w - ' ' * ONES) | (quote - ONES) | (backslash - ONES)) & HIGHS;
      if (hits != 0) {
        return i + Long.numberOfTrailingZeros(hits) / Byte.SIZE;
      }
      i += Long.BYTES;
    }
    while (i < to && utf8[i] >= ' ' && utf8[i] != '"' && utf8[i] != '\\') {
      i++;
    }
    return i;
  }

  private int escape(int at) {
    return switch (peek(at)) {
      case '"', '\\', '/', 'b', 'f', 'n', 'r', 't' -> at + 1;
      case 'u' -> {
        for (int i = at + 1; i < at + 5; i++) {
          if (Character.digit(peek(i), 16) < 0) {
            throw unexpected(i, "four hexadecimal digits after \\u");
          }
        }
        yield at + 5;
      }
      default -> throw unexpected(at, "one of \" \\ / b f n r t u after a backslash");
    };
  }

  /**
   * Follows the table of RFC 3629, section 4: no overlong forms, no surrogates, nothing over
   * U+10FFFF.
   */
  private int multiByte(int at) {
    int lead = peek(at);
    int second = peek(at + 1);
    int length;
    boolean wellFormed;
    if (lead < 0xE0) {
      length = 2;
      wellFormed = lead >= 0xC2;
    } else if (lead < 0xF0) {
      length = 3;
      wellFormed = lead == 0xE0 ? second >= 0xA0 : lead != 0xED || second < 0xA0;
    } else {
      length = 4;
      wellFormed = lead == 0xF0 ? second >= 0x90 : lead < 0xF4 || (lead == 0xF4 && second < 0x90);
    }
    for (int i = at + 1; wellFormed && i < at + length; i++) {
      wellFormed = (peek(i) & 0xC0) == 0x80;
    }
    if (!wellFormed) {
      throw unexpected(at, "well-formed UTF-8");
    }
    return at + length;
  }

  /** Returns the byte at this position, 0 to 255; -1 after the end. */
  private int peek(int at) {
    return at < to ? utf8[at] & 0xFF : -1;
  }

  private static boolean isDigit(int b) {
    return b >= '0' && b <= '9';
  }

  private RefusedException unexpected(int at, String expected) {
    int found = peek(at);
    String shown;
    if (found < 0) {
      shown = "the text ends";
    } else if (found > ' ' && found < 0x7F) {
      shown = "found " + (char) found;
    } else {
      shown = String.format("found byte 0x%02X", found);
    }
    return malformed(at, shown + ", expected " + expected);
  }

  private RefusedException malformed(int at, String what) {
    return RefusedException.of(
        Code.MALFORMED_JSON, "At byte " + (at - from) + " of the JSON text: " + what + ".");
  }
}
