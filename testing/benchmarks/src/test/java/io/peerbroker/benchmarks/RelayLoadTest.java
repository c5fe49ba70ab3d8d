package io.peerbroker.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The load notices what a server does wrong, however many messages it delivers. */
class RelayLoadTest {

  private static final int STREAMS = 3;

  /** What becomes of each message. */
  private enum Delivery {
    ONCE,
    NEVER,
    TWICE,
    ELSEWHERE,
    CUT_SHORT,
    ANSWERED_WITH_404
  }

  @ParameterizedTest
  @CsvSource({
    "NEVER,             1 messages are under way",
    "TWICE,             has arrived before",
    "ELSEWHERE,         where it was not sent to",
    "CUT_SHORT,         bytes after its number",
    "ANSWERED_WITH_404, was refused: HTTP/1.1 404"
  })
  void send_failsForWrongDelivery(Delivery delivery, String failure) throws IOException {
    try (Relay relay = new Relay(delivery)) {
      RelayLoad load = load(relay, RelayOptions.Body.APART);
      assertThat(load.answer("open " + STREAMS)).matches("\\d+");
      assertThat(load.answer("send 1 0 200 0")).startsWith("failed: ").contains(failure);
    }
  }

  @ParameterizedTest
  @EnumSource(RelayOptions.Body.class)
  @DisplayName("Each way of sending a body delivers messages, in both loops.")
  void send_countsDeliveries(RelayOptions.Body body) throws IOException {
    try (Relay relay = new Relay(Delivery.ONCE)) {
      RelayLoad load = load(relay, body);
      assertThat(load.answer("open " + STREAMS)).matches("\\d+");
      assertThat(load.answer("send 2 0 200 0")).matches("[1-9]\\d*( \\d+){7}");
      assertThat(load.answer("send 2 100 200 100")).matches("[1-9]\\d*( \\d+){7}");
    }
  }

  private static RelayLoad load(Relay relay, RelayOptions.Body body) throws IOException {
    return new RelayLoad(
        Duration.ofSeconds(2),
        "BARE",
        "",
        "" + relay.port(),
        "" + ProcessHandle.current().pid(),
        "500",
        body.name());
  }

  /** A relay like {@link BareRelayServlet}, with a thread for each connection. */
  private static final class Relay implements AutoCloseable {

    private static final Pattern LENGTH = Pattern.compile("Content-Length: (\\d+)");

    private final Delivery delivery;
    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final Map<String, Socket> streams = new ConcurrentHashMap<>();
    private final List<Socket> connections = new CopyOnWriteArrayList<>();

    Relay(Delivery delivery) throws IOException {
      this.delivery = delivery;
      run(this::accept);
    }

    int port() {
      return server.getLocalPort();
    }

    private static void run(Runnable body) {
      Thread thread = new Thread(body, "relay");
      thread.setDaemon(true);
      thread.start();
    }

    private void accept() {
      try {
        while (true) {
          Socket connection = server.accept();
          connections.add(connection);
          run(() -> serve(connection));
        }
      } catch (IOException closed) {
        // The test is over.
      }
    }

    private void serve(Socket connection) {
      try {
        InputStream in = connection.getInputStream();
        for (String head = head(in); !head.isEmpty(); head = head(in)) {
          String path = head.split(" ", 3)[1];
          if (head.startsWith("GET ")) {
            streams.put(path, connection);
            write(path, "HTTP/1.1 200 OK\r\n\r\n: open\n\n");
          } else {
            Matcher length = LENGTH.matcher(head);
            assertThat(length.find()).as("%s", head).isTrue();
            byte[] body = in.readNBytes(Integer.parseInt(length.group(1)));
            deliver(path, "data: " + new String(body, US_ASCII) + "\n\n");
            String status = delivery == Delivery.ANSWERED_WITH_404 ? "404" : "200";
            connection
                .getOutputStream()
                .write(
                    ("HTTP/1.1 " + status + " X\r\nContent-Length: 0\r\n\r\n").getBytes(US_ASCII));
          }
        }
      } catch (IOException closed) {
        // The load has gone.
      }
    }

    private static String head(InputStream in) throws IOException {
      StringBuilder head = new StringBuilder();
      int next = in.read();
      while (next >= 0) {
        head.append((char) next);
        next = head.indexOf("\r\n\r\n") < 0 ? in.read() : -1;
      }
      return head.toString();
    }

    private void deliver(String path, String event) throws IOException {
      switch (delivery) {
        case ONCE -> write(path, event);
        case NEVER, ANSWERED_WITH_404 -> {}
        case TWICE -> write(path, event + event);
        case ELSEWHERE -> write("/" + (Integer.parseInt(path.substring(1)) + 1) % STREAMS, event);
        case CUT_SHORT -> write(path, event.replace("candidate", ""));
      }
    }

    private void write(String path, String text) throws IOException {
      Socket stream = streams.get(path);
      if (stream == null) {
        throw new IOException("There is no stream " + path);
      }
      stream.getOutputStream().write(text.getBytes(US_ASCII));
    }

    @Override
    public void close() throws IOException {
      server.close();
      for (Socket connection : connections) {
        connection.close();
      }
    }
  }
}
