package io.peerbroker.it.spring;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.peerbroker.core.AccessPolicy;
import io.peerbroker.core.Broker;
import io.peerbroker.core.Caller;
import io.peerbroker.core.Channel;
import io.peerbroker.core.ChannelOptions;
import io.peerbroker.core.Message;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.it.common.DocBlock;
import io.peerbroker.it.common.DocProgram;
import io.peerbroker.servlet.HttpCaller;
import io.peerbroker.tck.SseStream;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireResponse;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The beans of the README and of docs/spring.md, in an application with a login and Actuator. */
public final class SpringRecipesTest {

  private static final String STREAM = "Accept: text/event-stream";
  private static final String ORIGIN = "https://shop.example";

  private static DocProgram program;

  private ConfigurableApplicationContext application;
  private URI site;
  private WireClient client;

  /** The registry to look into. */
  @Configuration
  static class Meters {
    @Bean
    MeterRegistry registry() {
      return new SimpleMeterRegistry();
    }
  }

  /** Permits everything, and records the callers that it was asked about. */
  public static final class Asked implements AccessPolicy {

    static final Map<String, String> NAMES = new ConcurrentHashMap<>();

    /** Created by the application. */
    public Asked() {}

    private static void remember(String call, Caller caller) {
      if (caller instanceof HttpCaller http && http.principal() != null) {
        NAMES.put(call, http.principal().getName());
      }
    }

    @Override
    public void open(Caller caller, ChannelOptions options) {
      remember("open", caller);
    }

    @Override
    public SessionSpec host(Caller caller, Channel channel, SessionSpec spec) {
      remember("host", caller);
      return spec;
    }

    @Override
    public void send(Caller caller, Message message) {
      remember("send", caller);
    }
  }

  @BeforeAll
  static void compile() {
    program =
        DocProgram.ofMembers(
            "@SpringBootConfiguration @EnableAutoConfiguration public",
            List.of(
                DocBlock.of("README.md", "Spring Boot")
                    .with(
                        "return Broker.create();",
                        "return Broker.builder().accessPolicy("
                            + "new io.peerbroker.it.spring.SpringRecipesTest.Asked()).build();")
                    .with(
                        "new BrokerServlet(broker)",
                        "new BrokerServlet(broker,"
                            + " io.peerbroker.servlet.HttpSettings.defaults()"
                            + ".withAllowedOrigins(\""
                            + ORIGIN
                            + "\"))"),
                DocBlock.of("docs/spring.md", "Spring Security"),
                DocBlock.of("docs/spring.md", "observations")),
            "io.micrometer.observation.ObservationPredicate",
            "io.peerbroker.core.Broker",
            "io.peerbroker.servlet.BrokerServlet",
            "jakarta.servlet.DispatcherType",
            "org.springframework.boot.*",
            "org.springframework.boot.autoconfigure.EnableAutoConfiguration",
            "org.springframework.boot.web.servlet.ServletRegistrationBean",
            "org.springframework.context.*",
            "org.springframework.context.annotation.Bean",
            "org.springframework.context.event.ContextClosedEvent",
            "org.springframework.core.annotation.Order",
            "org.springframework.http.HttpStatus",
            "org.springframework.http.server.observation.ServerRequestObservationContext",
            "org.springframework.security.config.annotation.web.builders.HttpSecurity",
            "org.springframework.security.config.annotation.web.configurers.*",
            "org.springframework.security.web.SecurityFilterChain",
            "org.springframework.security.web.authentication.HttpStatusEntryPoint",
            "org.springframework.security.web.servlet.util.matcher.PathPatternRequestMatcher",
            "org.springframework.web.cors.CorsUtils");
  }

  @AfterAll
  static void forget() {
    program.close();
  }

  @BeforeEach
  void start() {
    Thread.currentThread().setContextClassLoader(program.main().getClassLoader());
    SpringApplication spring = new SpringApplication(program.main(), Site.class, Meters.class);
    spring.setRegisterShutdownHook(false);
    application =
        spring.run(
            "--server.port=0",
            "--server.shutdown=graceful",
            "--server.servlet.session.cookie.same-site=lax",
            "--spring.main.banner-mode=off",
            "--logging.level.root=error");
    site =
        URI.create(
            "http://127.0.0.1:" + application.getEnvironment().getProperty("local.server.port"));
    client = new WireClient(site.resolve("/broker"));
  }

  @AfterEach
  void stop() {
    client.close();
    application.close();
    Thread.currentThread().setContextClassLoader(SpringRecipesTest.class.getClassLoader());
  }

  private Visitor loggedIn() throws Exception {
    Visitor visitor = new Visitor(site);
    visitor.logIn();
    return visitor;
  }

  private static String hosting(WireChannel channel) {
    return "{\"cid\":\"%s\",\"key\":\"%s\",\"list\":true}".formatted(channel.cid(), channel.key());
  }

  @Test
  @DisplayName("Streams are notified when the application goes down.")
  void streamsAreTold() throws Exception {
    SseStream list = client.watch("", loggedIn().cookie());
    list.await("ready");
    assertThat(SpringApplication.exit(application)).isZero();
    assertThat(list.await("close").data()).contains("shutting_down");
  }

