package io.peerbroker.it.http2;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.peerbroker.tck.WireConnection;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpURI;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.http.MetaData;
import org.eclipse.jetty.http2.HTTP2Session;
import org.eclipse.jetty.http2.api.Session;
import org.eclipse.jetty.http2.api.Stream;
import org.eclipse.jetty.http2.client.HTTP2Client;
import org.eclipse.jetty.http2.frames.DataFrame;
import org.eclipse.jetty.http2.frames.HeadersFrame;

/** One connection over HTTP/2 without TLS, known beforehand to speak it (RFC 9113, 3.3). */
public final class Http2Client implements AutoCloseable {

  private final URI base;
  private final HTTP2Client client = new HTTP2Client();
  private final Session session;

  /**
   * Connects.
   *
   * @param window how many bytes each stream may be given before it has read them; the connection
   *     itself has room for all of them
   */
  public Http2Client(URI base, int window) {
    this.base = base;
    client.setInitialStreamRecvWindow(window);
    client.setInitialSessionRecvWindow(64 << 20);
    client.setMaxConcurrentPushedStreams(0);
    try {
      client.start();
      session =
          within(
              client.connect(
                  new InetSocketAddress(base.getHost(), base.getPort()),
                  new Session.Listener() {}));
    } catch (Exception e) {
      throw new AssertionError("No connection over HTTP/2", e);
    }
  }

  /** Opens an event stream. */
  public Http2Stream openStream(String path) {
    HttpFields.Mutable fields = HttpFields.build().add("Accept", "text/event-stream");
    return request("GET", path, fields, true);
  }

  /** Posts JSON. */
  public Http2Stream post(String path, String json) {
    HttpFields.Mutable fields = HttpFields.build().add("Content-Type", "application/json");
    Http2Stream stream = request("POST", path, fields, false);
    DataFrame body =
        new DataFrame(stream.stream().getId(), ByteBuffer.wrap(json.getBytes(UTF_8)), true);
    within(stream.stream().data(body));
    return stream;
  }

  /** Begins a POST of JSON, and sends none of the body. */
  public void postWithoutItsBody(String path) {
    HttpFields.Mutable fields = HttpFields.build().add("Content-Type", "application/json");
    request("POST", path, fields.add("Content-Length", "1000"), false);
  }

  private Http2Stream request(String method, String path, HttpFields fields, boolean whole) {
    MetaData.Request request =
        new MetaData.Request(method, HttpURI.from(base + path), HttpVersion.HTTP_2, fields);
    Http2Stream listener = new Http2Stream();
    Stream stream = within(session.newStream(new HeadersFrame(request, null, whole), listener));
    listener.began(stream);
    return listener;
  }

  /** Ends the connection without a word over HTTP/2. */
  public void disconnect() {
    ((HTTP2Session) session).disconnect();
  }

  /** Ends the connection, and the client. */
  @Override
  public void close() {
    try {
      client.stop();
    } catch (Exception e) {
      throw new AssertionError("The client did not stop", e);
    }
  }

  /** Returns the result within the bound. */
  static <T> T within(CompletableFuture<T> future) {
    try {
      return future.get(WireConnection.BOUND.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException | ExecutionException | TimeoutException e) {
      throw new AssertionError("Not done over HTTP/2", e);
    }
  }
}
