package io.peerbroker.examples.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.tck.EventStreamParser.Event;
import io.peerbroker.tck.SseStream;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireResponse;
import java.net.URI;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/** Logins by Spring Security's own form, and the broker behind it, over real sockets. */
class HelpDeskTest {

  private static final String STREAM = "Accept: text/event-stream";

  private static ConfigurableApplicationContext application;
  private static URI site;

  private WireClient client;

  @BeforeAll
  static void start() {
    application = run();
    site = siteOf(application);
  }

  private static ConfigurableApplicationContext run() {
    return SpringApplication.run(
        HelpDesk.class,
        "--server.port=0",
        "--spring.main.banner-mode=off",
        "--logging.level.root=warn");
  }

  private static URI siteOf(ConfigurableApplicationContext application) {
    String port = application.getEnvironment().getProperty("local.server.port");
    return URI.create("http://127.0.0.1:" + port);
  }

  @AfterAll
  static void stop() {
    application.close();
  }

  @BeforeEach
  void connect() {
    client = new WireClient(site.resolve("/broker"));
  }

  @AfterEach
  void disconnect() {
    client.close();
  }

  private static String self(WireChannel channel) {
    return "{\"cid\":\"%s\",\"key\":\"%s\"".formatted(channel.cid(), channel.key());
  }

  private String host(WireChannel channel, String tags, String cookie) {
    String body = self(channel) + ",\"list\":true,\"tags\":[" + tags + "]}";
    WireResponse hosted = client.postJson("/session", body, cookie);
    assertThat(hosted.status()).as(hosted.body()).isEqualTo(201);
    return hosted.member("sid");
  }

  private static void assertDenied(WireResponse response) {
    assertThat(response.status()).as(response.body()).isEqualTo(403);
    assertThat(response.mediaType()).isEqualTo("application/problem+json");
    assertThat(response.member("code")).isEqualTo("denied");
  }

  /** Sends the requests that need a login, with these headers. */
  private void assertAllDenied(WireChannel channel, String sid, String... headers) {
    String lines = String.join("\r\n", headers);
    assertDenied(client.get("/channel", STREAM, lines));
    assertDenied(client.get("/list", STREAM, lines));
    assertDenied(client.get("/list", lines));
    assertDenied(client.postJson("/session", self(channel) + "}", lines));
    String update = self(channel) + ",\"values\":{\"list\":false}}";
    assertDenied(client.postJson("/session/" + sid + "/update", update, lines));
    assertDenied(client.postJson("/send/" + channel.cid(), channel.sendBody("1"), lines));
  }

  @Test
  void strangersAreNotSentToTheLoginPage() throws Exception {
    String ada = Visitor.logIn(site, "ada").cookie();
    WireChannel channel = client.openChannel(ada);
    String sid = host(channel, "", ada);
    assertAllDenied(channel, sid);
    assertAllDenied(channel, sid, "Cookie: JSESSIONID=0123456789ABCDEF0123456789ABCDEF");
    assertAllDenied(channel, sid, "Cookie: JSESSIONID=");
    WireResponse page = new WireClient(site).get("/", "Accept: text/html");
    assertThat(page.status()).isEqualTo(302);
    assertThat(page.header("Location")).endsWith("/login");
  }

  @Test
  void tagsComeFromTheLoginWhateverTheClientSays() throws Exception {
    String ada = Visitor.logIn(site, "ada").cookie();
    String grace = Visitor.logIn(site, "grace").cookie();
    WireChannel channel = client.openChannel(ada);
    String tags = "\"tea\",\"user:grace\",\"role:agent\",\" role:agent\"";
    String sid = host(channel, tags, ada);
    String asShown = "\"tags\":[\"tea\",\"user:ada\",\"role:customer\"]";
    assertThat(client.get("/list?filter=tea", grace).body()).contains(asShown);
    String update = self(channel) + ",\"values\":{\"tags\":[" + tags + "]}}";
    assertThat(client.postJson("/session/" + sid + "/update", update, ada).status()).isEqualTo(200);
    assertThat(client.get("/list?filter=tea", grace).body()).contains(asShown);
    assertThat(client.get("/list?filter=role:agent", grace).body()).doesNotContain(sid);
  }