  @Test
  @DisplayName("A child context that is closed leaves the broker and its streams as they are.")
  void childrenAreIgnored() throws Exception {
    String cookie = loggedIn().cookie();
    WireChannel channel = client.openChannel(cookie);
    try (var child = new AnnotationConfigApplicationContext()) {
      child.setParent(application);
      child.refresh();
    }
    assertThat(client.postJson("/session", hosting(channel), cookie).status()).isEqualTo(201);
    assertThat(client.get("/list", cookie).body()).contains("\"sid\"");
  }

  @Test
  @DisplayName("An application that is stopped and started again keeps its broker open.")
  void stoppedAndStarted() {
    application.stop();
    application.start();
    Broker broker = application.getBean(Broker.class);
    broker.openChannel((self, message) -> {}).close();
  }

  @Test
  @DisplayName("A stranger gets 401 for every path, and no login page.")
  void strangers() throws Exception {
    WireChannel channel = client.openChannel(loggedIn().cookie());
    for (WireResponse answer :
        List.of(
            client.get("/channel", STREAM),
            client.get("/list", STREAM),
            client.get("/list"),
            client.postJson("/session", hosting(channel)),
            client.postJson("/send/" + channel.cid(), channel.sendBody("1")))) {
      assertThat(answer.status()).as(answer.body()).isEqualTo(401);
      assertThat(answer.header("Location")).isNull();
    }
    WireResponse page = new WireClient(site).get("/", "Accept: text/html");
    assertThat(page.status()).as("the rest of the site").isEqualTo(302);
  }

  @Test
  @DisplayName("A logged-in user needs no CSRF token for the broker, and one for the rest.")
  void csrf() throws Exception {
    Visitor ada = loggedIn();
    WireChannel channel = client.openChannel(ada.cookie());
    assertThat(client.postJson("/session", hosting(channel), ada.cookie()).status()).isEqualTo(201);
    assertThat(ada.post("/logout", "application/x-www-form-urlencoded", "").statusCode())
        .isEqualTo(403);
    // The broker does not accept what a foreign page's form can send.
    for (String type : List.of("text/plain", "application/x-www-form-urlencoded")) {
      assertThat(ada.post("/broker/session", type, hosting(channel)).statusCode()).isEqualTo(415);
    }
    assertThat(new WireClient(site).get("/login").header("Set-Cookie")).contains("SameSite=Lax");
  }

  @Test
  @DisplayName("A policy learns the logged-in user, for streams and for POSTs alike.")
  void policiesKnowTheCaller() throws Exception {
    Asked.NAMES.clear();
    String cookie = loggedIn().cookie();
    WireChannel channel = client.openChannel(cookie);
    client.postJson("/session", hosting(channel), cookie);
    client.postJson("/send/" + channel.cid(), channel.sendBody("1"), cookie);
    assertThat(Asked.NAMES).isEqualTo(Map.of("open", "ada", "host", "ada", "send", "ada"));
  }

  @Test
  @DisplayName("A login leads to the site, not to the stream that was refused before.")
  void loginLeadsToTheSite() throws Exception {
    Visitor ada = new Visitor(site);
    assertThat(ada.get("/broker/list").statusCode()).isEqualTo(401);
    assertThat(URI.create(ada.logIn()).getPath()).isEqualTo("/");
  }

  @Test
  @DisplayName("A preflight of an allowed origin is answered by the broker, once.")
  void cors() throws Exception {
    String[] preflight = {
      "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type"
    };
    assertThat(preflight(ORIGIN, preflight)).containsExactly(ORIGIN);
    assertThat(preflight("https://foreign.example", preflight)).isEmpty();
  }

  private List<String> preflight(String origin, String... lines) throws Exception {
    String request =
        "OPTIONS /broker/session HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\n%s\r\nConnection: close\r\n\r\n"
            .formatted(site.getAuthority(), origin, String.join("\r\n", lines));
    try (var socket = new Socket(site.getHost(), site.getPort())) {
      socket.getOutputStream().write(request.getBytes(US_ASCII));
      String answer = new String(socket.getInputStream().readAllBytes(), US_ASCII);
      assertThat(answer).startsWith("HTTP/1.1 2");
      return answer
          .lines()
          .filter(line -> line.toLowerCase(Locale.ROOT).startsWith("access-control-allow-origin: "))
          .map(line -> line.substring(line.indexOf(' ') + 1))
          .toList();
    }
  }

  @Test
  @DisplayName("The broker's requests do not count in the host's latencies; others do.")
  void observations() throws Exception {
    String cookie = loggedIn().cookie();
    await().until(this::samples, is -> is == 2);
    client.openChannel(cookie).close();
    assertThat(client.get("/list", cookie).status()).isEqualTo(200);
    assertThat(new WireClient(site).get("/nothing", cookie).status()).isEqualTo(404);
    await().until(this::samples, is -> is > 2);
    assertThat(samples()).isEqualTo(3);
  }

  private long samples() {
    return application.getBean(MeterRegistry.class).find("http.server.requests").timers().stream()
        .mapToLong(Timer::count)
        .sum();
  }
}
