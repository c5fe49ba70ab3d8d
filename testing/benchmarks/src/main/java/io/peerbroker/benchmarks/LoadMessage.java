package io.peerbroker.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.nio.ByteBuffer;

/**
 * The message that the load sends: an offer with candidates, in JSON. It begins with its number,
 * after a {@code ~}, and ends with a {@code ^}; it has neither anywhere else.
 */
final class LoadMessage {

  static final byte BEGIN = '~';
  static final byte END = '^';

  /** How many digits a number has. */
  static final int DIGITS = 12;

  private static final String HEAD = "{\"n\":\"~";
  private static final String DESCRIPTION =
      "\",\"type\":\"offer\",\"sdp\":\"v=0\\r\\no=- 4611731400430051336 2 IN IP4 127.0.0.1\\r\\n"
          + "s=-\\r\\nt=0 0\\r\\na=group:BUNDLE 0\\r\\na=msid-semantic: WMS\\r\\n"
          + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\\r\\nc=IN IP4 0.0.0.0\\r\\n";
  private static final String CANDIDATE =
      "a=candidate:1467250027 1 udp 2122260223 192.168.0.196 46243 typ host generation 0\\r\\n";
  private static final String FILL = "a=x-fill:";
  private static final String TAIL = "\\r\\n^\"}";

  private final byte[] bytes;

  LoadMessage(int length) {
    StringBuilder text = new StringBuilder(HEAD).append("0".repeat(DIGITS));
    if (text.length() + DESCRIPTION.length() + FILL.length() + TAIL.length() <= length) {
      text.append(DESCRIPTION);
    } else {
      text.append("\",\"sdp\":\"");
    }
    int end = length - FILL.length() - TAIL.length();
    while (text.length() + CANDIDATE.length() <= end) {
      text.append(CANDIDATE);
    }
    text.append(FILL).append("x".repeat(Math.max(0, length - text.length() - TAIL.length())));
    bytes = text.append(TAIL).toString().getBytes(US_ASCII);
  }

  int length() {
    return bytes.length;
  }

  /** Returns how many bytes follow the number, its end included. */
  int afterNumber() {
    return new String(bytes, US_ASCII).indexOf(END) + 1 - HEAD.length() - DIGITS;
  }

  /** Writes the message with a number. */
  void put(ByteBuffer to, long number) {
    int begin = to.position() + HEAD.length();
    to.put(bytes);
    long rest = number;
    for (int at = begin + DIGITS - 1; at >= begin; at--) {
      to.put(at, (byte) ('0' + rest % 10));
      rest /= 10;
    }
  }
}
