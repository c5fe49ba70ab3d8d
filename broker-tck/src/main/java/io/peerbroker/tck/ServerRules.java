package io.peerbroker.tck;

import static com.google.gson.JsonParser.parseString;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceAccessMode;
import org.junit.jupiter.api.parallel.ResourceLock;

/**
 * What the tests of the wire protocol's rules have in common. Each section of the rules is a
 * subclass, which a kit extends to start servers of its own kind.
 *
 * <p>Each test has a server of its own, so that it finds nothing that another test has left, and
 * several tests can run at once if several servers can. Its tags are the numbers of the rules that
 * it tests.
 */
@Timeout(120)
@ResourceLock(value = ServerRules.PROCESS, mode = ResourceAccessMode.READ)
@ExtendWith(Exceptions.class)
public abstract class ServerRules {

  /**
   * The log and the descriptors of the whole process, as a resource of JUnit. Tests that count them
   * exclude all others if tests run at once.
   */
  protected static final String PROCESS = "io.peerbroker.tck.process";

  private static final Pattern NEXT = Pattern.compile("<(\\?[^>]*)>; rel=\"next\"");

  private @Nullable WireServer server;
  private @Nullable WireClient client;

  /** For subclasses. */
  protected ServerRules() {}

  /**
   * Starts a server on a free port of the loopback interface. It is closed when the test is over.
   */
  protected abstract WireServer start(ServerSettings settings) throws Exception;

  /** The client of a server with the default settings, which starts with the first call. */
  protected final WireClient client() {
    return client == null ? client(ServerSettings.DEFAULTS) : client;
  }

  /** Starts the test's server with other settings. */
  protected final WireClient client(ServerSettings settings) {
    assertThat(client).as("a test has one server").isNull();
    try {
      server = start(settings);
    } catch (Exception e) {
      throw new AssertionError("No server with " + settings, e);
    }
    client = new WireClient(server.base());
    return client;
  }

  /** The test's server, once {@link #client} has started it. */
  protected final WireServer server() {
    if (server == null) {
      throw new IllegalStateException("No server has been started");
    }
    return server;
  }

  @AfterEach
  final void stop() {
    if (client != null) {
      client.close();
    }
    if (server != null) {
      server.close();
    }
  }

  /**
   * Begins to wait for a condition. Exceptions of other threads do not end the wait: they may come
   * from another test's server.
   */
  protected static ConditionFactory await() {
    return Awaitility.await().dontCatchUncaughtExceptions();
  }

  /** Fails unless this is a refusal, whole and well-formed, with this status and code. */
  protected static void assertRefused(WireResponse response, int status, String code) {
    assertThat(response.status()).as("status of %s", response).isEqualTo(status);
    assertThat(response.mediaType()).isEqualTo("application/problem+json");
    JsonObject problem = response.jsonObject();
    assertThat(problem.get("code").getAsString()).isEqualTo(code);
    assertThat(problem.get("status").getAsInt()).isEqualTo(status);
    for (String member : List.of("type", "title", "detail")) {
      assertThat(problem.get(member).getAsJsonPrimitive().isString()).as(member).isTrue();
      assertThat(problem.get(member).getAsString()).as(member).isNotBlank();
    }
  }

  /** As {@link #assertRefused(WireResponse, int, String)}, and the detail names what was wrong. */
  protected static void assertRefused(
      WireResponse response, int status, String code, String named) {
    assertRefused(response, status, code);
    assertThat(response.member("detail")).contains(named);
  }

  /** Fails unless this is the empty answer to a request that was performed. */
  protected static void assertDone(WireResponse response) {
    assertThat(response.status()).as("status of %s", response).isEqualTo(200);
    assertThat(response.jsonObject().keySet()).isEmpty();
  }

  /** Fails unless this is the answer to a message that was accepted. */
  protected static void assertSent(WireResponse response) {
    assertThat(response.status()).as("status of %s", response).isEqualTo(200);
    assertThat(response.json()).isEqualTo(parseString("{\"delivery\":\"sent\"}"));
  }

  /** The sids that a list shows, in its order; the query begins with {@code ?} or is empty. */
  protected final List<String> listed(String query) {
    return sids(client().get("/list" + query));
  }

  /** The sids in a list as JSON, in its order. */
  protected static List<String> sids(WireResponse list) {
    assertThat(list.status()).as("status of %s", list).isEqualTo(200);
    List<String> sids = new ArrayList<>();
    for (JsonElement entry : list.json().getAsJsonArray()) {
      sids.add(entry.getAsJsonObject().get("sid").getAsString());
    }
    return sids;
  }

