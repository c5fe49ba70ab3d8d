package io.peerbroker.servlet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Json;
import io.peerbroker.tck.EventStreamParser.Event;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.SseStream;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireConnection;
import io.peerbroker.tck.WireResponse;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Input of attackers and broken clients, each over a real socket. The answer is that of the
 * protocol, and then the next request works: on the same connection if that can still be read, else
 * on another.
 */
final class HostileInputTest {

  private static final String JSON = "Content-Type: application/json";

  private JettyServer server;
  private WireClient client;
  private WireChannel channel;

  @BeforeEach
  void start() throws Exception {
    server = JettyServer.start(ServerSettings.DEFAULTS);
    client = new WireClient(server.base());
    channel = client.openChannel();
  }

  /** After any input, the channel has carried exactly what was sent, and still works. */
  @AfterEach
  void stop() {
    assertWorks(channel.send(channel.cid(), "\"last\""));
    channel.stream().await(event -> event.data().contains("\"message\":\"last\""));
    assertThat(channel.stream().ignored()).isEmpty();
    assertThat(channel.stream().events()).allMatch(HostileInputTest::isOurs);
    client.close();
    server.close();
  }

  private static boolean isOurs(Event event) {
    return List.of("channel", "message").contains(event.name()) && event.lastEventId().isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"65537", "2147483648", "9223372036854775807"})
  void aBodyThatIsSaidToBeTooLargeIsNotWaitedFor(String length) {
    try (WireConnection connection = client.connect()) {
      connection.write(client.head("POST", send(), JSON, "Content-Length: " + length));
      // Jetty calls no servlet before the first byte has come.
      assertRefused(connection.write("{").readResponse(), 413, "too_large");
    }
  }

  @Test
  void aBodyThatTurnsOutTooLargeIsRefused() {
    try (WireConnection connection = client.connect()) {
      connection.write(client.head("POST", send(), JSON, "Transfer-Encoding: chunked"));
      String chunk = "4000\r\n" + " ".repeat(0x4000) + "\r\n";
      connection.write(chunk.repeat(4) + "1\r\n");
      connection.write(" \r\n");
      assertRefused(connection.readResponse(), 413, "too_large");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: -1",
        "Content-Length: 9223372036854775808",
        "Content-Length: 1x",
        "Content-Length: 2\r\nContent-Length: 3",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: xchunked"
      })
  void lengthsThatMakeNoSenseAreRefused(String header) {
    try (WireConnection connection = client.connect()) {
      connection.write(client.head("POST", send(), JSON, header) + "{}");
      assertThat(connection.readResponse().status()).isIn(400, 501);
    }
  }

  @Test
  void aLengthBesideChunksHidesNoSecondRequest() {
    String hidden = client.postRequest(send(), channel.sendBody("\"smuggled\""));
    try (WireConnection connection = client.connect()) {
      connection.write(
          client.head("POST", send(), JSON, "Content-Length: 3", "Transfer-Encoding: chunked"));
      connection.write("0\r\n\r\n" + hidden);
      assertThat(connection.readResponse().status()).isEqualTo(400);
      connection.awaitEnd();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"zz\r\n{}\r\n", "-2\r\n{}\r\n", "2\r\n{}x\r\n", "80000000000000000\r\n"})
  void chunksThatMakeNoSenseAreRefused(String chunk) {
    try (WireConnection connection = client.connect()) {
      connection.write(client.head("POST", send(), JSON, "Transfer-Encoding: chunked") + chunk);
      assertThat(connection.readResponse().status()).isIn(400, 413);
    }
  }

  @Test
  void aBodyThatIsCutOffHasDoneNothing() {
    String request = client.postRequest(send(), channel.sendBody("\"cut\""));
    String cut = request.substring(0, request.length() - 1);
    try (WireConnection connection = client.connect()) {
      connection.write(cut).finish();
      assertThat(connection.readResponse().status()).isEqualTo(400);
    }
    try (WireConnection connection = client.connect()) {
      connection.write(cut).reset();
    }
    try (WireConnection connection = client.connect()) {
      connection.write(client.head("POST", send(), JSON, "Transfer-Encoding: chunked"));
      connection.write("5\r\n{\"a").finish();
      assertThat(connection.readResponse().status()).isEqualTo(400);
    }
  }

  @Test
  @DisplayName("A body that is no JSON in UTF-8 is refused, and the connection goes on.")
  void aBodyThatIsNoJsonInUtf8IsRefused() {
    String good = channel.sendBody("\"x\"");
    try (WireConnection connection = client.connect()) {
      for (byte[] body :
          List.of(
              bytes("\u00ef\u00bb\u00bf" + good),
              good.getBytes(UTF_16),
              bytes(good.replace("\"x\"", "\"\u00ff\"")),
              bytes(good.replace("\"x\"", "\"\u00c0\u00aa\"")),
              bytes(good.replace("\"x\"", "\"\u00ed\u00a0\u0080\"")),
              bytes(good.replace("\"x\"", "\"\u00f4\u0090\u0080\u0080\"")),
              bytes(good.replace("\"x\"", "\"\u0000\"")),
              bytes(good.replace("\"x\"", "[".repeat(30_000))),
              bytes(good.replace("\"x\"", "{\"a\":".repeat(10_000))),
              bytes(good + good),
              bytes(""))) {
        connection.write(client.head("POST", send(), JSON, "Content-Length: " + body.length));
        assertRefused(connection.write(body).readResponse(), 400, "malformed_json");
        assertWorks(connection.write(client.postRequest(send(), good)).readResponse());
      }
    }
  }

  @Test
  @DisplayName("Another type or charset is refused, and the connection goes on.")
  void anotherTypeOrCharsetIsRefused() {
    String good = channel.sendBody("1");
    try (WireConnection connection = client.connect()) {
      for (String type :
          List.of(
              "Content-Type: application/json;charset=utf-16",
              "Content-Type: application/json;charset=\u00ff",
              "Content-Type: text/plain",
              "Content-Type: multipart/form-data;boundary=x",
              "Content-Type:",
              JSON + "\r\nContent-Encoding: gzip",
              JSON + "\r\nContent-Encoding: br, gzip")) {
        String length = "Content-Length: " + good.length();
        connection.write(client.head("POST", send(), type, length) + good);
        assertRefused(connection.readResponse(), 415, "unsupported_media_type");
        assertWorks(connection.write(client.postRequest(send(), good)).readResponse());
      }
    }
  }

  @Test
  void whatIsRefusedAnywayIsNotAskedFor() {
    String expect = "Expect: 100-continue";
    try (WireConnection connection = client.connect()) {
      connection.write(client.head("POST", send(), JSON, "Content-Length: 65537", expect));
      assertRefused(connection.readResponse(), 413, "too_large");
    }
    try (WireConnection connection = client.connect()) {
      connection.write(client.head("POST", send(), "Content-Length: 5", expect));
      assertRefused(connection.readResponse(), 415, "unsupported_media_type");
    }
    try (WireConnection connection = client.connect()) {
      connection.write(client.head("POST", "/nowhere", JSON, "Content-Length: 5", expect));
      assertRefused(connection.readResponse(), 404, "unknown_path");
    }
  }

  @Test
  void aBodyThatIsAskedForMayStillBeTooLarge() {
    try (WireConnection connection = client.connect()) {
      connection.write(
          client.head("POST", send(), JSON, "Transfer-Encoding: chunked", "Expect: 100-continue"));
      assertThat(connection.readResponse().status()).isEqualTo(100);
      connection.write("10001\r\n" + " ".repeat(0x10001) + "\r\n");
      assertRefused(connection.readResponse(), 413, "too_large");
    }
  }

  @Test
  void theContainerRefusesTooLargeHeaders() {
    for (String header :
        List.of(
            "X: " + "x".repeat(100_000),
            "x".repeat(100_000) + ": x",
            "X: x\r\n".repeat(20_000).strip())) {
      try (WireConnection connection = client.connect()) {
        connection.write(client.head("GET", "/list", header));
        assertThat(connection.readResponse().status()).isIn(400, 431);
      }
    }
    String accept = "Accept: " + "a/b;q=0.1,".repeat(700) + "application/json";
    assertThat(client.get("/list", accept).status()).isEqualTo(200);
    assertThat(client.get("/list?filter=" + "x".repeat(100_000)).status()).isIn(400, 414, 431);
    assertRefused(client.get("/list?filter=" + "x".repeat(1_025)), 400, "invalid_filter");
    assertRefused(client.get("/list?" + "filter&".repeat(900)), 400, "invalid_filter");
  }

  @Test
  void strangePathsLeadNowhereWhateverTheMethod() {
    String known = "/send/" + channel.cid();
    for (String path :
        List.of(
            "//list",
            "/list/",
            "/list//",
            "/LIST",
            "/list;x",
            "/list;x=y/",
            "/;x/list",
            "/list%3Bx",
            "/list%2F",
            "/%2Flist",
            "%2Flist",
            "/list%00",
            "/list%00.html",
            "/./list",
            "/x/../list",
            "/../broker/list",
            "/../../list",
            "/%2e/list",
            "/x/%2e%2e/list",
            "/x/%2E%2E/list",
            "/.%2e/broker/list",
            "/x/%252e%252e/list",
            "/x/..;/list",
            "/x/..%2Flist",
            "/list/..",
            "/list/.",
            "/list%20",
            "/list%09",
            "/list%0d%0aX:%20y",
            "/list\\",
            "/list%5c",
            "/list%",
            "/list%u0065",
            "/list%c0%af",
            "/l\u00efst",
            "/send/x/../" + channel.cid(),
            known + "/",
            known + ";x",
            known + "%00",
            known + "%2Fx",
            known.replace("/send", "//send"),
            known.replace("/send/", "/send//"))) {
      for (String method : List.of("GET", "HEAD", "POST", "OPTIONS", "PUT")) {
        try (WireConnection connection = client.connect()) {
          String length = "Content-Length: " + channel.sendBody("1").length();
          String head = client.head(method, path, JSON, method.equals("POST") ? length : "");
          connection.write(
              (head + (method.equals("POST") ? channel.sendBody("1") : "")).getBytes(ISO_8859_1));
          assertThat(connection.readResponse(method.equals("HEAD")).status())
              .as(method + " " + path)
              .isIn(400, 404);
        }
      }
    }
    assertThat(channel.stream().events()).as("nothing was sent").hasSize(1);
  }

  @Test
  void requestLinesThatMakeNoSenseAreRefused() {
    for (String line :
        List.of(
            "GET",
            "GET /broker/list",
            "GET /broker/list HTTP/9.9",
            "GET /broker/l ist HTTP/1.1",
            "get /broker/list HTTP/1.1",
            "\u0000 /broker/list HTTP/1.1",
            "TRACE /broker/list HTTP/1.1",
            "CONNECT 127.0.0.1:80 HTTP/1.1",
            "SEND /broker/list HTTP/1.1",
            "GET * HTTP/1.1",
            "GET broker/list HTTP/1.1")) {
      try (WireConnection connection = client.connect()) {
        connection.write(line + "\r\nHost: x\r\nConnection: close\r\n\r\n");
        assertThat(connection.readResponse().status()).as(line).isBetween(400, 505);
      }
    }
  }

  @Test
  void nothingThatIsSentMakesAFieldOfItsOwn() {
    SseStream list = client.watch("?filter=event:%20close");
    SseStream all = client.watch("");
    String field = "\\r\\n\\nevent: close\\ndata: {}\\n\\nid: 1\\nretry: 1\\u0000\\u2028";
    for (String text : List.of(field, field.replace("\\n", "\\r"), "\\u000a\\u000A\\u000d")) {
      assertWorks(channel.send(channel.cid(), "{\"" + text + "\":\r\n\r\n[\"" + text + "\"\n,1]}"));
      channel.createSession("\"list\":true,\"metadata\":{\"" + text + "\":\n\n\"" + text + "\"}");
      assertRefused(channel.postSession("\"tags\":[\"a" + text + "b\"]"), 400, "invalid_tag");
    }
    channel.createSession(
        "\"list\":true,\"tags\":[\"event: close\",\"data:x\",\"id:1\",\"\u2028x\u2029\",\":\"]");
    for (SseStream stream : List.of(list, all)) {
      stream.await(event -> event.data().contains("event: close\",\"data:x"));
      assertThat(stream.ignored()).isEmpty();
      assertThat(stream.retries()).as("the one that it begins with").hasSize(1);
      assertThat(stream.events())
          .allMatch(event -> List.of("add", "ready").contains(event.name()))
          .allMatch(event -> event.lastEventId().isEmpty())
          .allMatch(event -> Json.parse(event.data()).isObject());
    }
  }

  @Test
  @DisplayName("Targets, origins and queries add no header and no field of an event.")
  void inputMakesNoHeaderAndNoField() {
    String crlf = "%0d%0aSet-Cookie:%20a=b%0d%0a%0d%0a";
    UnaryOperator<String> origin =
        text -> "{\"origin\":\"" + text + "\",\"key\":\"x\",\"message\":1}";
    for (WireResponse response :
        List.of(
            client.postJson("/send/" + crlf, channel.sendBody("1")),
            client.postJson(send(), origin.apply("\\r\\nSet-Cookie: a=b\\r\\n")),
            client.get("/list?filter=" + crlf),
            client.get("/list?limit=" + crlf),
            client.get("/list?after=" + crlf),
            client.get("/list?" + crlf + "=1"),
            client.get("/channel?resume=" + crlf),
            client.get("/list?filter=a" + "%C2%85%E2%80%A8,b&limit=1", "Origin: x"))) {
      assertThat(response.header("Set-Cookie")).isNull();
      assertThat(response.status()).isIn(200, 400, 404);
      assertThat(response.body()).doesNotContain("\r", "\n");
    }
  }

  @Test
  void theLinkToTheNextPageIsEncoded() {
    channel.createSession("\"list\":true,\"tags\":[\"a>;\\\" b\"]");
    channel.createSession("\"list\":true,\"tags\":[\"a>;\\\" b\"]");
    WireResponse page = client.get("/list?limit=1&filter=a%3E%3B%22+b");
    assertThat(page.header("Link")).matches("<\\?[A-Za-z0-9_.*=&%+-]*>; rel=\"next\"");
    String link = page.header("Link").replaceAll("<(.*)>.*", "$1");
    assertThat(client.get("/list" + link).json().getAsJsonArray()).hasSize(1);
  }

  @Test
  void requestsMayFollowWithoutWaiting() {
    String good = client.postRequest(send(), channel.sendBody("1"));
    String bad = client.postRequest(send(), "{");
    String list = client.head("GET", "/list");
    try (WireConnection connection = client.connect()) {
      connection.write(good + bad + list + good + client.head("GET", "/x") + list);
      assertWorks(connection.readResponse());
      assertRefused(connection.readResponse(), 400, "malformed_json");
      assertThat(connection.readResponse().body()).isEqualTo("[]");
      assertWorks(connection.readResponse());
      assertRefused(connection.readResponse(), 404, "unknown_path");
      assertThat(connection.readResponse().body()).isEqualTo("[]");
    }
  }

  @Test
  void aRequestBehindAStreamIsNotAnswered() {
    String request = client.postRequest(send(), channel.sendBody("\"behind a stream\""));
    SseStream list = client.watch("");
    list.await("ready");
    list.connection().write(request);
    assertWorks(channel.send(channel.cid(), "1"));
    assertThat(channel.awaitMessage().get("message").toString()).isEqualTo("1");
  }

  @Test
  void clientsOfTheOldDaysAreServed() {
    String body = channel.sendBody("1");
    try (WireConnection connection = client.connect()) {
      connection.write(
          "POST /broker%s HTTP/1.0\r\n%s\r\nContent-Length: %d\r\n\r\n%s"
              .formatted(send(), JSON, body.length(), body));
      assertWorks(connection.readResponse());
      connection.awaitEnd();
    }
    try (WireConnection connection = client.connect()) {
      connection.write("POST /broker%s HTTP/1.0\r\n%s\r\n\r\n".formatted(send(), JSON));
      assertRefused(connection.readResponse(), 400, "malformed_json");
    }
  }

  private String send() {
    return "/send/" + channel.cid();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(ISO_8859_1);
  }

  private static void assertWorks(WireResponse response) {
    assertThat(response.body()).isEqualTo("{\"delivery\":\"sent\"}");
    assertThat(response.status()).isEqualTo(200);
  }

  private static void assertRefused(WireResponse response, int status, String code) {
    assertThat(response.status()).as("%s", response).isEqualTo(status);
    assertThat(response.mediaType()).isEqualTo("application/problem+json");
    assertThat(response.member("code")).isEqualTo(code);
  }
}
