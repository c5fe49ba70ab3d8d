package io.peerbroker.tck;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.peerbroker.tck.WireResponse.Header;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.ProtocolException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads HTTP/1.1 answers from a socket, strictly (RFC 9112): deviations that are tolerated
 * elsewhere are errors here.
 *
 * <p>Every read keeps to the deadline that {@link #within} has set last.
 */
final class HttpReader {

  private static final Pattern STATUS_LINE = Pattern.compile("HTTP/1\\.1 ([1-5][0-9]{2}) .*");
  private static final Pattern FIELD_LINE =
      Pattern.compile("([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \\t]*([^\\x00-\\x08\\x0A-\\x1F\\x7F]*)");
  private static final Pattern CHUNK_SIZE = Pattern.compile("([0-9A-Fa-f]{1,8})(?:[ \\t]*;.*)?");
  private static final int MAX_LINE = 16 * 1024;
  private static final long UNTIL_CLOSED = Long.MAX_VALUE;

  private final Socket socket;
  private final byte[] buffer = new byte[8 * 1024];
  private int position;
  private int limit;
  private long deadline;

  private boolean chunked;
  private boolean firstChunk;
  private long left;

  HttpReader(Socket socket) {
    this.socket = socket;
  }

  /** Sets the deadline of the reads that follow. */
  HttpReader within(Duration bound) {
    deadline = System.nanoTime() + bound.toNanos();
    return this;
  }

  /** Reads a status line and header fields; the body is empty as yet. */
  WireResponse readHead(boolean toHead) throws IOException {
    Matcher statusLine = match(STATUS_LINE, readLine());
    int status = Integer.parseInt(statusLine.group(1));
    List<Header> headers = new ArrayList<>();
    for (String line = readLine(); !line.isEmpty(); line = readLine()) {
      Matcher field = match(FIELD_LINE, line);
      headers.add(new Header(field.group(1), field.group(2).stripTrailing()));
    }
    WireResponse head = new WireResponse(status, List.copyOf(headers), "");
    frame(head, toHead || status < 200 || status == 204 || status == 304);
    return head;
  }

  private void frame(WireResponse head, boolean withoutBody) throws IOException {
    String coding = head.header("Transfer-Encoding");
    String length = head.header("Content-Length");
    if (coding != null && (!coding.equals("chunked") || length != null)) {
      throw new ProtocolException("Transfer-Encoding: " + coding + ", Content-Length: " + length);
    }
    if (length != null && !length.matches("[0-9]{1,9}")) {
      throw new ProtocolException("Content-Length: " + length);
    }
    chunked = coding != null && !withoutBody;
    firstChunk = true;
    if (withoutBody || chunked) {
      left = 0;
    } else {
      left = length == null ? UNTIL_CLOSED : Long.parseLong(length);
    }
  }

  /** Reads the whole body. */
  byte[] readBody() throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    byte[] piece = new byte[buffer.length];
    for (int n = readBody(piece); n >= 0; n = readBody(piece)) {
      body.write(piece, 0, n);
    }
    return body.toByteArray();
  }

  /**
   * Reads a piece of the body.
   *
   * @return how many bytes, at least one; -1 when the body has come to its proper end
   * @throws EOFException when the connection ended before the body did
   */
  int readBody(byte[] target) throws IOException {
    if (left == 0 && chunked) {
      nextChunk();
    }
    if (left == 0) {
      return -1;
    }
    if (position == limit && !fill()) {
      if (left == UNTIL_CLOSED) {
        return -1;
      }
      throw new EOFException("The body was cut off");
    }
    int n = (int) Math.min(left, Math.min(target.length, limit - position));
    System.arraycopy(buffer, position, target, 0, n);
    position += n;
    left -= left == UNTIL_CLOSED ? 0 : n;
    return n;
  }

  private void nextChunk() throws IOException {
    finishChunk();
    firstChunk = false;
    left = Long.parseLong(match(CHUNK_SIZE, readLine()).group(1), 16);
    if (left == 0) {
      chunked = false;
      while (!readLine().isEmpty()) {
        // a trailer field; they are not used here
      }
    }
  }

  /** Reads the line end behind a chunk that has been read: it comes with the chunk. */
  void finishChunk() throws IOException {
    if (chunked && left == 0 && !firstChunk) {
      if (!readLine().isEmpty()) {
        throw new ProtocolException("A chunk is longer than its size");
      }
      firstChunk = true;
    }
  }

  /** Whether the other side has ended the connection, and nothing is left to read. */
  boolean atEnd() throws IOException {
    return position == limit && !fill();
  }

  /** Reads a byte behind the answers, where another protocol has begun; -1 at the end. */
  int readOctet() throws IOException {
    return atEnd() ? -1 : buffer[position++] & 0xFF;
  }

  /**
   * Reads bytes behind the answers, where another protocol has begun.
   *
   * @throws EOFException when the connection ended before
   */
  byte[] readOctets(int count) throws IOException {
    byte[] read = new byte[count];
    for (int from = 0; from < count; ) {
      if (atEnd()) {
        throw new EOFException("The connection ended");
      }
      int n = Math.min(count - from, limit - position);
      System.arraycopy(buffer, position, read, from, n);
      position += n;
      from += n;
    }
    return read;
  }

  private String readLine() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = read(); b != '\n'; b = read()) {
      line.write(b);
      if (line.size() > MAX_LINE) {
        throw new ProtocolException("A line of more than " + MAX_LINE + " bytes");
      }
    }
    String text = line.toString(ISO_8859_1);
    if (!text.endsWith("\r")) {
      throw new ProtocolException("A line that ends without CR: " + text);
    }
    return text.substring(0, text.length() - 1);
  }

  private int read() throws IOException {
    if (position == limit && !fill()) {
      throw new EOFException("The connection ended");
    }
    return buffer[position++] & 0xFF;
  }

  private boolean fill() throws IOException {
    long millis = (deadline - System.nanoTime()) / 1_000_000;
    if (millis <= 0) {
      throw new SocketTimeoutException("Nothing came in time");
    }
    socket.setSoTimeout((int) millis);
    position = 0;
    limit = Math.max(0, socket.getInputStream().read(buffer));
    return limit > 0;
  }

  private static Matcher match(Pattern pattern, String line) throws IOException {
    Matcher matcher = pattern.matcher(line);
    if (!matcher.matches()) {
      throw new ProtocolException("Not as " + pattern + " asks: " + line);
    }
    return matcher;
  }
}
