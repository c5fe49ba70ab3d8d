package io.peerbroker.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.Socket;

/**
 * Reads one watch over a socket, as fast as the bytes come. It speaks HTTP/1.0, so that no chunk
 * can part the name of an event.
 *
 * @param toHeaders nanoseconds from the request to the first byte of the answer
 * @param toAdd nanoseconds from the request to the first session
 * @param toReady nanoseconds from the request to the end of the snapshot; 0 if it was not read
 * @param bytes how many have been read
 * @param cpuNanos the CPU time of this thread for reading
 */
record SnapshotReader(double toHeaders, double toAdd, double toReady, long bytes, long cpuNanos) {

  private static final int PATIENCE_MILLIS = 300_000;

  /** The end of reading. */
  enum Until {
    FIRST_ADD,
    READY
  }

  static SnapshotReader read(int port, String filter, Until until) throws IOException {
    byte[] request =
        "GET /list?filter=%s HTTP/1.0\r\nAccept: text/event-stream\r\n\r\n"
            .formatted(filter)
            .getBytes(US_ASCII);
    Marker add = new Marker("\nevent: add");
    Marker ready = new Marker("\nevent: ready");
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(PATIENCE_MILLIS);
      long cpu = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
      long begun = System.nanoTime();
      socket.getOutputStream().write(request);
      InputStream in = socket.getInputStream();
      byte[] buffer = new byte[64 << 10];
      double toHeaders = 0;
      double toAdd = 0;
      long bytes = 0;
      while (true) {
        int length = in.read(buffer);
        if (length < 0) {
          throw new EOFException("The list ended before its snapshot did");
        }
        double now = (double) (System.nanoTime() - begun);
        toHeaders = toHeaders == 0 ? now : toHeaders;
        bytes += length;
        toAdd = toAdd == 0 && add.isFoundIn(buffer, length) ? now : toAdd;
        boolean end = ready.isFoundIn(buffer, length);
        if (end || (until == Until.FIRST_ADD && toAdd > 0)) {
          cpu = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - cpu;
          return new SnapshotReader(toHeaders, toAdd, end ? now : 0, bytes, cpu);
        }
      }
    }
  }

  /** Finds a text in bytes that come piece by piece; its first character comes in it only once. */
  private static final class Marker {
    private final byte[] text;
    private int matched;

    Marker(String text) {
      this.text = text.getBytes(US_ASCII);
    }

    boolean isFoundIn(byte[] bytes, int length) {
      for (int i = 0; i < length && matched < text.length; i++) {
        if (bytes[i] == text[matched]) {
          matched++;
        } else {
          matched = bytes[i] == text[0] ? 1 : 0;
        }
      }
      return matched == text.length;
    }
  }
}
