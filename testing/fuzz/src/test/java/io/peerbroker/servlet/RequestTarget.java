package io.peerbroker.servlet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Held;
import io.peerbroker.core.Json;
import io.peerbroker.core.Limits;
import io.peerbroker.core.Session;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.test.FakeTimer;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.ByteArrayOutputStream;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.jetty.io.ByteArrayEndPoint;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.server.LocalConnector;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;
import org.eclipse.jetty.util.thread.ThreadPool;

/**
 * Any bytes to a connection of a Jetty 11 that has the broker, on one thread and with time moved by
 * hand. For any input, each answer is legal HTTP, none is a 5xx of the broker's, a refusal is a
 * problem, nothing is done for a path that is not the broker's, and when the connection has ended
 * the broker holds nothing.
 *
 * <p>In an input 1 stands for the id of a channel, 2 for its key, 3 for the id of its session.
 */
public final class RequestTarget {

  private static final Pattern STATUS_LINE =
      Pattern.compile("HTTP/1\\.1 ([1-5][0-9]{2})(?: [^\\x00-\\x1F\\x7F]*)?");
  private static final Pattern FIELD =
      Pattern.compile("([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \\t]*([^\\x00-\\x08\\x0A-\\x1F\\x7F]*)");
  private static final Pattern REQUEST_LINE =
      Pattern.compile("[\\r\\n]*[^ ]+ +(?:[^/ ?]+:(?://[^/ ?\\r\\n]*)?)?([^ ?\\r\\n]*)");
  private static final Pattern PATH =
      Pattern.compile(
          "/broker/(?:channel|list|session|send/[^/]+|channel/[^/]+/(?:ping|close)|session/[^/]+/(?:update|close))",
          Pattern.DOTALL);

  /** Jetty's own answers to input that is not HTTP. */
  private static final Set<Integer> JETTYS = Set.of(400, 404, 414, 417, 426, 431, 501, 505);

  private static final int ELSEWHERE = 418;

  private static final Set<Integer> OURS =
      Set.of(200, 201, 204, 400, 403, 404, 405, 406, 413, 415, 429);

  private static final RequestTarget INSTANCE = new RequestTarget();

  private final FakeTimer timer = new FakeTimer();
  private final Broker broker =
      Broker.builder()
          .timer(timer)
          .messageRate(Limits.Rate.UNLIMITED)
          .sessionRate(Limits.Rate.UNLIMITED)
          .build();
  private final BrokerHttp http = new BrokerHttp(broker, HttpSettings.defaults());
  private final Queue<Runnable> tasks = new ArrayDeque<>();
  private final LocalConnector connector;

  private Channel channel;
  private Session session;
  private String held;

  private RequestTarget() {
    Server server = new Server(new InPlace(tasks));
    connector =
        new LocalConnector(
            server, null, null, null, 0, new org.eclipse.jetty.server.HttpConnectionFactory());
    server.addConnector(connector);
    ServletHolder servlet = new ServletHolder(new Mounted(http));
    servlet.setAsyncSupported(true);
    ServletContextHandler context = new ServletContextHandler();
    context.addServlet(servlet, "/broker/*");
    context.addServlet(Elsewhere.class, "/");
    server.setHandler(context);
    try {
      server.start();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    renew();
  }

  /** One input. */
  public static void fuzzerTestOneInput(byte[] bytes) {
    String unused = INSTANCE.run(bytes);
  }

  /** All answers to one input. */
  public static String answersTo(byte[] bytes) {
    return INSTANCE.run(bytes);
  }

  private String run(byte[] bytes) {
    byte[] filled = filled(bytes);
    ByteArrayEndPoint connection = connect();
    connection.addInput(ByteBuffer.wrap(filled));
    work();
    String early = connection.getOutputString(ISO_8859_1);
    connection.addInputEOF();
    work();
    boolean ended = connection.isOutputShutdown() || !connection.isOpen();
    String answers = connection.getOutputString(ISO_8859_1);
    assertThat(answers).startsWith(early);
    checkAll(answers, new String(filled, ISO_8859_1), ended);

    connection.close();
    work();
    // Heartbeats reveal that no client reads; graces and deadlines run out.
    for (int i = 0; i < 10; i++) {
      timer.advance(Duration.ofSeconds(15));
      work();
    }
    assertThat(timer.scheduled()).as("tasks of the timer").isZero();
    assertThat(http.streams).isEmpty();
    renew();
    assertThat(Held.by(broker)).isEqualTo(held);
    return answers;
  }

  private byte[] filled(byte[] bytes) {
    ByteArrayOutputStream filled = new ByteArrayOutputStream();
    for (byte b : bytes) {
      switch (b) {
        case 1 -> filled.writeBytes(channel.id().getBytes(UTF_8));
        case 2 -> filled.writeBytes(channel.key().getBytes(UTF_8));
        case 3 -> filled.writeBytes(session.id().getBytes(UTF_8));
        default -> filled.write(b);
      }
    }
    return filled.toByteArray();
  }

  /** Checks that the broker holds the channel and the session as expected, and nothing else. */
  private void renew() {
    if (channel == null || !channel.isOpen()) {
      channel = broker.openChannel((to, message) -> {}, Runnable::run);
    }
    channel.sessions().forEach(Session::close);
    session = channel.openSession(SessionSpec.listed("a").withMetadata(Json.of("b")));
    if (held == null) {
      held = Held.by(broker);
    }
  }

  private ByteArrayEndPoint connect() {
    ByteArrayEndPoint end =
        new ByteArrayEndPoint() {
          @Override
          protected void execute(Runnable task) {
            tasks.add(task);
          }
        };
    end.setGrowOutput(true);
    Connection connection = connector.getDefaultConnectionFactory().newConnection(connector, end);
    end.setConnection(connection);
    end.onOpen();
    connection.onOpen();
    return end;
  }

  private void work() {
    int count = 0;
    for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
      task.run();
      assertThat(++count).as("tasks that one input makes").isLessThan(10_000);
    }
  }