  @Test
  void customersFindAgentsAndAgentsFindEverybody() throws Exception {
    String ada = Visitor.logIn(site, "ada").cookie();
    String bob = Visitor.logIn(site, "bob").cookie();
    String grace = Visitor.logIn(site, "grace").cookie();
    SseStream list = client.watch("", bob);
    list.await("ready");
    String ofAda = host(client.openChannel(ada), "", ada);
    WireChannel desk = client.openChannel(grace);
    String ofGrace = host(desk, "", grace);
    for (String query : List.of("", "?filter=user:ada", "?filter=!role:agent")) {
      assertThat(client.get("/list" + query, bob).body()).doesNotContain(ofAda);
      assertThat(client.get("/list" + query, grace).body()).contains(ofAda);
    }
    assertThat(client.get("/list", bob).body()).contains(ofGrace);
    assertThat(WireChannel.data(list.await("add")).get("sid").getAsString()).isEqualTo(ofGrace);
    assertThat(list.events().stream().map(Event::data)).noneMatch(data -> data.contains(ofAda));
    // And write to them: JSON with a key needs no CSRF token.
    WireChannel asking = client.openChannel(bob);
    String body = asking.sendBody("\"Help!\"");
    assertThat(client.postJson("/send/" + ofGrace, body, bob).status()).isEqualTo(200);
    assertThat(desk.awaitMessage().get("message").getAsString()).isEqualTo("Help!");
  }

  @Test
  void customersReachAgentsAndNotEachOther() throws Exception {
    String ada = Visitor.logIn(site, "ada").cookie();
    String bob = Visitor.logIn(site, "bob").cookie();
    String grace = Visitor.logIn(site, "grace").cookie();
    WireChannel ofAda = client.openChannel(ada);
    String sidOfAda = host(ofAda, "\"role:agent\"", ada);
    WireChannel ofBob = client.openChannel(bob);
    WireResponse nobody = client.postJson("/send/nobody", ofBob.sendBody("1"), bob);
    assertDenied(nobody);
    for (String target : List.of(ofAda.cid(), sidOfAda)) {
      WireResponse answer = client.postJson("/send/" + target, ofBob.sendBody("1"), bob);
      assertDenied(answer);
      assertThat(answer.body()).isEqualTo(nobody.body());
    }
    // An agent calls, and is answered where nothing is hosted.
    WireChannel desk = client.openChannel(grace);
    String call = desk.sendBody("\"How are you?\"");
    assertThat(client.postJson("/send/" + sidOfAda, call, grace).status()).isEqualTo(200);
    assertThat(ofAda.awaitMessage().get("message").getAsString()).isEqualTo("How are you?");
    String answer = ofAda.sendBody("\"Well!\"");
    assertThat(client.postJson("/send/" + desk.cid(), answer, ada).status()).isEqualTo(200);
    assertThat(desk.awaitMessage().get("message").getAsString()).isEqualTo("Well!");
  }

  @Test
  void aLogoutEndsTheListsOfThatLoginOnly() throws Exception {
    Visitor ada = Visitor.logIn(site, "ada");
    Visitor elsewhere = Visitor.logIn(site, "ada");
    String cookie = ada.cookie();
    WireChannel channel = client.openChannel(cookie);
    String sid = host(channel, "", cookie);
    SseStream ends = client.watch("", cookie);
    ends.await("ready");
    SseStream stays = client.watch("", elsewhere.cookie());
    stays.await("ready");
    // Without the form's token there is no logout: the rest of the site keeps its protection.
    assertThat(ada.post("/logout", "").statusCode()).isEqualTo(403);
    ada.logOut();
    assertThat(ends.await("close").data()).isEqualTo("{\"reason\":\"scope_changed\"}");
    assertThat(ends.awaitEnd()).isEqualTo(SseStream.End.COMPLETE);
    assertAllDenied(channel, sid, cookie);
    String grace = Visitor.logIn(site, "grace").cookie();
    host(client.openChannel(grace), "", grace);
    assertThat(stays.await(event -> !event.name().equals("remove")).name()).isEqualTo("add");
    // Every caller may leave.
    assertThat(channel.close().status()).isEqualTo(200);
  }

  @Test
  void theCookieStaysWithPagesOfTheSite() {
    String cookie = new WireClient(site).get("/login").header("Set-Cookie");
    assertThat(cookie).startsWith("JSESSIONID=").contains("HttpOnly", "SameSite=Lax");
  }

  @Test
  void aChildContextThatIsClosedLeavesTheBrokerOpen() throws Exception {
    String ada = Visitor.logIn(site, "ada").cookie();
    WireChannel channel = client.openChannel(ada);
    try (var child = new AnnotationConfigApplicationContext()) {
      child.setParent(application);
      child.refresh();
    }
    host(channel, "", ada);
  }

  @Test
  void streamsAreToldWhenTheApplicationEnds() throws Exception {
    try (ConfigurableApplicationContext another = run()) {
      URI its = siteOf(another);
      String ada = Visitor.logIn(its, "ada").cookie();
      try (WireClient visitor = new WireClient(its.resolve("/broker"))) {
        SseStream list = visitor.watch("", ada);
        list.await("ready");
        assertThat(SpringApplication.exit(another)).isZero();
        assertThat(list.await("close").data()).contains("shutting_down");
      }
    }
  }
}
