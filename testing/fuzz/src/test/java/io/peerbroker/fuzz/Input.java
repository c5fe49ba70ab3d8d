package io.peerbroker.fuzz;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;

/**
 * The bytes that a fuzzer gives, cut into the parts that a target wants. When they are used up,
 * zeros follow.
 */
public final class Input {

  private final byte[] bytes;
  private int position;

  /** Begins at the first byte. */
  public Input(byte[] bytes) {
    this.bytes = bytes;
  }

  /** From 0 to below the bound, which is at most 256. */
  public int below(int bound) {
    return position < bytes.length ? (bytes[position++] & 0xFF) % bound : 0;
  }

  /** The bytes up to the next that is 0xFF, which stands nowhere in UTF-8, or up to the end. */
  public byte[] part() {
    int start = Math.min(position, bytes.length);
    int end = start;
    while (end < bytes.length && bytes[end] != (byte) 0xFF) {
      end++;
    }
    position = end + 1;
    return Arrays.copyOfRange(bytes, start, end);
  }

  /**
   * Such a part as a text: as UTF-8, or where it begins with a NUL as UTF-16 behind it, which may
   * hold lone surrogates.
   */
  public String text() {
    byte[] part = part();
    if (part.length == 0 || part[0] != 0) {
      return new String(part, UTF_8);
    }
    StringBuilder text = new StringBuilder();
    for (int i = 1; i + 1 < part.length; i += 2) {
      text.append((char) ((part[i] & 0xFF) << 8 | (part[i + 1] & 0xFF)));
    }
    return text.toString();
  }

  /** Whether something is left. */
  public boolean hasMore() {
    return position < bytes.length;
  }
}
