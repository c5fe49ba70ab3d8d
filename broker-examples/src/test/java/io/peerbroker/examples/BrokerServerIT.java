package io.peerbroker.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The runnable broker from its operator's view: options, messages, exit codes. */
@Timeout(240)
@Execution(ExecutionMode.CONCURRENT)
class BrokerServerIT {

  private static final Duration SECONDS = Duration.ofSeconds(60);

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  @Test
  void saysOnceWhereItListens() throws Exception {
    try (BrokerProcess broker = BrokerProcess.run("--port", "0")) {
      URI page = broker.awaitListening();
      assertThat(page.toString()).matches("http://127\\.0\\.0\\.1:[1-9][0-9]*/");
      await().until(() -> broker.out.size() == 2);
      assertThat(broker.out).filteredOn(line -> line.startsWith("listening on http://")).hasSize(1);
      assertThat(broker.out).last().asString().contains("/broker");
      assertThat(broker.err).isEmpty();
    }
  }

  @Test
  void demoPage_isServedStrictly() throws Exception {
    Map<String, String> types =
        Map.of(
            "/", "text/html",
            "/index.html", "text/html",
            "/app.js", "text/javascript",
            "/style.css", "text/css",
            "/icon.svg", "image/svg+xml",
            "/config.json", "application/json");
    try (BrokerProcess broker = BrokerProcess.run("--port", "0")) {
      URI page = broker.awaitListening();
      for (var each : types.entrySet()) {
        HttpResponse<String> file = get(page.resolve(each.getKey()));
        assertThat(file.statusCode()).isEqualTo(200);
        assertThat(file.headers().firstValue("Content-Type").orElse(""))
            .startsWith(each.getValue());
        assertThat(file.headers().allValues("Cache-Control")).containsExactly("no-cache");
        assertThat(file.headers().firstValue("Content-Security-Policy").orElse(""))
            .startsWith("default-src 'none'; script-src 'self'");
        assertThat(file.headers().allValues("X-Content-Type-Options")).containsExactly("nosniff");
        assertThat(file.headers().map()).doesNotContainKeys("server", "x-powered-by");
      }
    }
  }

  @Test
  void demoPage_isNeverAnOldOne() throws Exception {
    try (BrokerProcess broker = BrokerProcess.run("--port", "0")) {
      HttpRequest request =
          HttpRequest.newBuilder(broker.awaitListening().resolve("/app.js"))
              .header("If-Modified-Since", "Fri, 31 Dec 2100 23:59:59 GMT")
              .build();
      assertThat(client.send(request, BodyHandlers.ofString()).statusCode()).isEqualTo(200);
    }
  }

