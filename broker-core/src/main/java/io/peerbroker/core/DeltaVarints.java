package io.peerbroker.core;

import java.util.Arrays;

/**
 * Ascending numbers, stored as their differences, seven bits to a byte: one or two bytes for each
 * session of a page. There may be several series of them, whose numbers alternate as they like.
 * Used by one thread at a time.
 */
final class DeltaVarints {

  private byte[] bytes = new byte[16];
  private int length;

  /** The last number of each series. */
  private final long[] last;

  /** How many bits say which series a number is of: none if there is one. */
  private final int bits;

  /**
   * @param series how many series there are
   */
  DeltaVarints(int series) {
    last = new long[series];
    bits = bits(series);
  }

  private static int bits(int series) {
    return Integer.SIZE - Integer.numberOfLeadingZeros(series - 1);
  }

  /** Adds a number to a series, larger than all previous ones of it. */
  void add(int series, long number) {
    if (bytes.length - length < 10) {
      bytes = Arrays.copyOf(bytes, bytes.length * 2);
    }
    long step = ((number - last[series]) << bits) | series;
    last[series] = number;
    for (; step >= 0x80; step >>>= 7) {
      bytes[length++] = (byte) (step | 0x80);
    }
    bytes[length++] = (byte) step;
  }

  /** Returns a cursor before the first number. */
  Reader read() {
    return new Reader(Arrays.copyOf(bytes, length), last.length);
  }

  /** A position among the numbers. */
  static final class Reader {
    private final byte[] bytes;
    private final long[] numbers;
    private final int bits;
    private int at;
    private int series;

    private Reader(byte[] bytes, int series) {
      this.bytes = bytes;
      numbers = new long[series];
      bits = bits(series);
    }

    boolean hasNext() {
      return at < bytes.length;
    }

    /** Returns the next number; {@link #series} is the one that it belongs to. */
    long next() {
      long step = 0;
      int shift = 0;
      byte part;
      do {
        part = bytes[at++];
        step |= (long) (part & 0x7f) << shift;
        shift += 7;
      } while (part < 0);
      series = (int) (step & ((1L << bits) - 1));
      numbers[series] += step >>> bits;
      return numbers[series];
    }

    /** Returns the series of the last number. */
    int series() {
      return series;
    }
  }
}
