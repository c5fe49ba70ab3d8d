package io.peerbroker.tck;

import static com.google.gson.JsonParser.parseString;
import static io.peerbroker.tck.WireChannel.data;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.peerbroker.tck.EventStreamParser.Event;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules of section L for the list as a stream. */
public abstract class ListStreamRules extends ServerRules {

  /** For subclasses. */
  protected ListStreamRules() {}

  @Test
  @Tag("L15")
  @Tag("L16")
  @DisplayName("A list stream begins with the list, and reports when it is complete.")
  void aStreamBeginsWithTheList() {
    WireChannel host = client().openChannel();
    SseStream empty = client().watch("?filter=b");
    assertReady(empty.next(), 0);
    String sid = host.createSession("\"list\":true,\"tags\":[\"a\",\"c\"],\"metadata\":{\"n\":1}");
    String other = host.listSession("\"a\"");
    host.listSession("\"d\"");
    SseStream list = client().watch("?filter=a");
    Map<String, JsonElement> held = replay(list, null);
    assertThat(held.get(sid))
        .isEqualTo(parseString("{\"tags\":[\"a\",\"c\"],\"metadata\":{\"n\":1}}"));
    assertThat(held).containsOnlyKeys(sid, other);
    List<Event> events = list.events();
    assertThat(data(events.get(events.size() - 1)).get("count").getAsInt()).isEqualTo(2);
    assertThat(data(events.get(0)).keySet()).containsExactlyInAnyOrder("sid", "session");
  }

  @Test
  @Tag("L16")
  @Tag("L17")
  @DisplayName("Each change is sent once after ready, and ready only once.")
  void changesAreTold() {
    WireChannel host = client().openChannel();
    SseStream list = client().watch("?filter=a,!b");
    list.await("ready");
    String sid = host.listSession("\"a\"");
    assertTold(list.next(), "add", sid);
    assertDone(host.update(sid, "\"tags\":[\"a\",\"b\"]"));
    Event remove = list.next();
    assertTold(remove, "remove", sid);
    assertThat(data(remove).keySet()).containsExactly("sid");
    assertDone(host.update(sid, "\"tags\":[\"a\",\"c\"]"));
    assertTold(list.next(), "add", sid);
    assertDone(host.update(sid, "\"list\":false"));
    assertTold(list.next(), "remove", sid);
    assertDone(host.update(sid, "\"list\":true"));
    assertTold(list.next(), "add", sid);
    assertDone(host.closeSession(sid));
    assertTold(list.next(), "remove", sid);
    String last = host.listSession("\"a\"");
    assertTold(list.next(), "add", last);
    assertDone(host.close());
    assertTold(list.next(), "remove", last);
    assertThat(list.events()).filteredOn(event -> event.name().equals("ready")).hasSize(1);
  }

  @Test
  @Tag("L18")
  @Tag("L19")
  @DisplayName("A changed session is sent as it is now; an unchanged one is not sent.")
  void changedSessionsAreAddedAgain() {
    WireChannel host = client().openChannel();
    SseStream list = client().watch("?filter=a");
    list.await("ready");
    String sid = host.createSession("\"list\":true,\"tags\":[\"a\",\"b\"],\"metadata\":[1.0]");
    assertTold(list.next(), "add", sid);
    for (String same :
        List.of("", "\"metadata\":[1.0]", "\"tags\":[\"a\",\" b\",\"a\"]", "\"list\":true")) {
      assertDone(host.update(sid, same));
    }
    for (String other :
        List.of("\"metadata\":[1.00]", "\"metadata\":null", "\"tags\":[\"b\",\"a\"]")) {
      assertDone(host.update(sid, other));
      Event told = list.next();
      assertTold(told, "add", sid);
      assertThat(data(told).getAsJsonObject("session")).isEqualTo(wholeList("").get(sid));
    }
  }

  @Test
  @Tag("L20")
  @DisplayName("A session that was not added is not removed.")
  void nothingElseIsRemoved() {
    WireChannel host = client().openChannel();
    SseStream list = client().watch("?filter=a");
    list.await("ready");
    String unlisted = host.createSession("\"tags\":[\"a\"]");
    String other = host.listSession("\"b\"");
    assertDone(host.update(unlisted, "\"metadata\":1"));
    assertDone(host.update(other, "\"tags\":[]"));
    assertDone(host.closeSession(unlisted));
    assertDone(host.closeSession(other));
    String last = host.listSession("\"a\"");
    assertTold(list.next(), "add", last);
  }

