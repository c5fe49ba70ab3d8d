package io.peerbroker.it.http2;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.peerbroker.tck.WireConnection;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A connection over HTTP/2 with wide windows that is no longer read once one of its channels has
 * sent its id: the server may send as much as it likes, and the network takes nothing.
 *
 * <p>Written by hand (RFC 9113, RFC 7541), since a client that keeps to the protocol reads.
 */
final class DeafConnection implements AutoCloseable {

  private static final Pattern CID = Pattern.compile("\"cid\":\"([0-9a-f-]{36})\"");
  private static final byte[] WIDE = {0x7F, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF};

  private final Socket socket;
  private final String cid;

  /**
   * Connects, opens a channel and other streams, at most 100 in all, and reads up to the {@code
   * cid} that comes first.
   *
   * @param others the path of the other streams, below the broker's
   */
  DeafConnection(URI base, int streams, String others) {
    try {
      socket = new Socket();
      socket.setReceiveBufferSize(4 << 10);
      socket.setSoTimeout((int) WireConnection.BOUND.toMillis());
      socket.connect(new InetSocketAddress(base.getHost(), base.getPort()));
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      out.writeBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(ISO_8859_1));
      // SETTINGS_INITIAL_WINDOW_SIZE, and the window of the connection itself.
      frame(out, 4, 0, 0, new byte[] {0, 4, WIDE[0], WIDE[1], WIDE[2], WIDE[3]});
      frame(out, 8, 0, 0, new byte[] {0x7F, (byte) 0xFE, 0, 0});
      frame(out, 1, 5, 1, headers(base, "/channel"));
      for (int i = 1; i < streams; i++) {
        frame(out, 1, 5, 2 * i + 1, headers(base, others));
      }
      socket.getOutputStream().write(out.toByteArray());
      cid = readCid();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void frame(
      ByteArrayOutputStream out, int type, int flags, int stream, byte[] payload) {
    out.writeBytes(
        new byte[] {
          0, (byte) (payload.length >> 8), (byte) payload.length, (byte) type, (byte) flags
        });
    out.writeBytes(new byte[] {0, 0, 0, (byte) stream});
    out.writeBytes(payload);
  }

  /** Names from the static table, values as they are. */
  private static byte[] headers(URI base, String path) {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    block.writeBytes(new byte[] {(byte) 0x82, (byte) 0x86});
    literal(block, new byte[] {0x04}, base.getRawPath() + path);
    literal(block, new byte[] {0x01}, base.getRawAuthority());
    literal(block, new byte[] {0x0F, 0x04}, "text/event-stream");
    return block.toByteArray();
  }

  private static void literal(ByteArrayOutputStream block, byte[] name, String value) {
    block.writeBytes(name);
    block.write(value.length());
    block.writeBytes(value.getBytes(ISO_8859_1));
  }

  private String readCid() throws IOException {
    StringBuilder read = new StringBuilder();
    byte[] piece = new byte[512];
    while (true) {
      int n = socket.getInputStream().read(piece);
      if (n < 0) {
        throw new IOException("The connection ended after " + read);
      }
      read.append(new String(piece, 0, n, ISO_8859_1));
      Matcher matcher = CID.matcher(read);
      if (matcher.find()) {
        return matcher.group(1);
      }
    }
  }

  /** The id of its channel. */
  String cid() {
    return cid;
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
