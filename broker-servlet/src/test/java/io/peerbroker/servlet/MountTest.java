package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Json;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.core.TagFilter;
import io.peerbroker.tck.SseStream;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireConnection;
import io.peerbroker.tck.WireResponse;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.servlet.FilterHolder;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;
import org.eclipse.jetty.webapp.WebAppContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The ways to mount the broker in a web application, each on a real server. */
final class MountTest {

  private final Server server = new Server();
  private final ServerConnector connector = new ServerConnector(server);
  private final Broker broker = Broker.create();

  @AfterEach
  void stop() throws Exception {
    broker.close();
    server.stop();
  }

  @ParameterizedTest
  @CsvSource({
    "'',      /,            ''",
    "'',      /*,           ''",
    "'',      /broker/*,    /broker",
    "'',      /a/b/*,       /a/b",
    "/app,    /,            /app",
    "/app,    /*,           /app",
    "/app,    /broker/*,    /app/broker",
    "'',      /.well-known/rtc/*, /.well-known/rtc",
    "/a b,    /c d/*,       /a%20b/c%20d",
  })
  void anInstanceAtAnyPlace(String contextPath, String mapping, String base) throws Exception {
    ServletContextHandler context = context(contextPath);
    context.addServlet(mounted(new BrokerServlet(broker), Map.of()), mapping);
    start(context);
    assertServes(base);
  }

  @Test
  void anInstanceLeavesItsBrokerOpen() throws Exception {
    ServletContextHandler context = context("");
    context.addServlet(mounted(new BrokerServlet(broker), Map.of("heartbeat", "1m")), "/*");
    start(context);
    server.stop();
    assertThat(broker.list(TagFilter.all()).sessions()).isEmpty();
  }

  @Test
  void byWebXmlWithInitParamsAlone(@TempDir Path app) throws Exception {
    Files.createDirectories(app.resolve("WEB-INF"));
    Files.writeString(
        app.resolve("WEB-INF/web.xml"),
        """
        <web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="5.0">
          <servlet>
            <servlet-name>broker</servlet-name>
            <servlet-class>io.peerbroker.servlet.BrokerServlet</servlet-class>
            <init-param>
              <param-name>maxChannels</param-name>
              <param-value>1</param-value>
            </init-param>
            <init-param>
              <param-name>heartbeat</param-name>
              <param-value>100ms</param-value>
            </init-param>
            <async-supported>true</async-supported>
          </servlet>
          <servlet-mapping>
            <servlet-name>broker</servlet-name>
            <url-pattern>/rtc/*</url-pattern>
          </servlet-mapping>
        </web-app>
        """);
    start(webApp(app));
    assertHasItsInitParams("/app/rtc");
  }

  @Test
  void byAnAnnotatedSubclassWithInitParamsAlone(@TempDir Path app) throws Exception {
    String file = AnnotatedBrokerServlet.class.getName().replace('.', '/') + ".class";
    Path copy = app.resolve("WEB-INF/classes").resolve(file);
    Files.createDirectories(copy.getParent());
    try (InputStream in = MountTest.class.getResourceAsStream("/" + file)) {
      Files.copy(in, copy);
    }
    start(webApp(app));
    assertHasItsInitParams("/app/annotated");
  }

  private static WebAppContext webApp(Path app) {
    WebAppContext context = new WebAppContext(app.toString(), "/app");
    context.setParentLoaderPriority(true);
    context.setThrowUnavailableOnStartupException(true);
    return context;
  }

  /** One channel at a time, and a heartbeat every 100 ms. */
  private void assertHasItsInitParams(String base) {
    try (WireClient client = client(base)) {
      SseStream stream = client.openChannel().stream();
      stream.awaitComments(2);
      assertThat(client.get("/channel").member("code")).isEqualTo("at_capacity");
    }
  }

