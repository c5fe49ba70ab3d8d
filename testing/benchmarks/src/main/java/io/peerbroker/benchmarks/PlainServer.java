package io.peerbroker.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/** The yardstick of everything that goes over sockets: writes prepared bytes. */
final class PlainServer implements AutoCloseable {

  private static final int BACKLOG = 1_024;

  private final ServerSocket server;
  private final byte[] head;
  private final List<Socket> connections = new ArrayList<>();

  /** A server that answers each request with the same first bytes. */
  PlainServer(String head) throws IOException {
    this.head = head.getBytes(US_ASCII);
    server = new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress());
  }

  int port() {
    return server.getLocalPort();
  }

  /** Accepts connections, and answers the first bytes of a request on each. */
  void accept(int count) throws IOException {
    for (int i = 0; i < count; i++) {
      Socket connection = server.accept();
      connections.add(connection);
      connection.setTcpNoDelay(true);
      InputStream request = connection.getInputStream();
      if (request.read(new byte[1_024]) < 0) {
        throw new IOException("A connection ended before its request");
      }
      connection.getOutputStream().write(head);
    }
  }

  /** Writes to every connection, one after the other. */
  void write(byte[] bytes) throws IOException {
    for (Socket connection : connections) {
      connection.getOutputStream().write(bytes);
    }
  }

  @Override
  public void close() throws IOException {
    for (Socket connection : connections) {
      connection.close();
    }
    server.close();
  }
}
