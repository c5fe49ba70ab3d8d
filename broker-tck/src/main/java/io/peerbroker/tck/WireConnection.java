package io.peerbroker.tck;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * One TCP connection to a server, which can send anything.
 *
 * <p>No call waits for longer than {@link #BOUND}. Not safe for use by several threads.
 */
public final class WireConnection implements AutoCloseable {

  /** How long calls wait unless stated otherwise. Only a failing test waits that long. */
  public static final Duration BOUND = Duration.ofSeconds(20);

  private final Socket socket;
  private final HttpReader reader;

  private WireConnection(Socket socket) {
    this.socket = socket;
    this.reader = new HttpReader(socket);
  }

  /** Connects to the host and port of a URI. */
  public static WireConnection open(URI server) {
    return open(server, 0);
  }

  /**
   * Connects to the host and port of a URI.
   *
   * @param receiveBuffer how many bytes the system may keep for a reader that doesn't read; 0: as
   *     it likes
   */
  public static WireConnection open(URI server, int receiveBuffer) {
    try {
      Socket socket = new Socket();
      if (receiveBuffer > 0) {
        socket.setReceiveBufferSize(receiveBuffer);
      }
      socket.setTcpNoDelay(true);
      socket.connect(
          new InetSocketAddress(server.getHost(), server.getPort()), (int) BOUND.toMillis());
      return new WireConnection(socket);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sends text in UTF-8. */
  public WireConnection write(String text) {
    return write(text.getBytes(UTF_8));
  }

  /** Sends bytes. */
  public WireConnection write(byte[] bytes) {
    // A socket has no bound of its own for writing: a client whose bytes are not read for too long
    // is cut off.
    CompletableFuture<Void> written = new CompletableFuture<>();
    var unused =
        written
            .orTimeout(BOUND.toMillis(), TimeUnit.MILLISECONDS)
            .whenComplete(
                (nothing, late) -> {
                  if (late != null) {
                    close();
                  }
                });
    try {
      socket.getOutputStream().write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      written.complete(null);
    }
    return this;
  }

  /** Reads an answer to any method but HEAD; an interim one (1xx) too. */
  public WireResponse readResponse() {
    return readResponse(false);
  }

  /** Reads an answer, which has no body if it is one to HEAD. */
  public WireResponse readResponse(boolean toHead) {
    try {
      WireResponse head = reader.within(BOUND).readHead(toHead);
      return new WireResponse(head.status(), head.headers(), reader.readBody());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Reads the head of an answer and leaves the body, which {@link #reader} then reads. */
  WireResponse readHead() {
    try {
      return reader.within(BOUND).readHead(false);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  HttpReader reader() {
    return reader;
  }

  /** Waits until the other side has ended the connection, in any way, without another byte. */
  public void awaitEnd() {
    try {
      if (!reader.within(BOUND).atEnd()) {
        throw new AssertionError("More came, where the connection was to end");
      }
    } catch (SocketTimeoutException e) {
      throw new UncheckedIOException(e);
    } catch (IOException reset) {
      // that is an end too
    }
  }

  /** Ends the connection in order, from this side only (FIN): incoming bytes can still be read. */
  public void finish() {
    try {
      socket.shutdownOutput();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Breaks the connection off (RST). */
  public void reset() {
    try {
      socket.setSoLinger(true, 0);
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends the connection; once is enough. */
  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