  @Test
  void aSecondServletIsToldWhatTheFirstHasMade() throws Exception {
    ServletContextHandler context = context("");
    ServletHolder first = mounted(new BrokerServlet(), Map.of("maxChannels", "1"));
    first.setName("first");
    first.setInitOrder(0);
    ServletHolder second = mounted(new BrokerServlet(), Map.of("maxChannels", "1"));
    second.setInitOrder(1);
    context.addServlet(first, "/a/*");
    context.addServlet(second, "/b/*");
    assertThatThrownBy(() -> start(context))
        .hasMessageContaining("'maxChannels'")
        .hasMessageContaining("'first'")
        .hasMessageContaining("url-pattern");
  }

  @Test
  void theBrokerOfTheContextIsServedAndLeftOpen() throws Exception {
    ServletContextHandler context = context("");
    context.setAttribute(BrokerServlet.BROKER_ATTRIBUTE, broker);
    context.addServlet(mounted(new BrokerServlet(), Map.of("heartbeat", "1m")), "/*");
    start(context);
    hostFromTheJvm(broker);
    assertListed("", "jvm");
    server.stop();
    assertThat(broker.list(TagFilter.all()).sessions()).hasSize(1);
  }

  @Test
  void theServletsBrokerIsPublishedAndClosed() throws Exception {
    ServletContextHandler context = context("");
    context.addServlet(mounted(new BrokerServlet(), Map.of()), "/*");
    start(context);
    Broker made = (Broker) context.getServletContext().getAttribute(BrokerServlet.BROKER_ATTRIBUTE);
    hostFromTheJvm(made);
    assertListed("", "jvm");
    server.stop();
    assertThat(context.getServletContext().getAttribute(BrokerServlet.BROKER_ATTRIBUTE)).isNull();
    assertThatThrownBy(() -> made.list(TagFilter.all())).hasMessageContaining("shutting down");
  }

  @ParameterizedTest
  @CsvSource({"heartBeat, 15s", "heartbeat, 15", "maxChannels, none"})
  void aWrongInitParamStopsTheStartByItsName(String name, String value) {
    ServletContextHandler context = context("");
    context.addServlet(mounted(new BrokerServlet(), Map.of(name, value)), "/*");
    assertThatThrownBy(() -> start(context)).hasStackTraceContaining("'" + name + "'");
    assertThat(context.getAttribute(BrokerServlet.BROKER_ATTRIBUTE)).isNull();
  }

  @Test
  void anInitParamWithoutEffectStopsTheStart() {
    ServletContextHandler context = context("");
    context.addServlet(mounted(new BrokerServlet(broker), Map.of("maxChannels", "1")), "/*");
    assertThatThrownBy(() -> start(context)).hasStackTraceContaining("no effect");
  }

  @Test
  void aFilterWithoutAsyncIsToldTheCure() throws Exception {
    Logger log = Logger.getLogger(BrokerHttp.class.getName());
    log.setLevel(Level.OFF);
    ServletContextHandler context = context("");
    context.addServlet(mounted(new BrokerServlet(broker), Map.of()), "/*");
    addFilter(context, (request, response, chain) -> chain.doFilter(request, response), false);
    start(context);
    try (WireClient client = client("")) {
      for (WireResponse response : List.of(client.get("/channel"), client.get("/list"))) {
        assertThat(response.status()).isEqualTo(500);
        assertThat(response.member("code")).isEqualTo("internal");
        assertThat(response.member("detail")).contains("asyncSupported", "filter");
      }
      assertThat(client.request("HEAD", "/channel").status()).isEqualTo(500);
      assertThat(client.request("HEAD", "/list").status()).isEqualTo(500);
      Channel target = broker.openChannel((channel, message) -> {});
      assertThat(
              client.postJson("/session", "{\"cid\":\"%s\",\"list\":true}".formatted(target.id())))
          .matches(response -> response.status() == 500)
          .matches(response -> response.body().contains("asyncSupported"));
    }
    assertThat(broker.list(TagFilter.all()).sessions()).as("what was refused").isEmpty();
    log.setLevel(null);
  }

