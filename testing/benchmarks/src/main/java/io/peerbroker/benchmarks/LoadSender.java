package io.peerbroker.benchmarks;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/** A connection that sends one message after the other, each with a request of its own. */
final class LoadSender implements RelayLoad.Endpoint {

  private static final int MAX_RESPONSE = 16 << 10;

  private final RelayLoad load;
  private final SocketChannel channel;
  private final SelectionKey key;

  /** The request; its limit is where the part ends that is being written. */
  private final ByteBuffer request;

  private final byte[] response = new byte[MAX_RESPONSE];
  private int responseLength;

  /** Where the whole request ends. */
  private int end;

  /** The message under way. */
  private long number = -1;

  private @Nullable LoadStream target;
  private long due;
  private boolean arrived = true;
  private boolean answered = true;

  LoadSender(RelayLoad load, SocketChannel channel, Selector selector) throws IOException {
    this.load = load;
    this.channel = channel;
    this.key = channel.register(selector, SelectionKey.OP_READ, this);
    this.request = ByteBuffer.allocateDirect(4_096 + load.message().length());
  }

  /**
   * Sends a message.
   *
   * @param due when it should have been sent
   */
  void send(LoadStream origin, LoadStream target, long number, long due) throws IOException {
    this.target = target;
    this.number = number;
    this.due = due;
    arrived = false;
    answered = !load.wire().answers();
    responseLength = 0;
    request.clear();
    int body =
        load.wire().compose(request, load.sendHead(), load.message(), origin, target, number);
    end = request.position();
    request.flip();
    switch (load.body()) {
      case TOGETHER -> write();
      case APART -> {
        request.limit(body);
        write();
        sendBody();
      }
      case LATE -> {
        request.limit(body);
        write();
        load.sendBodyLater(this);
      }
    }
  }

  /** Writes the body, or notes that it follows the head as soon as that is written. */
  void sendBody() throws IOException {
    boolean next = !request.hasRemaining();
    request.limit(end);
    if (next) {
      write();
    }
  }

  private void write() throws IOException {
    channel.write(request);
    key.interestOps(
        request.hasRemaining()
            ? SelectionKey.OP_READ | SelectionKey.OP_WRITE
            : SelectionKey.OP_READ);
  }

  @Override
  public void ready(ByteBuffer buffer, byte[] bytes) throws IOException {
    if (key.isWritable()) {
      write();
    }
    if (!key.isReadable()) {
      return;
    }
    buffer.clear();
    buffer.limit(response.length - responseLength);
    int length = channel.read(buffer);
    if (length < 0 && !isBusy()) {
      // Servers on Node.js end a connection that is idle for 5 s, as it is between two loops.
      close();
      return;
    }
    if (length < 0 || answered) {
      throw new IOException(
          "The server has ended a connection, or answered twice, at message " + number);
    }
    buffer.flip().get(response, responseLength, length);
    responseLength += length;
    if (load.wire().isAnswered(new String(response, 0, responseLength, ISO_8859_1), number)) {
      answered = true;
      if (arrived) {
        load.done(this);
      }
    } else if (responseLength == response.length) {
      throw new IOException("The answer to message " + number + " does not end");
    }
  }

  /** Notes that the message has arrived where it was sent to. */
  void arrived() {
    arrived = true;
    if (answered) {
      load.done(this);
    }
  }

  /** Returns whether this is the message under way, and it has not arrived. */
  boolean awaits(long message, LoadStream at) {
    return number == message && target == at && !arrived;
  }

  /** Returns whether its message has not arrived, or was not answered. */
  boolean isBusy() {
    return !arrived || !answered;
  }

  /** Returns the message under way, or the last one. */
  long number() {
    return number;
  }

  /** Returns when its message should have been sent. */
  long due() {
    return due;
  }

  void close() throws IOException {
    channel.close();
  }
}
