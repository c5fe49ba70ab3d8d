package io.peerbroker.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * The clients of a relay, all on one thread: a program of its own. It checks that each message
 * arrives once, whole, and at the stream that it was sent to.
 *
 * <p>Its arguments are the name of the {@link Wire}, the path at which the server is mounted, its
 * port, its process, the size of a message, and the {@link RelayOptions.Body}. Its standard input
 * has its commands, line by line, each of which is answered with a line of numbers; it ends with
 * its input.
 *
 * <ul>
 *   <li>{@code open <count>} opens more streams: the server's CPU time
 *   <li>{@code send <connections> <milliseconds before> <milliseconds> <messages a second>} sends
 *       messages from and to random streams; with the rate 0, each connection sends the next
 *       message when the last one has been answered and has arrived: the numbers of {@link
 *       LoadProcess.Sent}
 * </ul>
 */
final class RelayLoad {

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** How long a late body waits after its head. */
  private static final long LATE_NANOS = 200_000;

  /** How many streams are being opened at one time. */
  private static final int OPENING = 100;

  /** More messages than can be under way; a power of two. */
  private static final int UNDER_WAY = 1 << 16;

  private static final long SEED = 11;
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  /** What a connection is for. */
  interface Endpoint {
    /**
     * Reads or writes what can be.
     *
     * @param buffer for reading
     * @param bytes as large as the buffer
     */
    void ready(ByteBuffer buffer, byte[] bytes) throws IOException;
  }

  private final Wire wire;
  private final String mount;
  private final InetSocketAddress address;
  private final long server;
  private final LoadMessage message;
  private final RelayOptions.Body body;
  private final byte[] sendHead;

  /** How long nothing at all may happen while something is expected. */
  private final Duration patience;

  private final Selector selector = Selector.open();
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(64 << 10);
  private final byte[] bytes = new byte[buffer.capacity()];
  private final SplittableRandom random = new SplittableRandom(SEED);

  private final List<LoadStream> streams = new ArrayList<>();
  private int open;

  /** How many senders there have been. */
  private int connected;

  private final List<LoadSender> senders = new ArrayList<>();
  private final ArrayDeque<LoadSender> free = new ArrayDeque<>();
  private final @Nullable LoadSender[] byNumber = new @Nullable LoadSender[UNDER_WAY];

  /** The senders whose body is still to be sent, and when the first of these is to send it. */
  private final ArrayDeque<LoadSender> late = new ArrayDeque<>();

  private final ArrayDeque<Long> lateDue = new ArrayDeque<>();

  private long sent;
  private long delivered;
  private long lastEvent;

  /** Messages that were due in this time are recorded. */
  private long from;

  private long to;
  private long[] latencies = new long[1 << 16];
  private int recorded;