  @Test
  @Tag("L16")
  @Tag("L20")
  @DisplayName("A client that replays a list stream holds the true list.")
  void aReplayEndsInTheTrueList() {
    client(ServerSettings.of("sessionRate", "0"));
    List<WireSession> sessions = new ArrayList<>();
    List<SseStream> lists = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      lists.add(client().watch("?filter=a,!b"));
      churn(sessions);
    }
    assertEndInTheTrueList(lists);
  }

  @Test
  @Tag("L16")
  @Tag("L20")
  @DisplayName("A client that reads the changes late holds the true list too.")
  void aLateReplayEndsInTheTrueList() {
    client(ServerSettings.of("sessionRate", "0"));
    List<WireSession> sessions = manyLargeSessions();
    SseStream late = openStalledStream("/list?filter=a,!b");
    churn(sessions);
    churn(sessions);
    assertEndInTheTrueList(List.of(late));
  }

  /** Creates, updates and closes sessions at random, but the same ones in each run. */
  private void churn(List<WireSession> sessions) {
    Random random = new Random(sessions.size());
    WireChannel newcomer = client().openChannel();
    for (int i = 0; i < 150; i++) {
      String tags =
          List.of("[]", "[\"a\"]", "[\"b\",\"a\"]", "[\"b\"]", "[\"a\",\"c\"]")
              .get(random.nextInt(5));
      String members =
          "\"tags\":" + tags + ",\"list\":" + (random.nextInt(4) > 0) + ",\"metadata\":" + i;
      int what = random.nextInt(4);
      if (sessions.size() < 10 || what == 0) {
        sessions.add(new WireSession(newcomer, newcomer.createSession(members)));
        continue;
      }
      int which = random.nextInt(sessions.size());
      WireSession session = sessions.get(which);
      if (what == 1) {
        sessions.remove(which);
        assertDone(session.host().closeSession(session.sid()));
      } else {
        assertDone(session.host().update(session.sid(), members));
      }
    }
  }

  private void assertEndInTheTrueList(List<SseStream> lists) {
    String end = client().openChannel().listSession("\"a\"");
    Map<String, JsonElement> truth = wholeList("?filter=a,!b");
    for (SseStream list : lists) {
      assertThat(replay(list, end)).containsExactlyInAnyOrderEntriesOf(truth);
    }
  }

  @Test
  @Tag("L21")
  @DisplayName("A stream ignores limit and after, but no other parameters.")
  void pagingIsIgnored() {
    WireChannel host = client().openChannel();
    host.listSession("\"a\"");
    host.listSession("\"a\"");
    SseStream list = client().watch("?limit=1&after=x&limit=0&filter=a");
    assertThat(data(list.await("ready")).get("count").getAsInt()).isEqualTo(2);
    String accept = "Accept: text/event-stream";
    assertRefused(client().get("/list?foo=1", accept), 400, "invalid_request", "foo");
    assertRefused(client().get("/list?filter=!", accept), 400, "invalid_filter");
    assertRefused(client().get("/list?filter=a&filter=a", accept), 400, "invalid_filter");
  }

  @Test
  @Tag("L22")
  @DisplayName("A list stream is a stream: its headers, its heartbeat, no ids.")
  void aListStreamIsAStream() {
    client(ServerSettings.of("heartbeat", "200ms"));
    client().openChannel().listSession("");
    SseStream list = client().watch("", "Accept-Encoding: gzip");
    assertThat(list.head().headerList("Cache-Control"))
        .containsExactlyInAnyOrder("no-store", "no-transform");
    assertThat(list.head().header("X-Accel-Buffering")).isEqualTo("no");
    assertThat(list.head().header("Content-Length")).isNull();
    assertThat(list.head().header("Content-Encoding")).isNull();
    list.awaitComments(2);
    assertThat(list.events()).hasSize(2).allMatch(event -> event.lastEventId().isEmpty());
    assertThat(list.ignored()).isEmpty();
  }

  @Test
  @Tag("L22")
  @DisplayName("A list stream whose bytes the network does not take is given up.")
  void aStalledListIsGivenUp() {
    client(
        ServerSettings.of("writeTimeout", "500ms")
            .and("heartbeat", "200ms")
            .and("maxWatches", 1)
            .and("sessionRate", "0"));
    manyLargeSessions();
    openStalledStream("/list");
    String accept = "Accept: text/event-stream";
    assertRefused(client().get("/list?filter=a", accept), 503, "at_capacity");
    awaitAdmitted("/list?filter=a");
  }

  private static void assertTold(Event event, String name, String sid) {
    assertThat(event.name()).as("%s", event).isEqualTo(name);
    assertThat(data(event).get("sid").getAsString()).isEqualTo(sid);
  }

  private static void assertReady(Event event, int count) {
    assertThat(event.name()).as("%s", event).isEqualTo("ready");
    assertThat(event.lastEventId()).isEmpty();
    assertThat(data(event).get("count").getAsInt()).isEqualTo(count);
  }

  /**
   * Returns the list of a client that has replayed a stream until it is ready and has a session.
   */
  private static Map<String, JsonElement> replay(SseStream list, @Nullable String end) {
    Map<String, JsonElement> held = new LinkedHashMap<>();
    boolean ready = false;
    while (!ready || (end != null && !held.containsKey(end))) {
      Event event = list.next();
      JsonObject data = data(event);
      switch (event.name()) {
        case "add" -> held.put(data.get("sid").getAsString(), data.get("session"));
        case "remove" ->
            assertThat(held.remove(data.get("sid").getAsString())).as("%s", event).isNotNull();
        default -> {
          assertReady(event, held.size());
          ready = true;
        }
      }
    }
    return held;
  }
}