  @Test
  void outsideTheDemoPage_nothingIsServed() throws Exception {
    try (BrokerProcess broker = BrokerProcess.run("--port", "0")) {
      URI page = broker.awaitListening();
      for (String path : List.of("/nope", "/..%2flogging.properties", "/demo/index.html")) {
        assertThat(get(page.resolve(path)).statusCode()).as(path).isIn(400, 404);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"/, /list, ''", "/a/b, /a/b/list, /a/b", "/broker/, /broker/list, /broker"})
  void path_movesTheBrokerAndThePageKnows(String path, String list, String told) throws Exception {
    try (BrokerProcess broker = BrokerProcess.run("--port", "0", "--path", path)) {
      URI page = broker.awaitListening();
      assertThat(get(page.resolve(list)).body()).isEqualTo("[]");
      assertThat(get(page.resolve("/config.json")).body())
          .isEqualTo("{\"broker\":\"%s\"}".formatted(told));
      assertThat(get(page).body()).contains("<title>Peerbroker</title>");
    }
  }

  @Test
  void demoPage_standsInFrontOfNothingElse() throws Exception {
    try (BrokerProcess broker = BrokerProcess.run("--port", "0", "--path", "/")) {
      URI page = broker.awaitListening();
      for (String path : List.of("/list", "/session", "/app.js", "/")) {
        HttpRequest request =
            HttpRequest.newBuilder(page.resolve(path))
                .method("OPTIONS", BodyPublishers.noBody())
                .build();
        HttpResponse<String> answer = client.send(request, BodyHandlers.ofString());
        assertThat(answer.headers().map()).as(path).doesNotContainKey("content-security-policy");
        assertThat(answer.statusCode()).as(path).isIn(204, 404);
      }
      assertThat(get(page.resolve("/list")).headers().map())
          .doesNotContainKeys("content-security-policy", "permissions-policy");
    }
  }

  @Test
  void noDemo_servesTheBrokerAlone() throws Exception {
    try (BrokerProcess broker = BrokerProcess.run("--port", "0", "--no-demo")) {
      URI page = broker.awaitListening();
      await().until(() -> broker.out.size() == 2);
      assertThat(broker.out).last().asString().contains("/broker").contains("without the demo");
      assertThat(get(page).statusCode()).isEqualTo(404);
      assertThat(get(page.resolve("/app.js")).statusCode()).isEqualTo(404);
      assertThat(get(page.resolve("/broker/list")).body()).isEqualTo("[]");
    }
  }

  @ParameterizedTest
  @CsvSource({"::1", "[::1]"})
  void ipv6_isListenedOnAndToldWithBrackets(String host) throws Exception {
    try (BrokerProcess broker = BrokerProcess.run("--port", "0", "--host", host)) {
      URI page = broker.awaitListening();
      assertThat(page.toString()).matches("http://\\[::1]:[1-9][0-9]*/");
      assertThat(get(page.resolve("/broker/list")).body()).isEqualTo("[]");
      String port = String.valueOf(page.getPort());
      assertRefused(
          BrokerProcess.run("--port", port, "--host", host), "the port is taken: [::1]:" + port);
    }
  }

  @Test
  void portTaken_isSaidInWords() throws Exception {
    try (BrokerProcess first = BrokerProcess.run("--port", "0")) {
      String port = String.valueOf(first.awaitListening().getPort());
      assertRefused(BrokerProcess.run("--port", port), "the port is taken: 127.0.0.1:" + port);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "--path,            broker,               --path must be",
    "--path,            /a/../b,              --path must be",
    "--path,            /a//b,                --path must be",
    "--port,            65536,                --port must be",
    "--port,            http,                 --port",
    "--host,            no.such.host.invalid, no.such.host.invalid",
    "--heartbeat,       15,                   not a time like",
    "--heartbeat,       0s,                   --heartbeat must be",
    "--heartbeat,       61m,                  --heartbeat must be",
    "--max-channels,    0,                    --max-channels must be",
    "--message-rate,    -1,                   --message-rate must be",
    "--allowed-origins, example.org,          --allowed-origins",
    "--allowed-headers, X Y,                  --allowed-headers",
    "--idle-timeout,    0s,                   --idle-timeout must be",
    "--preset,          everybody,            there is only openToEverybody",
    "--set,             maxWatches=x,         must be a whole number",
    "--set,             maxWatchez=1,         there are allowedHeaders",
    "--set,             maxChannels=1,        an option of its own",
    "--ice-server,      example.org,          --ice-server",
    "--ice-server,      turn:example.org,     needs a username",
    "--turn-secret-file,/no/such/file,        --ice-server turn:",
    "--max-resume,      60,                   not a time like",
    "--max-resume,      500ms,                --max-resume must be",
    "--max-resume,      61m,                  --max-resume must be",
    "--max-lease,       1500ms,               --max-lease must be",
    "--max-leese,       60s,                  Unknown option"
  })
  void wrongOption_isSaidInWords(String option, String value, String words) throws Exception {
    // Some are refused only after the port was taken, several at once.
    assertRefused(
        option.equals("--port")
            ? BrokerProcess.run(option, value)
            : BrokerProcess.run("--port", "0", option, value),
        words);
  }

  private static void assertRefused(BrokerProcess process, String words) throws Exception {
    try (process) {
      assertThat(process.awaitExit(SECONDS)).isEqualTo(1);
      await().until(() -> process.err.contains("Try --help."));
      assertThat(process.err).first().asString().startsWith("broker-server: ").contains(words);
      assertThat(process.err).noneMatch(line -> line.startsWith("\tat "));
      assertThat(process.out).isEmpty();
    }
  }

  @Test
  void help_namesEveryOption() throws Exception {
    try (BrokerProcess broker = BrokerProcess.run("--help")) {
      assertThat(broker.awaitExit(SECONDS)).isEqualTo(0);
      await().until(() -> broker.out.stream().anyMatch(line -> line.contains("SIGTERM")));
      assertThat(String.join("\n", broker.out))
          .contains("--host", "--port", "--path", "--allowed-origins", "--heartbeat")
          .contains("--require-session-key", "--max-channels", "--message-rate", "--version")
          .contains("--max-resume", "--max-lease", "--allowed-headers", "--idle-timeout")
          .contains("--ice-server", "--turn-secret-file")
          .contains("--[no-]demo", "--preset", "--set");
    }
  }

  @Test
  void version_isTheProjects() throws Exception {
    try (BrokerProcess broker = BrokerProcess.run("--version")) {
      assertThat(broker.awaitExit(SECONDS)).isEqualTo(0);
      await().until(() -> !broker.out.isEmpty());
      assertThat(broker.out).first().asString().matches("broker-server [0-9]+\\.[0-9]+\\..*");
    }
  }

  @Test
  void sigterm_tellsTheStreamsAndEnds() throws Exception {
    try (BrokerProcess broker = BrokerProcess.run("--port", "0")) {
      URI page = broker.awaitListening();
      try (BufferedReader channel = stream(page.resolve("/broker/channel"));
          BufferedReader list = stream(page.resolve("/broker/list"))) {
        awaitLine(channel, "event: channel");
        awaitLine(list, "event: ready");

        broker.terminate();

        for (BufferedReader stream : List.of(channel, list)) {
          awaitLine(stream, "event: close");
          awaitLine(stream, "data: {\"reason\":\"shutting_down\"}");
          assertThat(stream.lines().filter(line -> !line.isEmpty())).as("then the end").isEmpty();
        }
      }
      assertThat(broker.awaitExit(SECONDS)).isEqualTo(0);
      assertThat(broker.err).isEmpty();
    }
  }

  @Test
  void heartbeat_isAsOftenAsAsked() throws Exception {
    try (BrokerProcess broker = BrokerProcess.run("--port", "0", "--heartbeat", "200ms");
        BufferedReader channel = stream(broker.awaitListening().resolve("/broker/channel"))) {
      awaitLine(channel, "event: channel");
      awaitLine(channel, ":");
      awaitLine(channel, ":");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "--max-resume, 60s, resume=30&lease=90,   '\"resume\":30,\"lease\":90,\"heartbeat\":15}'",
    "--max-resume, 60s, resume=999&lease=999, '\"resume\":60,\"lease\":300,\"heartbeat\":15}'",
    "--max-resume, 2m,  resume=999,           '\"resume\":120,\"heartbeat\":15}'",
    "--max-resume, 0s,  resume=30&lease=90,   '\",\"lease\":90,\"heartbeat\":15}'",
    "--max-lease,  60s, resume=30&lease=90,   '\"resume\":30,\"lease\":60,\"heartbeat\":15}'",
    "--max-lease,  5s,  lease=1,              '\"lease\":5,\"heartbeat\":15}'",
    "--max-lease,  0s,  resume=30&lease=90,   '\"resume\":30,\"heartbeat\":15}'"
  })
  void maxResumeAndMaxLease_boundWhatIsGranted(
      String option, String value, String query, String granted) throws Exception {
    try (BrokerProcess broker = BrokerProcess.run("--port", "0", option, value);
        BufferedReader channel =
            stream(broker.awaitListening().resolve("/broker/channel?" + query))) {
      assertThat(awaitLine(channel, "data: ")).endsWith(granted);
    }
  }

  @Test
  void maxChannels_refusesOneMore() throws Exception {
    try (BrokerProcess broker = BrokerProcess.run("--port", "0", "--max-channels", "1")) {
      URI channel = broker.awaitListening().resolve("/broker/channel");
      try (BufferedReader first = stream(channel)) {
        awaitLine(first, "event: channel");
        HttpResponse<String> second = get(channel);
        assertThat(second.statusCode()).isEqualTo(503);
        assertThat(second.body()).contains("at_capacity");
      }
    }
  }

  @Test
  void requireSessionKey_refusesTheFirstDraftsBody() throws Exception {
    try (BrokerProcess broker = BrokerProcess.run("--port", "0", "--require-session-key")) {
      URI page = broker.awaitListening();
      try (BufferedReader channel = stream(page.resolve("/broker/channel"))) {
        String cid = member("cid", awaitLine(channel, "data: "));
        HttpResponse<String> session =
            post(page.resolve("/broker/session"), "{\"cid\":\"%s\"}".formatted(cid));
        assertThat(session.statusCode()).isEqualTo(400);
      }
    }
  }

  @Test
  void set_reachesEverySetting() throws Exception {
    try (BrokerProcess broker =
        BrokerProcess.run("--port", "0", "--set", "maxWatches=1", "--set", "maxMetadataBytes=10")) {
      URI list = broker.awaitListening().resolve("/broker/list");
      try (BufferedReader first = stream(list)) {
        awaitLine(first, "event: ready");
        HttpRequest request =
            HttpRequest.newBuilder(list).header("Accept", "text/event-stream").build();
        assertThat(client.send(request, BodyHandlers.ofString()).statusCode()).isEqualTo(503);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1, true", "0, false"})
  void messageRate_boundsAChannelOrIsLifted(String rate, boolean bounded) throws Exception {
    try (BrokerProcess broker = BrokerProcess.run("--port", "0", "--message-rate", rate)) {
      URI page = broker.awaitListening();
      try (BufferedReader channel = stream(page.resolve("/broker/channel"))) {
        String opened = awaitLine(channel, "data: ");
        String cid = member("cid", opened);
        String body =
            "{\"origin\":\"%s\",\"key\":\"%s\",\"message\":1}"
                .formatted(cid, member("key", opened));
        boolean refused = false;
        for (int i = 0; i < 10; i++) {
          refused |= post(page.resolve("/broker/send/" + cid), body).statusCode() == 429;
        }
        assertThat(refused).isEqualTo(bounded);
      }
    }
  }

  @Test
  void allowedOrigins_letsAnotherSitesPageIn() throws Exception {
    String site = "https://example.org";
    try (BrokerProcess broker =
        BrokerProcess.run("--port", "0", "--allowed-origins", site + ",https://example.net")) {
      HttpRequest request =
          HttpRequest.newBuilder(broker.awaitListening().resolve("/broker/list"))
              .header("Origin", site)
              .build();
      HttpResponse<String> list = client.send(request, BodyHandlers.ofString());
      assertThat(list.headers().allValues("Access-Control-Allow-Origin")).containsExactly(site);
    }
  }

  private HttpResponse<String> get(URI uri) throws IOException, InterruptedException {
    return client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
  }

  private HttpResponse<String> post(URI uri, String json) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(uri)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(json))
            .build();
    return client.send(request, BodyHandlers.ofString());
  }

  private BufferedReader stream(URI uri) throws IOException, InterruptedException {
    HttpRequest request = HttpRequest.newBuilder(uri).header("Accept", "text/event-stream").build();
    var response = client.send(request, BodyHandlers.ofInputStream());
    assertThat(response.statusCode()).isEqualTo(200);
    return new BufferedReader(new InputStreamReader(response.body(), UTF_8));
  }

  /** Reads on to a line that starts so; the class's timeout bounds it. */
  private static String awaitLine(BufferedReader stream, String start) throws IOException {
    String line = stream.readLine();
    while (line != null && !line.startsWith(start)) {
      line = stream.readLine();
    }
    assertThat(line).as("the line %s", start).isNotNull();
    return line;
  }

  private static String member(String name, String line) {
    String start = "\"" + name + "\":\"";
    int from = line.indexOf(start) + start.length();
    return line.substring(from, line.indexOf('"', from));
  }
}