  private static void checkAll(String answers, String request, boolean ended) {
    int at = 0;
    boolean first = true;
    while (at < answers.length()) {
      at = check(answers, at, first ? request : null, ended);
      first = false;
    }
  }

  /** Checks the answer that begins here, and returns where it ends. */
  private static int check(String answers, int start, String request, boolean ended) {
    int headEnd = answers.indexOf("\r\n\r\n", start);
    assertThat(headEnd).as("a head that ends, in %s", answers).isPositive();
    String[] lines = answers.substring(start, headEnd).split("\r\n", -1);
    Matcher statusLine = STATUS_LINE.matcher(lines[0]);
    assertThat(statusLine.matches()).as(lines[0]).isTrue();
    int status = Integer.parseInt(statusLine.group(1));
    Map<String, String> headers = new TreeMap<>();
    for (int i = 1; i < lines.length; i++) {
      Matcher field = FIELD.matcher(lines[i]);
      assertThat(field.matches()).as(lines[i]).isTrue();
      headers.put(field.group(1).toLowerCase(Locale.ROOT), field.group(2));
    }
    int bodyStart = headEnd + 4;
    if (status == 100) {
      return bodyStart;
    }
    String type = headers.getOrDefault("content-type", "").replaceFirst(";.*", "");
    boolean stream = type.equals(AcceptHeader.EVENT_STREAM);
    StringBuilder body = new StringBuilder();
    int end = body(answers, bodyStart, headers, stream, ended, body);

    assertThat(OURS.contains(status) || JETTYS.contains(status) || status == ELSEWHERE)
        .as(answers)
        .isTrue();
    if (type.equals("application/problem+json") && !body.isEmpty()) {
      Map<String, Json> problem = Json.parse(utf8(body)).members();
      assertThat(problem.keySet()).containsExactly("type", "title", "status", "code", "detail");
      assertThat(problem.get("status")).hasToString(Integer.toString(status));
      assertThat(problem.get("code").asString()).matches("[a-z_]+");
    } else if (status >= 400 && !body.isEmpty()) {
      assertThat(status).as(answers).isIn(JETTYS);
    } else if (type.equals(AcceptHeader.JSON) && !body.isEmpty()) {
      Json.parse(utf8(body));
    }
    if (request != null && (status < 300 || status == ELSEWHERE)) {
      Matcher line = REQUEST_LINE.matcher(request);
      assertThat(line.lookingAt()).as(request).isTrue();
      assertThat(isOurs(line.group(1))).as(request).isEqualTo(status != ELSEWHERE);
    }
    return end;
  }

  private static boolean isOurs(String rawPath) {
    try {
      String path = URLDecoder.decode(rawPath.replace("+", "%2B"), ISO_8859_1);
      return PATH.matcher(path).matches();
    } catch (IllegalArgumentException badlyEncoded) {
      return false;
    }
  }

  private static byte[] utf8(StringBuilder body) {
    return body.toString().getBytes(ISO_8859_1);
  }

  private static int body(
      String answers,
      int start,
      Map<String, String> headers,
      boolean stream,
      boolean ended,
      StringBuilder body) {
    String length = headers.get("content-length");
    String coding = headers.get("transfer-encoding");
    assertThat(length == null || coding == null).as(answers).isTrue();
    // An answer to HEAD has the headers of a body, and no body.
    boolean none = start == answers.length() || answers.startsWith("HTTP/1.1 ", start);
    if (none) {
      return start;
    }
    if (length != null) {
      int end = start + Integer.parseInt(length);
      assertThat(end).isLessThanOrEqualTo(answers.length());
      body.append(answers, start, end);
      return end;
    }
    if (coding == null) {
      // A stream's has not ended yet.
      assertThat(ended || stream).as("a body without a length ends with its connection").isTrue();
      body.append(answers, start, answers.length());
      return answers.length();
    }
    assertThat(coding).isEqualTo("chunked");
    int at = start;
    while (at < answers.length()) {
      int lineEnd = answers.indexOf("\r\n", at);
      int size = Integer.parseInt(answers.substring(at, lineEnd), 16);
      int chunk = lineEnd + 2;
      body.append(answers, chunk, chunk + size);
      at = chunk + size;
      if (at == answers.length()) {
        // Jetty writes the line end behind a chunk together with the next.
        break;
      }
      assertThat(answers.startsWith("\r\n", at)).as(answers).isTrue();
      at += 2;
      if (size == 0) {
        return at;
      }
    }
    assertThat(stream).as("a body that has no end, and is no stream").isTrue();
    return at;
  }

  /** The rest of the application: the broker's paths don't lead here. */
  public static final class Elsewhere extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) {
      response.setStatus(ELSEWHERE);
    }
  }

  /** The broker's servlet with access to its parts. */
  private static final class Mounted extends HttpServlet {
    private static final long serialVersionUID = 1L;

    private final transient BrokerHttp http;

    Mounted(BrokerHttp http) {
      this.http = http;
    }

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) {
      http.handle(request, response);
    }
  }

  /** Jetty's threads: the thread that empties the queue. */
  private record InPlace(Queue<Runnable> tasks) implements ThreadPool {
    @Override
    public void execute(Runnable task) {
      tasks.add(task);
    }

    @Override
    public void join() {}

    @Override
    public int getThreads() {
      return 1;
    }

    @Override
    public int getIdleThreads() {
      return 1;
    }

    @Override
    public boolean isLowOnThreads() {
      return false;
    }
  }
}
