package io.peerbroker.benchmarks;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** A client that listens, and what is needed to send to it and from it. */
final class LoadStream implements RelayLoad.Endpoint {

  private static final int MAX_OPENING = 64 << 10;

  /** How many bytes of HTTP's own there may be within a message: the frames of a few chunks. */
  private static final int FRAMES = 64;

  /** What is expected next in the bytes. */
  private enum State {
    BEGIN,
    DIGIT,
    END
  }

  private final RelayLoad load;
  private final SocketChannel channel;
  private final int number;

  /** The response so far; of no use once the stream is open. */
  private StringBuilder opening = new StringBuilder();

  private boolean open;
  private byte[] target = {};
  private byte[] prefix = {};

  private State state = State.BEGIN;
  private int digits;
  private long message;

  /** How many bytes have followed the message's number. */
  private int passed;

  LoadStream(RelayLoad load, SocketChannel channel, int number) {
    this.load = load;
    this.channel = channel;
    this.number = number;
  }

  /**
   * Stores what the server has said.
   *
   * @param target the path to which messages to this client are sent, or its id
   * @param prefix how a body begins in which this client sends
   */
  void learn(String target, String prefix) {
    this.target = target.getBytes(US_ASCII);
    this.prefix = prefix.getBytes(US_ASCII);
  }

  int number() {
    return number;
  }

  byte[] target() {
    return target;
  }

  byte[] prefix() {
    return prefix;
  }

  @Override
  public void ready(ByteBuffer buffer, byte[] bytes) throws IOException {
    buffer.clear();
    int length = channel.read(buffer);
    if (length < 0) {
      throw new IOException("The server has ended stream " + number + ": " + opening);
    }
    buffer.flip().get(bytes, 0, length);
    if (open) {
      scan(bytes, length);
      return;
    }
    opening.append(new String(bytes, 0, length, ISO_8859_1));
    if (opening.length() > MAX_OPENING) {
      throw new IOException("Stream " + number + " does not begin: " + opening);
    }
    String response = opening.toString();
    if (response.indexOf("\r\n\r\n") >= 0 && load.wire().learn(this, load.mount(), response)) {
      if (!response.matches("(?s)HTTP/1.1 (200|101) .*")) {
        throw new IOException("Stream " + number + " was refused: " + response);
      }
      open = true;
      opening = new StringBuilder(0);
      load.opened();
    }
  }

  /** Looks for messages; their bytes may come in pieces. */
  private void scan(byte[] bytes, int length) throws IOException {
    int at = 0;
    while (at < length) {
      switch (state) {
        case BEGIN -> {
          at = indexOf(LoadMessage.BEGIN, bytes, at, length) + 1;
          if (at > 0) {
            state = State.DIGIT;
            digits = 0;
            message = 0;
          } else {
            at = length;
          }
        }
        case DIGIT -> {
          byte next = bytes[at++];
          if (next < '0' || next > '9') {
            state = State.BEGIN;
          } else {
            message = 10 * message + (next - '0');
            if (++digits == LoadMessage.DIGITS) {
              state = State.END;
              passed = 0;
            }
          }
        }
        case END -> {
          int end = indexOf(LoadMessage.END, bytes, at, length);
          if (end < 0) {
            passed += length - at;
            at = length;
          } else {
            passed += end + 1 - at;
            at = end + 1;
            state = State.BEGIN;
            int expected = load.message().afterNumber();
            if (passed < expected || passed > expected + FRAMES) {
              throw new IOException(
                  "Message %d has %d bytes after its number, not %d"
                      .formatted(message, passed, expected));
            }
            load.arrived(this, message);
          }
        }
      }
    }
  }

  private static int indexOf(byte wanted, byte[] bytes, int from, int to) {
    for (int at = from; at < to; at++) {
      if (bytes[at] == wanted) {
        return at;
      }
    }
    return -1;
  }
}
