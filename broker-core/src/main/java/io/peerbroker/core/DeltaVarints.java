package io.peerbroker.core;

import java.util.Arrays;

/**
 * Ascending numbers, stored as their differences, seven bits to a byte: one or two bytes for each
 * session of a page. Used by one thread at a time.
 */
final class DeltaVarints {

  private byte[] bytes = new byte[16];
  private int length;
  private long last;

  /** Adds a number larger than all previous ones. */
  void add(long number) {
    if (bytes.length - length < 10) {
      bytes = Arrays.copyOf(bytes, bytes.length * 2);
    }
    long step = number - last;
    last = number;
    for (; step >= 0x80; step >>>= 7) {
      bytes[length++] = (byte) (step | 0x80);
    }
    bytes[length++] = (byte) step;
  }

  /** Returns a cursor before the first number. */
  Reader read() {
    return new Reader(Arrays.copyOf(bytes, length));
  }

  /** A position among the numbers. */
  static final class Reader {
    private final byte[] bytes;
    private int at;
    private long number;

    private Reader(byte[] bytes) {
      this.bytes = bytes;
    }

    boolean hasNext() {
      return at < bytes.length;
    }

    long next() {
      long step = 0;
      int shift = 0;
      byte part;
      do {
        part = bytes[at++];
        step |= (long) (part & 0x7f) << shift;
        shift += 7;
      } while (part < 0);
      number += step;
      return number;
    }
  }
}