  /** Returns the query of the next page, as the answer gives it, or null at the list's end. */
  protected static @Nullable String nextPage(WireResponse list) {
    String link = list.header("Link");
    if (link == null) {
      return null;
    }
    Matcher matcher = NEXT.matcher(link);
    assertThat(matcher.matches()).as(link).isTrue();
    return matcher.group(1);
  }

  /**
   * Returns all entries of a list, page after page: the sessions by their sids, in the list's
   * order.
   */
  protected final Map<String, JsonElement> wholeList(String query) {
    Map<String, JsonElement> shown = new LinkedHashMap<>();
    for (String next = query; next != null; ) {
      WireResponse page = client().get("/list" + next);
      sids(page).forEach(sid -> assertThat(shown).doesNotContainKey(sid));
      for (JsonElement entry : page.json().getAsJsonArray()) {
        JsonObject session = entry.getAsJsonObject();
        shown.put(session.get("sid").getAsString(), session.get("session"));
      }
      next = nextPage(page);
    }
    return shown;
  }

  /** Opens a channel whose reader stalls at once: not much fits between it and the server. */
  protected final WireChannel openStalled() {
    return new WireChannel(client(), openStalledStream("/channel"));
  }

  /** Opens a stream of any kind whose reader stalls, as {@link #openStalled} does. */
  protected final SseStream openStalledStream(String path) {
    WireConnection connection = WireConnection.open(server().base(), 4 * 1024);
    return client().openStream(connection, path);
  }

  /** A session and its host. */
  record WireSession(WireChannel host, String sid) {}

  /**
   * Lists more sessions, with the tag {@code a}, than fit between a server and a stalled reader.
   */
  final List<WireSession> manyLargeSessions() {
    String metadata = "\"metadata\":\"" + "x".repeat(16_000) + "\"";
    List<WireSession> sessions = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      WireChannel host = client().openChannel();
      for (int j = 0; j < 60; j++) {
        String sid = host.createSession("\"list\":true,\"tags\":[\"a\"]," + metadata);
        sessions.add(new WireSession(host, sid));
      }
    }
    return sessions;
  }

  /** Lists 60 small sessions without a tag, for {@link #changeUntilOverflow}. */
  static List<String> sixtySessions(WireChannel host) {
    return IntStream.range(0, 60).mapToObj(i -> host.listSession("")).toList();
  }

  /** Changes sessions in turn, by 24 MB in all: more than a list's stalled reader keeps up with. */
  static void changeUntilOverflow(WireChannel host, List<String> sids) {
    String metadata = "\"metadata\":\"" + "x".repeat(16_000);
    for (int i = 0; i < 1_500; i++) {
      assertDone(host.update(sids.get(i % sids.size()), metadata + i + "\""));
    }
  }

  /** Returns how long something takes. */
  static Duration timeOf(Runnable deed) {
    long begin = System.nanoTime();
    deed.run();
    return Duration.ofNanos(System.nanoTime() - begin);
  }

  /**
   * Fails unless the application, if the server has one, stops soon though clients read nothing.
   */
  final void assertApplicationStopsSoon() {
    if (server() instanceof ContainerServer container) {
      // Tomcat may take 50 ms for each of them.
      assertThat(timeOf(container::stopApplication))
          .as("the application")
          .isLessThan(Duration.ofSeconds(3));
    }
  }

  /** Waits until a stream is admitted where one was refused before, and reads its first event. */
  protected final void awaitAdmitted(String path) {
    await()
        .atMost(WireConnection.BOUND)
        .ignoreExceptionsInstanceOf(AssertionError.class)
        .until(() -> !client().openStream(path).next().data().isEmpty());
  }

  /** Sends large messages until one is refused, and returns the refusal. */
  protected static WireResponse sendUntilRefused(WireChannel sender, String target) {
    return sendUntilRefused(sender, target, "\"" + "x".repeat(40_000) + "\"");
  }

  /** Sends a large message, written as JSON, until it is refused, and returns the refusal. */
  static WireResponse sendUntilRefused(WireChannel sender, String target, String message) {
    for (int i = 0; i < 2_000; i++) {
      WireResponse response = sender.send(target, message);
      if (response.status() != 200) {
        return response;
      }
    }
    throw new AssertionError("80 MB were taken for a reader that doesn't read");
  }

  /**
   * Waits until the broker has given up each of these readers, none of which reads. It sends large
   * messages meanwhile: the system's buffers grow while they are filled.
   */
  protected static void awaitGivenUp(WireChannel sender, List<String> stalled) {
    List<String> left = new ArrayList<>(stalled);
    await()
        .atMost(WireConnection.BOUND)
        .until(
            () -> {
              left.removeIf(cid -> sendUntilRefused(sender, cid).status() == 404);
              return left.isEmpty();
            });
  }
}