  RelayLoad(Duration patience, String... args) throws IOException {
    this.patience = patience;
    wire = Wire.valueOf(args[0]);
    mount = args[1];
    address = new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[2]));
    server = Long.parseLong(args[3]);
    message = new LoadMessage(Integer.parseInt(args[4]));
    body = wire.isHttp() ? RelayOptions.Body.valueOf(args[5]) : RelayOptions.Body.TOGETHER;
    sendHead = wire.sendHead(address.getPort());
  }

  public static void main(String[] args) throws Exception {
    RelayLoad load = new RelayLoad(PATIENCE, args);
    var commands = new BufferedReader(new InputStreamReader(System.in, US_ASCII));
    for (String line; (line = commands.readLine()) != null; ) {
      System.out.println(load.answer(line));
    }
  }

  /** Does what a command says, and returns the line that answers it. */
  String answer(String line) {
    String[] command = line.split(" ", -1);
    int[] numbers = Arrays.stream(command).skip(1).mapToInt(Integer::parseInt).toArray();
    try {
      return command[0].equals("open")
          ? open(numbers[0])
          : send(numbers[0], numbers[1], numbers[2], numbers[3]);
    } catch (IOException | UncheckedIOException e) {
      return "failed: " + String.valueOf(e.getMessage()).replaceAll("\\s+", " ");
    }
  }

  Wire wire() {
    return wire;
  }

  String mount() {
    return mount;
  }

  LoadMessage message() {
    return message;
  }

  RelayOptions.Body body() {
    return body;
  }

  byte[] sendHead() {
    return sendHead;
  }

  private SocketChannel connect() throws IOException {
    SocketChannel channel = SocketChannel.open(address);
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    return channel;
  }

  private String open(int count) throws IOException {
    int all = streams.size() + count;
    long cpu = ServerProcess.cpuNanos(server);
    lastEvent = System.nanoTime();
    while (open < all) {
      while (streams.size() < all && streams.size() - open < OPENING) {
        SocketChannel channel = connect();
        int number = streams.size();
        channel.write(ByteBuffer.wrap(wire.openRequest(address.getPort(), mount, number)));
        channel.configureBlocking(false);
        LoadStream stream = new LoadStream(this, channel, number);
        streams.add(stream);
        channel.register(selector, SelectionKey.OP_READ, stream);
      }
      selector.select(this::ready, 100);
      requireProgress("%d of %d streams have been opened".formatted(open, all));
    }
    return "" + (ServerProcess.cpuNanos(server) - cpu);
  }

  /** Notes that one more stream is open. */
  void opened() {
    open++;
    lastEvent = System.nanoTime();
  }

  private void requireProgress(String what) throws IOException {
    if (System.nanoTime() - lastEvent > patience.toNanos()) {
      throw new IOException(what + ", and for " + patience.toSeconds() + " s nothing happens");
    }
  }

  private String send(int connections, int millisBefore, int millis, int perSecond)
      throws IOException {
    connectSenders(connections);
    long begin = System.nanoTime();
    lastEvent = begin;
    from = begin + millisBefore * 1_000_000L;
    to = from + millis * 1_000_000L;
    recorded = 0;
    double interval = perSecond == 0 ? 0 : 1e9 / perSecond;
    // With a rate: the messages that could not be sent when they were due are sent later.
    long giveUp = to + (to - begin);
    long first = sent;
    long idle = 0;
    @Nullable Counts started = null;
    @Nullable Counts ended = null;
    boolean allSent = false;
    while (!allSent || free.size() < senders.size() || ended == null) {
      long now = System.nanoTime();
      if (started == null && now >= from) {
        started = counts(idle);
      }
      if (started != null && ended == null && now >= to) {
        ended = counts(idle);
      }
      while (!allSent && !free.isEmpty()) {
        long due = perSecond == 0 ? now : begin + (long) ((sent - first) * interval);
        if (due >= to || now > giveUp) {
          allSent = true;
        } else if (due > now) {
          break;
        } else {
          send(free.pop(), due);
        }
      }
      allSent |= now > giveUp;
      while (!late.isEmpty() && lateDue.element() <= now) {
        lateDue.remove();
        late.remove().sendBody();
      }
      if (perSecond == 0 && late.isEmpty()) {
        selector.select(this::ready, 10);
      } else if (selector.selectNow(this::ready) == 0) {
        idle += System.nanoTime() - now;
      }
      if (free.size() < senders.size()) {
        requireProgress("%,d messages are under way".formatted(senders.size() - free.size()));
      }
    }
    if (started == null) {
      throw new IllegalStateException("It ended before it began");
    }
    return result(started, ended, System.nanoTime() > giveUp);
  }

  private void connectSenders(int connections) throws IOException {
    for (LoadSender sender : senders) {
      sender.close();
    }
    senders.clear();
    free.clear();
    for (int i = 0; i < connections; i++) {
      SocketChannel channel = connect();
      wire.greet(channel, address.getPort(), mount, connected++);
      channel.configureBlocking(false);
      LoadSender sender = new LoadSender(this, channel, selector);
      senders.add(sender);
      free.add(sender);
    }
  }

  private void send(LoadSender sender, long due) throws IOException {
    LoadStream origin = streams.get(random.nextInt(streams.size()));
    LoadStream target = streams.get(random.nextInt(streams.size()));
    long number = sent++;
    int place = (int) (number & (UNDER_WAY - 1));
    LoadSender before = byNumber[place];
    if (before != null && before.isBusy() && before.number() == number - UNDER_WAY) {
      throw new IOException(
          "Message %d has not arrived while %d others have".formatted(before.number(), UNDER_WAY));
    }
    byNumber[place] = sender;
    sender.send(origin, target, number, due);
  }

  /** Notes that a sender's body follows its head later. */
  void sendBodyLater(LoadSender sender) {
    late.add(sender);
    lateDue.add(System.nanoTime() + LATE_NANOS);
  }

  /**
   * Notes that a message has arrived.
   *
   * @throws IOException if it should not have
   */
  void arrived(LoadStream at, long number) throws IOException {
    LoadSender sender = byNumber[(int) (number & (UNDER_WAY - 1))];
    if (sender == null || !sender.awaits(number, at)) {
      throw new IOException(
          "Message %d arrived at stream %d, where it was not sent to, or has arrived before"
              .formatted(number, at.number()));
    }
    long now = System.nanoTime();
    lastEvent = now;
    delivered++;
    if (sender.due() >= from && sender.due() < to) {
      if (recorded == latencies.length) {
        latencies = Arrays.copyOf(latencies, 2 * recorded);
      }
      latencies[recorded++] = now - sender.due();
    }
    sender.arrived();
  }

  /** Notes that a sender's message has arrived and has been answered. */
  void done(LoadSender sender) {
    free.add(sender);
  }

  private void ready(SelectionKey key) {
    try {
      ((Endpoint) key.attachment()).ready(buffer, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What has been counted at a moment. */
  private record Counts(long nanos, long delivered, long server, long own) {}

  /**
   * Returns the counts of now.
   *
   * @param idle how long this thread has asked in vain whether there is anything to do
   */
  private Counts counts(long idle) {
    return new Counts(
        System.nanoTime(),
        delivered,
        ServerProcess.cpuNanos(server),
        THREADS.getCurrentThreadCpuTime() - idle);
  }

  private String result(Counts started, Counts ended, boolean behind) {
    long[] sorted = Arrays.copyOf(latencies, recorded);
    Arrays.sort(sorted);
    return "%d %d %d %d %d %d %d %d"
        .formatted(
            ended.delivered() - started.delivered(),
            ended.nanos() - started.nanos(),
            ended.server() - started.server(),
            Math.max(0, ended.own() - started.own()),
            at(sorted, 0.5),
            at(sorted, 0.99),
            at(sorted, 1),
            behind ? 1 : 0);
  }

  private static long at(long[] sorted, double part) {
    return sorted.length == 0 ? 0 : sorted[(int) Math.round(part * (sorted.length - 1))];
  }
}
