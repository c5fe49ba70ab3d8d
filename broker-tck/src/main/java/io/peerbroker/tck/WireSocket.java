package io.peerbroker.tck;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.peerbroker.core.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A client over a plain socket (RFC 6455): it reads only while it is asked to, and can go away in
 * the worst way.
 */
public final class WireSocket implements AutoCloseable {

  private static final int BUFFER = 4_096;
  private static final String PROTOCOL = "peerbroker.v1";

  private static final int FINAL = 0x80;
  private static final int CONTINUATION = 0;
  private static final int TEXT = 1;
  private static final int BINARY = 2;
  private static final int CLOSE = 8;

  private final WireConnection connection;
  private final WireResponse answer;

  private int closeCode;
  private String closeReason = "";

  private WireSocket(WireConnection connection, WireResponse answer) {
    this.connection = connection;
    this.answer = answer;
  }

  /**
   * Asks for a WebSocket.
   *
   * @param headers further headers, each with its line end; they come before those of the handshake
   */
  public static WireSocket open(URI base, String query, String headers) {
    return openAt(
        base, "/socket" + query, "Sec-WebSocket-Protocol: " + PROTOCOL + "\r\n" + headers);
  }

  /**
   * Asks for a WebSocket of another kind.
   *
   * @param path below the base, with its query
   * @param headers further headers, each with its line end; they come before those of the handshake
   */
  public static WireSocket openAt(URI base, String path, String headers) {
    WireConnection connection = WireConnection.open(base, BUFFER);
    connection.write(
        "GET "
            + base.getPath()
            + path
            + " HTTP/1.1\r\nHost: "
            + base.getAuthority()
            + "\r\n"
            + headers
            + "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    return new WireSocket(connection, connection.readResponse());
  }

  /** Returns the answer to the handshake, whose status is 101 if there is a WebSocket. */
  public WireResponse answer() {
    return answer;
  }

  /** Returns the code that the server has closed with; 0 if it has not. */
  public int closeCode() {
    return closeCode;
  }

  /** Returns the phrase that the server has closed with; empty if there was none. */
  public String closeReason() {
    return closeReason;
  }

  /** Sends a text message. */
  public void send(String text) {
    byte[] payload = text.getBytes(UTF_8);
    frame(FINAL | TEXT, payload.length, payload);
  }

  /** Sends a text message of ASCII in frames of so many bytes. */
  public void sendInParts(String text, int bytes) {
    for (int from = 0; from < text.length(); from += bytes) {
      int to = Math.min(text.length(), from + bytes);
      int opcode = from == 0 ? TEXT : CONTINUATION;
      frame(
          to == text.length() ? FINAL | opcode : opcode,
          to - from,
          text.substring(from, to).getBytes(UTF_8));
    }
  }

  /** Sends the first frame of a text message that has more. */
  public void sendPart(String text) {
    byte[] payload = text.getBytes(UTF_8);
    frame(TEXT, payload.length, payload);
  }

  /** Sends a binary message. */
  public void sendBinary(byte[] payload) {
    frame(FINAL | BINARY, payload.length, payload);
  }

  /** Begins a binary message of so many bytes, of which some are sent. */
  public void beginBinary(int length) {
    frame(FINAL | BINARY, length, new byte[16 << 10]);
  }

  /** Sends the close frame with a code: the client's goodbye. */
  public void sendClose(int code) {
    frame(FINAL | CLOSE, 2, new byte[] {(byte) (code >> 8), (byte) code});
  }

  private void frame(int first, int length, byte[] payload) {
    ByteArrayOutputStream frame = new ByteArrayOutputStream();
    frame.write(first);
    if (length < 126) {
      frame.write(0x80 | length);
    } else if (length < 1 << 16) {
      frame.write(0x80 | 126);
      frame.write(length >> 8);
      frame.write(length);
    } else {
      frame.write(0x80 | 127);
      for (int shift = 56; shift >= 0; shift -= 8) {
        frame.write((int) ((long) length >> shift));
      }
    }
    // A mask of zeros.
    frame.writeBytes(new byte[4]);
    frame.writeBytes(payload);
    connection.write(frame.toByteArray());
  }

  /** Returns the members of the next message. */
  public Map<String, Json> next() {
    String text = nextText();
    if (text == null) {
      throw new AssertionError("The connection has ended: " + closeCode);
    }
    return Json.parse(text).members();
  }

  /** Returns the members of the next message that is no heartbeat. */
  public Map<String, Json> nextEvent() {
    Map<String, Json> next = next();
    while (isHeartbeat(next)) {
      next = next();
    }
    return next;
  }

  private static boolean isHeartbeat(Map<String, Json> message) {
    Json event = message.get("event");
    return event != null && event.asString().equals("heartbeat");
  }

  /** Returns the next message, or null at the end of the connection. */
  public @Nullable String nextText() {
    HttpReader in = connection.reader().within(WireConnection.BOUND);
    try {
      ByteArrayOutputStream message = new ByteArrayOutputStream();
      while (true) {
        int first = in.readOctet();
        if (first < 0) {
          return null;
        }
        int length = in.readOctets(1)[0] & 0x7F;
        if (length > 125) {
          length = new BigInteger(1, in.readOctets(length == 126 ? 2 : 8)).intValueExact();
        }
        byte[] payload = in.readOctets(length);
        int opcode = first & 0x0F;
        if (opcode == CLOSE) {
          closeCode = length < 2 ? 1005 : ((payload[0] & 0xFF) << 8) | (payload[1] & 0xFF);
          closeReason = length < 2 ? "" : new String(payload, 2, length - 2, UTF_8);
          return null;
        }
        if (opcode > CLOSE) {
          // A ping or a pong.
          continue;
        }
        if ((first & 0x70) != 0 || opcode > TEXT) {
          throw new AssertionError("Not expected: a frame that begins with " + first);
        }
        message.writeBytes(payload);
        if ((first & 0x80) != 0) {
          return message.toString(UTF_8);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Breaks the connection off (RST). */
  public void reset() {
    connection.reset();
  }

  @Override
  public void close() {
    connection.close();
  }

  /** Returns a member that must be there. */
  public static Json get(Map<String, Json> members, String name) {
    return Objects.requireNonNull(members.get(name), () -> name + " of " + members);
  }

  /** Returns an object of these members, as Gson writes them. */
  public static String json(Object... namesAndValues) {
    Map<String, Object> members = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      members.put((String) namesAndValues[i], namesAndValues[i + 1]);
    }
    return Json.of(members).toString();
  }
}
