package io.peerbroker.tck;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A client of the wire protocol that is written by hand, so that it sends exactly what a test
 * wants.
 *
 * <p>Each request goes over a connection of its own. Safe for use by several threads; the streams
 * that it opens are not, and it ends them all when it is closed.
 */
public final class WireClient implements AutoCloseable {

  private final URI base;
  private final Queue<WireConnection> streams = new ConcurrentLinkedQueue<>();

  /** A client of the broker that is mounted at a URI, which ends without a slash. */
  public WireClient(URI base) {
    this.base = base;
  }

  /** Opens a channel and reads its first event. */
  public WireChannel openChannel(String... headerLines) {
    return openChannelAt("/channel", headerLines);
  }

  /** Opens a channel by a path with a query, and reads its first event. */
  public WireChannel openChannelAt(String path, String... headerLines) {
    return new WireChannel(this, openStream(path, headerLines));
  }

  /** Opens a channel over a connection that has been made for it. */
  public WireChannel openChannel(WireConnection connection, String... headerLines) {
    return new WireChannel(this, openStream(connection, "/channel", headerLines));
  }

  /** Opens a list stream. */
  public SseStream watch(String query, String... headerLines) {
    return openStream("/list" + query, headerLines);
  }

  /** Opens a stream as an EventSource does, and fails if it is refused. */
  public SseStream openStream(String path, String... headerLines) {
    return openStream(connect(), path, headerLines);
  }

  /** Opens a stream over a connection that has been made for it. */
  public SseStream openStream(WireConnection connection, String path, String... headerLines) {
    streams.add(connection);
    connection.write(head("GET", path, "Accept: text/event-stream", lines(headerLines)));
    WireResponse head = connection.readHead();
    if (head.status() != 200 || !head.mediaType().equals("text/event-stream")) {
      throw new AssertionError("No stream at " + path + ", but " + head);
    }
    return new SseStream(connection, head);
  }

  /** Gets a path, which may have a query. */
  public WireResponse get(String path, String... headerLines) {
    return request("GET", path, headerLines);
  }

  /** Posts JSON. */
  public WireResponse postJson(String path, String json, String... headerLines) {
    return postJson(path, json.getBytes(UTF_8), headerLines);
  }

  /** Posts bytes, declared as JSON. */
  public WireResponse postJson(String path, byte[] json, String... headerLines) {
    return post(path, json, "Content-Type: application/json", lines(headerLines));
  }

  /**
   * Posts bytes with no other headers than {@code Host}, {@code Content-Length} and those given.
   */
  public WireResponse post(String path, byte[] body, String... headerLines) {
    return exchange(concat(postHead(path, body.length, headerLines), body), false);
  }

  /** Sends a request without a body. */
  public WireResponse request(String method, String path, String... headerLines) {
    String request = head(method, path, "Connection: close", lines(headerLines));
    return exchange(request.getBytes(UTF_8), method.equals("HEAD"));
  }

  /** Sends bytes as they are and reads one answer. */
  public WireResponse exchange(byte[] request, boolean toHead) {
    try (WireConnection connection = connect()) {
      return connection.write(request).readResponse(toHead);
    }
  }

  /** Connects, and sends nothing yet. */
  public WireConnection connect() {
    return WireConnection.open(base);
  }

  /** The lines that a request begins with, and the empty one behind them. */
  public String head(String method, String path, String... headerLines) {
    return "%s %s%s HTTP/1.1\r\nHost: %s\r\n%s\r\n"
        .formatted(method, base.getRawPath(), path, base.getRawAuthority(), lines(headerLines));
  }

  /** A whole request that posts JSON and leaves the connection open. */
  public String postRequest(String path, String json) {
    return head(
            "POST",
            path,
            "Content-Type: application/json",
            "Content-Length: " + json.getBytes(UTF_8).length)
        + json;
  }

  /** Ends every stream that was opened here. */
  @Override
  public void close() {
    streams.forEach(WireConnection::close);
  }

  private String postHead(String path, int length, String... headerLines) {
    return head("POST", path, "Connection: close", "Content-Length: " + length, lines(headerLines));
  }

  // Takes single lines as well as several that were joined here before.
  private static String lines(String... headerLines) {
    StringBuilder joined = new StringBuilder();
    for (String line : headerLines) {
      joined.append(line).append(line.isEmpty() || line.endsWith("\r\n") ? "" : "\r\n");
    }
    return joined.toString();
  }

  private static byte[] concat(String head, byte[] body) {
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    whole.writeBytes(head.getBytes(UTF_8));
    whole.writeBytes(body);
    return whole.toByteArray();
  }
}
