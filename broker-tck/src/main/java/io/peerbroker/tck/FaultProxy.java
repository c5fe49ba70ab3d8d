package io.peerbroker.tck;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A network that fails on request: a TCP proxy on the loopback interface, between a client and a
 * server.
 *
 * <p>Its {@link Way} and its pieces hold for every connection, present and future; {@link #reset},
 * {@link #end} and {@link #finish} do something once to the present ones, and {@link #cutAfter} to
 * the next. Safe for use by many threads; its own, two or three for each connection, are daemons,
 * and end when it is closed.
 */
public final class FaultProxy implements AutoCloseable {

  /** What happens to the bytes of either side. */
  public enum Way {
    /** They are handed on as they come. */
    PASS,
    /** They are handed on one by one, each in a packet of its own. */
    DRIBBLE,
    /** They are left where they are: the network takes nothing more, once its buffers are full. */
    STALL,
    /**
     * They are taken and dropped, and an end is not reported to the other side, then or later: the
     * client has vanished, and nothing shows it.
     */
    DEAF
  }

  private static final int MAX_CONNECTIONS = 1_000;
  private static final int CONNECT_MILLIS = (int) WireConnection.BOUND.toMillis();
  private static final long NEVER = Long.MAX_VALUE;

  private final URI server;
  private final ServerSocket listener;
  private final Set<Pair> pairs = ConcurrentHashMap.newKeySet();
  private final AtomicInteger accepted = new AtomicInteger();
  private final AtomicInteger used = new AtomicInteger();
  private final AtomicLong forgotten = new AtomicLong();
  private final AtomicLong nextCut = new AtomicLong(NEVER);

  // Guarded by this, since threads that wait for a change of them wait on this.
  private Way way = Way.PASS;
  private long delayNanos;
  private boolean closed;

  private FaultProxy(URI server) throws IOException {
    this.server = server;
    listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  }

  /** Stands before the host and port of a URI, and hands everything on. */
  public static FaultProxy before(URI server) {
    try {
      FaultProxy proxy = new FaultProxy(server);
      daemon("accept", proxy::accept);
      return proxy;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The URI that it was given, by way of the proxy. */
  public URI base() {
    String address = listener.getInetAddress().getHostAddress() + ":" + listener.getLocalPort();
    String path = server.getRawPath();
    return URI.create("http://" + address + (path == null ? "" : path));
  }

  /** Changes what happens to bytes from now on. */
  public synchronized void use(Way other) {
    way = other;
    notifyAll();
  }

  /** Keeps every piece, or dribbled byte, for so long before it is handed on, either way. */
  public synchronized void delay(Duration by) {
    delayNanos = by.toNanos();
    notifyAll();
  }

  /**
   * Cuts the next connection on which the server says anything, after exactly so many bytes of it
   * have been handed on: the client sees the connection end, the server a reset.
   */
  public void cutAfter(long bytes) {
    nextCut.set(bytes);
  }

  /** Breaks every connection off, on both sides (RST). */
  public void reset() {
    pairs.forEach(pair -> pair.end(true, true));
  }

  /** Ends every connection in order, on both sides (FIN). */
  public void end() {
    pairs.forEach(pair -> pair.end(false, false));
  }

  /** Ends the client's side towards the server (FIN); the server's answers go on. */
  public void finish() {
    pairs.forEach(Pair::finish);
  }

  /**
   * Lets every present event stream go silent for its client, and all else pass: the server's bytes
   * on it are taken and dropped. Streams that begin later are whole.
   */
  public void silenceStreams() {
    pairs.forEach(Pair::silenceStream);
  }

  /** How many connections clients have made. */
  public int accepted() {
    return accepted.get();
  }

  /**
   * On how many of them the client has sent anything: some clients connect and then do not use the
   * connection.
   */
  public int used() {
    return used.get();
  }

  /** How many connections are open. */
  public int open() {
    return pairs.size();
  }

  /** How many bytes of the server have been taken and dropped. */
  public long forgotten() {
    return forgotten.get();
  }

  /** Ends every connection, and accepts no more. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    try {
      listener.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      end();
    }
  }

  private void accept() {
    while (true) {
      Socket client;
      try {
        client = listener.accept();
      } catch (IOException over) {
        return;
      }
      accepted.incrementAndGet();
      if (pairs.size() >= MAX_CONNECTIONS) {
        closeQuietly(client, true);
      } else {
        daemon("connect", () -> connect(client));
      }
    }
  }

  private void connect(Socket client) {
    Socket upstream = new Socket();
    Pair pair = new Pair(client, upstream);
    try {
      client.setTcpNoDelay(true);
      upstream.setTcpNoDelay(true);
      upstream.connect(new InetSocketAddress(server.getHost(), server.getPort()), CONNECT_MILLIS);
      InputStream asked = client.getInputStream();
      InputStream answered = upstream.getInputStream();
      OutputStream toServer = upstream.getOutputStream();
      OutputStream toClient = client.getOutputStream();
      // Before anything can come through: a test that has read from the connection must find it
      // here.
      pairs.add(pair);
      daemon("answers", () -> pair.pump(answered, toClient, client, true));
      daemon("requests", () -> pair.pump(asked, toServer, upstream, false));
    } catch (IOException unreachable) {
      pair.end(true, true);
      return;
    }
    synchronized (this) {
      if (!closed) {
        return;
      }
    }
    pair.end(false, false);
  }

  /** Waits until a piece may go on, and returns what must happen to it. */
  private synchronized Way await(long since) throws InterruptedException {
    while (!closed) {
      long left = way == Way.STALL ? NEVER : since + delayNanos - System.nanoTime();
      if (left <= 0) {
        return way;
      }
      TimeUnit.NANOSECONDS.timedWait(this, Math.min(left, TimeUnit.MINUTES.toNanos(1)));
    }
    return Way.DEAF;
  }

  private synchronized boolean isDeaf() {
    return way == Way.DEAF && !closed;
  }

  /** A client's connection, and the one to the server that stands for it. */
  private final class Pair {
    private final Socket client;
    private final Socket upstream;
    private final AtomicInteger waysEnded = new AtomicInteger();
    private final AtomicBoolean over = new AtomicBoolean();

    /** Whether the server has begun an event stream on it. */
    private volatile boolean stream;

    private volatile boolean silent;

    Pair(Socket client, Socket upstream) {
      this.client = client;
      this.upstream = upstream;
    }

    void end(boolean resetClient, boolean resetServer) {
      pairs.remove(this);
      // The first caller decides how: a thread that finds its socket closed ends the pair, too.
      if (over.getAndSet(true)) {
        return;
      }
      closeQuietly(client, resetClient);
      closeQuietly(upstream, resetServer);
    }

    void silenceStream() {
      silent = stream;
    }

    void finish() {
      try {
        upstream.shutdownOutput();
      } catch (IOException already) {
        // then it needs no notice
      }
    }

    void pump(InputStream in, OutputStream out, Socket to, boolean answers) {
      boolean orderly = false;
      try {
        copy(in, out, answers);
        if (isDeaf()) {
          return;
        }
        to.shutdownOutput();
        orderly = true;
      } catch (IOException broken) {
        if (isDeaf()) {
          return;
        }
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
      if (!orderly) {
        end(true, true);
      } else if (waysEnded.incrementAndGet() == 2) {
        end(false, false);
      }
    }

    private void copy(InputStream in, OutputStream out, boolean answers)
        throws IOException, InterruptedException {
      byte[] piece = new byte[8 * 1024];
      long left = NEVER;
      boolean first = true;
      // Nothing is read while nothing may be handed on: then the network gradually fills up.
      for (int n = read(in, piece); n >= 0; n = read(in, piece)) {
        if (first && answers) {
          left = nextCut.getAndSet(NEVER);
        } else if (first) {
          used.incrementAndGet();
        }
        first = false;
        Way now = await(System.nanoTime());
        if (answers && !stream) {
          stream = new String(piece, 0, n, ISO_8859_1).contains("text/event-stream");
        }
        if (now == Way.DEAF || (answers && silent)) {
          forgotten.addAndGet(answers ? n : 0);
          continue;
        }
        int most = (int) Math.min(n, left);
        if (now == Way.DRIBBLE) {
          for (int i = 0; i < most; i++) {
            await(System.nanoTime());
            out.write(piece, i, 1);
          }
        } else {
          out.write(piece, 0, most);
        }
        left -= left == NEVER ? 0 : most;
        if (left == 0) {
          end(false, true);
          return;
        }
      }
    }

    private int read(InputStream in, byte[] piece) throws IOException, InterruptedException {
      await(Long.MIN_VALUE / 2);
      return in.read(piece);
    }
  }

  private static void closeQuietly(Socket socket, boolean reset) {
    try {
      if (reset) {
        socket.setSoLinger(true, 0);
      }
      socket.close();
    } catch (IOException already) {
      // closed is closed
    }
  }

  private static void daemon(String what, Runnable task) {
    Thread thread = new Thread(task, "fault-proxy-" + what);
    thread.setDaemon(true);
    thread.start();
  }
}