  @Test
  void aBufferingFilterHoldsNoStreamBack() throws Exception {
    ServletContextHandler context = context("");
    context.addServlet(mounted(new BrokerServlet(broker), Map.of()), "/*");
    addFilter(
        context,
        (request, response, chain) -> {
          HeldBack held = new HeldBack((HttpServletResponse) response);
          chain.doFilter(request, held);
          if (!request.isAsyncStarted()) {
            held.release();
          }
        },
        true);
    start(context);
    assertServes("");
    try (WireClient client = client("")) {
      WireChannel channel = client.openChannel();
      String request = client.postRequest("/send/" + channel.cid(), channel.sendBody("1"));
      try (WireConnection connection = client.connect()) {
        connection.write(request.substring(0, request.length() - 5));
        // An answer to another request, so that the server has seen the first piece.
        assertThat(client.get("/list").body()).isEqualTo("[]");
        connection.write(request.substring(request.length() - 5));
        assertThat(connection.readResponse().body()).isEqualTo("{\"delivery\":\"sent\"}");
      }
    }
  }

  @Test
  void twoServletsMayServeOneBroker() throws Exception {
    ServletContextHandler context = context("");
    context.addServlet(mounted(new BrokerServlet(broker), Map.of()), "/one/*");
    context.addServlet(mounted(new BrokerServlet(broker), Map.of("heartbeat", "1m")), "/two/*");
    start(context);
    try (WireClient one = client("/one");
        WireClient two = client("/two")) {
      WireChannel sender = one.openChannel();
      WireChannel receiver = two.openChannel();
      String sid = receiver.listSession("\"two\"");
      assertThat(one.get("/list?filter=two").body()).contains(sid);
      assertThat(sender.send(sid, "1").status()).isEqualTo(200);
      assertThat(receiver.awaitMessage().get("target").getAsString()).isEqualTo(sid);
    }
  }

  @Test
  void somebodyElsesServletMayHandItsRequestsOn() throws Exception {
    try (BrokerHttp http = new BrokerHttp(broker, HttpSettings.defaults())) {
      ServletContextHandler context = context("/app");
      context.addServlet(mounted(new OwnServlet(http), Map.of()), "/own/*");
      start(context);
      assertServes("/app/own");
      try (WireClient client = client("/app/own")) {
        assertThat(client.get("/list").header("X-Own")).isEqualTo("yes");
        assertThat(client.openChannel().stream().head().header("X-Own")).isEqualTo("yes");
      }
    }
  }

