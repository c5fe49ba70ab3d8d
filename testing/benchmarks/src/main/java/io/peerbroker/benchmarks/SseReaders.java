package io.peerbroker.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Reads many streams with one thread and counts their events: a program of its own, so that its CPU
 * time does not count as the server's.
 *
 * <p>Its standard input has its commands, line by line: {@code open <port> <path>} opens one more
 * stream; {@code await <count>} answers with the number of events read so far, once there are so
 * many. It ends with its input.
 */
final class SseReaders {

  private static final long PATIENCE_MILLIS = 60_000;

  private final Selector selector = Selector.open();
  private final ConcurrentLinkedQueue<SocketChannel> opened = new ConcurrentLinkedQueue<>();
  private long events;

  private SseReaders() throws IOException {}

  public static void main(String[] args) throws Exception {
    SseReaders readers = new SseReaders();
    Thread reading = new Thread(readers::readAll, "reading");
    reading.setDaemon(true);
    reading.start();
    var commands = new BufferedReader(new InputStreamReader(System.in, US_ASCII));
    for (String line; (line = commands.readLine()) != null; ) {
      String[] command = line.split(" ", -1);
      if (command[0].equals("open")) {
        readers.open(Integer.parseInt(command[1]), command[2]);
      } else {
        System.out.println(readers.await(Long.parseLong(command[1])));
      }
    }
  }

  private void open(int port, String path) throws IOException {
    SocketChannel channel =
        SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    String request =
        "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n".formatted(path);
    channel.write(ByteBuffer.wrap(request.getBytes(US_ASCII)));
    channel.configureBlocking(false);
    opened.add(channel);
    selector.wakeup();
  }

  private synchronized long await(long count) throws InterruptedException {
    long deadline = System.currentTimeMillis() + PATIENCE_MILLIS;
    for (long left; events < count && (left = deadline - System.currentTimeMillis()) > 0; ) {
      wait(left);
    }
    return events;
  }

  private synchronized void count(long more) {
    events += more;
    notifyAll();
  }

  private void readAll() {
    ByteBuffer buffer = ByteBuffer.allocateDirect(64 << 10);
    try {
      while (true) {
        selector.select();
        for (SocketChannel channel; (channel = opened.poll()) != null; ) {
          channel.register(selector, SelectionKey.OP_READ, new Stream(channel));
        }
        long more = 0;
        for (SelectionKey key : selector.selectedKeys()) {
          more += ((Stream) key.attachment()).read(buffer);
        }
        selector.selectedKeys().clear();
        count(more);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * One stream. An event has a line that begins with {@code ev}, which neither a comment, a {@code
   * retry} nor the size of a chunk does, and ends with an empty line; HTTP's ends in CR LF.
   */
  private static final class Stream {
    private final SocketChannel channel;
    private boolean inEvent;

    /** How many bytes of the line have been read, and what the last of them was. */
    private int length;

    private byte last;

    Stream(SocketChannel channel) {
      this.channel = channel;
    }

    /** Reads the available bytes, and returns how many events ended in them. */
    long read(ByteBuffer buffer) throws IOException {
      buffer.clear();
      if (channel.read(buffer) < 0) {
        channel.close();
        return 0;
      }
      buffer.flip();
      long ended = 0;
      while (buffer.hasRemaining()) {
        byte next = buffer.get();
        if (next != '\n') {
          inEvent |= length == 1 && last == 'e' && next == 'v';
          length++;
        } else {
          if (length == 0 && inEvent) {
            ended++;
            inEvent = false;
          }
          length = 0;
        }
        last = next;
      }
      return ended;
    }
  }
}