  @Test
  void aControllerMayHandThePathIn() throws Exception {
    try (BrokerHttp http = new BrokerHttp(broker, HttpSettings.defaults())) {
      ServletContextHandler context = context("");
      HttpServlet controller =
          new HttpServlet() {
            private static final long serialVersionUID = 1L;

            @Override
            protected void service(HttpServletRequest request, HttpServletResponse response) {
              String path = request.getServletPath();
              http.handle(request, response, path.substring("/api/rtc".length()));
            }
          };
      context.addServlet(mounted(controller, Map.of()), "/");
      start(context);
      assertServes("/api/rtc");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/channel", "/list", "/send/x", "/nowhere"})
  void whatAFilterRejectsIsTheFiltersToTell(String path) throws Exception {
    ServletContextHandler context = context("");
    List<RuntimeException> caught = new ArrayList<>();
    addFilter(
        context,
        (request, response, chain) -> {
          try {
            chain.doFilter(new Rejecting((HttpServletRequest) request), response);
          } catch (Rejected rejected) {
            caught.add(rejected);
            ((HttpServletResponse) response).sendError(400);
          }
        },
        true);
    context.addServlet(mounted(new BrokerServlet(broker), Map.of()), "/*");
    start(context);
    List<String> logged = new ArrayList<>();
    Handler log = new Log(logged);
    Logger logger = Logger.getLogger(BrokerHttp.class.getName());
    logger.addHandler(log);
    try (WireClient client = client("")) {
      int status =
          path.startsWith("/send")
              ? client.postJson(path, "{}").status()
              : client.get(path).status();
      assertThat(status).isEqualTo(path.equals("/nowhere") ? 404 : 400);
    } finally {
      logger.removeHandler(log);
    }
    assertThat(logged).isEmpty();
    assertThat(caught).hasSize(path.equals("/nowhere") ? 0 : 1);
  }

  /** A firewall for requests does this: it checks a header's value when the value is read. */
  private static final class Rejecting extends HttpServletRequestWrapper {
    Rejecting(HttpServletRequest request) {
      super(request);
    }

    @Override
    public String getHeader(String name) {
      throw new Rejected();
    }

    @Override
    public Enumeration<String> getHeaders(String name) {
      throw new Rejected();
    }
  }

  private static final class Log extends Handler {
    private final List<String> lines;

    Log(List<String> lines) {
      this.lines = lines;
    }

    @Override
    public void publish(LogRecord told) {
      lines.add(told.getMessage());
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  private static final class Rejected extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /**
   * A response that the filter holds back until it is complete, as a compressing filter might do.
   */
  private static final class HeldBack extends HttpServletResponseWrapper {
    private final ByteArrayOutputStream held = new ByteArrayOutputStream();

    HeldBack(HttpServletResponse response) {
      super(response);
    }

    void release() throws IOException {
      getResponse().getOutputStream().write(held.toByteArray());
    }

    @Override
    public ServletOutputStream getOutputStream() {
      return new ServletOutputStream() {
        @Override
        public void write(int b) {
          held.write(b);
        }

        @Override
        public boolean isReady() {
          return true;
        }

        @Override
        public void setWriteListener(WriteListener listener) {
          throw new IllegalStateException("A stream must not go through a wrapper");
        }
      };
    }
  }

  private static ServletContextHandler context(String path) {
    ServletContextHandler context = new ServletContextHandler();
    context.setContextPath(path.isEmpty() ? "/" : path);
    return context;
  }

  private static ServletHolder mounted(HttpServlet servlet, Map<String, String> params) {
    ServletHolder holder = new ServletHolder(servlet);
    holder.setAsyncSupported(true);
    holder.setInitParameters(params);
    holder.setInitOrder(1);
    return holder;
  }

  private static void addFilter(ServletContextHandler context, Filter filter, boolean async) {
    FilterHolder holder = new FilterHolder(filter);
    holder.setAsyncSupported(async);
    context.addFilter(holder, "/*", EnumSet.of(DispatcherType.REQUEST));
  }

  private void start(ServletContextHandler context) throws Exception {
    connector.setHost("127.0.0.1");
    server.addConnector(connector);
    server.setHandler(context);
    server.start();
  }

  private WireClient client(String base) {
    return new WireClient(URI.create("http://127.0.0.1:" + connector.getLocalPort() + base));
  }

  private static void hostFromTheJvm(Broker broker) {
    broker
        .openChannel((channel, message) -> {})
        .openSession(new SessionSpec(List.of("jvm"), true, Json.NULL));
  }

  private void assertListed(String base, String tag) {
    try (WireClient client = client(base)) {
      assertThat(client.get("/list").body()).contains("\"tags\":[\"" + tag + "\"]");
    }
  }

  /** Streams, lists, bodies, HEAD and refusals work below this path, and nothing above it. */
  private void assertServes(String base) {
    try (WireClient client = client(base)) {
      SseStream list = client.watch("?filter=a");
      WireChannel channel = client.openChannel();
      String sid = channel.listSession("\"a\"");
      assertThat(list.await("add").data()).contains(sid);
      assertThat(client.get("/list").body()).contains(sid);
      assertThat(channel.send(sid, "{\"a\":1}").body()).isEqualTo("{\"delivery\":\"sent\"}");
      assertThat(channel.awaitMessage().get("target").getAsString()).isEqualTo(sid);
      assertThat(client.request("HEAD", "/list").status()).isEqualTo(200);
      assertThat(client.get("/x").member("code")).isEqualTo("unknown_path");
      assertThat(client.get("/list/").member("code")).isEqualTo("unknown_path");
      assertThat(client.get("/").member("code")).isEqualTo("unknown_path");
      assertThat(channel.close().status()).isEqualTo(200);
      assertThat(list.await("remove").data()).contains(sid);
    }
  }
}
