package io.peerbroker.tck;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.peerbroker.tck.EventStreamParser.Event;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules of section A: the application decides who may do what, here {@link KitPolicy}. */
public abstract class AdmissionRules extends ServerRules {

  private static final String STRANGER = KitPolicy.HEADER + ": stranger";
  private static final String BROKEN = KitPolicy.HEADER + ": broken";
  private static final String STREAM = "Accept: text/event-stream";
  private static final String NOBODY = "0198c7d2-51c3-7a40-9d27-6f2f30a1c0de";

  /** For subclasses. */
  protected AdmissionRules() {}

  private static String tenant(String name) {
    return KitPolicy.HEADER + ": " + name;
  }

  private WireClient withPolicy() {
    return client(ServerSettings.DEFAULTS.withPolicy());
  }

  /**
   * All that a policy is asked about, tried by another caller than the one that opened the channel.
   */
  private List<WireResponse> everything(WireChannel channel, String sid, String header) {
    String sends = channel.sendBody("1");
    String hosts = "{\"cid\":\"%s\",\"key\":\"%s\"".formatted(channel.cid(), channel.key());
    String updates = hosts + ",\"values\":{\"tags\":[\"b\"]}}";
    String watches = "{\"key\":\"%s\",\"watch\":\"x\"}".formatted(channel.key());
    return List.of(
        client().get("/channel", header, STREAM),
        client().get("/list", header),
        client().get("/list", header, STREAM),
        client().postJson("/channel/" + channel.cid() + "/watch", watches, header),
        client().postJson("/session", hosts + ",\"list\":true,\"tags\":[\"b\"]}", header),
        client().postJson("/session/" + sid + "/update", updates, header),
        client().postJson("/send/" + channel.cid(), sends, header));
  }

  @Test
  @Tag("A1")
  @Tag("E3")
  @DisplayName("A caller that the application refuses gets denied, and nothing has happened.")
  void whoIsRefusedDoesNothing() {
    WireChannel channel = withPolicy().openChannel();
    String sid = channel.listSession("\"a\"");
    for (WireResponse response : everything(channel, sid, STRANGER)) {
      assertRefused(response, 403, "denied", "Strangers may do nothing here.");
    }
    assertUntouched(channel, sid);
  }

  private void assertUntouched(WireChannel channel, String sid) {
    assertThat(listed("?filter=a,!b")).containsExactly(sid);
    assertThat(listed("")).containsExactly(sid);
    assertSent(channel.send(channel.cid(), "2"));
    assertThat(channel.awaitMessage().get("message").getAsInt()).isEqualTo(2);
  }

  @Test
  @Tag("H17")
  @DisplayName("The client is for everybody: no policy is asked about it.")
  void theClientIsForEverybody() {
    withPolicy();
    for (String header : List.of(STRANGER, BROKEN)) {
      assertThat(client().get("/client.js", header).status()).as(header).isEqualTo(200);
    }
  }

  @Test
  @Tag("A1")
  @Tag("H4")
  @DisplayName("HEAD is refused as GET is.")
  void headIsRefused() {
    withPolicy();
    for (String path : List.of("/channel", "/list")) {
      for (String accept : List.of(STREAM, "Accept: */*")) {
        assertThat(client().request("HEAD", path, accept, STRANGER).status()).isEqualTo(403);
        assertThat(client().request("HEAD", path, accept).status()).isEqualTo(200);
      }
    }
  }

  @Test
  @Tag("A1")
  @Tag("E13")
  @DisplayName("The application's other refusals pass through unchanged.")
  void otherRefusalsAreTold() {
    WireChannel channel = withPolicy().openChannel();
    String sid = channel.listSession("\"a\"");
    for (WireResponse response : everything(channel, sid, KitPolicy.HEADER + ": later")) {
      assertRefused(response, 429, "rate_limited", "Not yet.");
      assertThat(response.header("Retry-After")).isEqualTo("7");
    }
  }

  @Test
  @Tag("A1")
  @Tag("A6")
  @DisplayName("The word may come as a cookie or as a parameter of the query too.")
  void wordsComeInCookiesAndQueries() {
    withPolicy();
    String cookie = "Cookie: a=\"b c\", d; =; {}; word=stranger; word=x";
    for (String accept : List.of(STREAM, "Accept: */*")) {
      for (String path : List.of("/channel", "/list")) {
        assertRefused(client().get(path, accept, cookie), 403, "denied");
        assertRefused(client().get(path + "?access_token=str%61nger", accept), 403, "denied");
        assertRefused(
            client().get(path + "?access_token=a&access_token=b", accept), 400, "invalid_request");
      }
    }
    assertThat(sids(client().get("/list?access_token=a&filter=b"))).isEmpty();
    assertThat(client().get("/list?access_tokens=a").status()).isEqualTo(400);
    client().watch("?access_token=a");
  }

  @Test
  @Tag("A6")
  @DisplayName("The way to the next page does not repeat the parameter.")
  void theNextPageDoesNotRepeatTheParameter() {
    WireChannel channel = withPolicy().openChannel();
    channel.listSession("\"a\"");
    channel.listSession("\"a\"");
    assertThat(nextPage(client().get("/list?limit=1&access_token=")))
        .startsWith("?limit=1&after=")
        .doesNotContain("access_token");
  }

  @Test
  @Tag("A2")
  @Tag("E4")
  @DisplayName("The application is asked after the key and before the target.")
  void theOrderOfTheChecks() {
    WireChannel channel = withPolicy().openChannel();
    String sid = channel.createSession("");
    WireChannel other = client().openChannel();
    String wrong = "{\"%s\":\"%s\",\"key\":\"x\",\"message\":1,\"values\":{}}";
    String update = "/session/" + sid + "/update";
    for (String broken : List.of(STRANGER, BROKEN)) {
      String cid = wrong.formatted("cid", channel.cid());
      assertRefused(client().postJson("/session", cid, broken), 403, "wrong_key");
      assertRefused(client().postJson(update, cid, broken), 403, "wrong_key");
      String origin = wrong.formatted("origin", channel.cid());
      assertRefused(client().postJson("/send/x", origin, broken), 403, "wrong_key");
      assertRefused(client().get("/channel?resume=x", broken), 400, "invalid_request");
      assertRefused(client().get("/list?limit=0", broken), 400, "invalid_request");
    }
    String send = channel.sendBody("1");
    assertRefused(client().postJson("/send/" + NOBODY, send), 404, "unknown_target");
    assertRefused(client().postJson("/send/" + NOBODY, send, STRANGER), 403, "denied");
    String values = "{\"cid\":\"%s\",\"key\":\"%s\",\"values\":{}}";
    String own = values.formatted(channel.cid(), channel.key());
    String notOwn = values.formatted(other.cid(), other.key());
    String unknown = "/session/" + NOBODY + "/update";
    assertRefused(client().postJson(update, own, STRANGER), 403, "denied");
    assertRefused(client().postJson(unknown, own, STRANGER), 404, "unknown_session");
    assertRefused(client().postJson(update, notOwn, STRANGER), 403, "wrong_key");
  }

  @Test
  @Tag("A3")
  @DisplayName("The application's settings on a session stand, regardless of the client.")
  void tagsOfTheApplicationStand() {
    WireChannel channel = withPolicy().openChannel();
    String self = "{\"cid\":\"%s\",\"key\":\"%s\",".formatted(channel.cid(), channel.key());
    String tags = "\"tags\":[\"tenant:bob\",\"a\"]";
    WireResponse hosted =
        client().postJson("/session", self + "\"list\":true," + tags + "}", tenant("ada"));
    String sid = hosted.member("sid");
    assertThat(tagsOf(client().get("/list"))).containsExactly("a", "tenant:ada");
    String update = "/session/" + sid + "/update";
    String values = self + "\"values\":{" + tags + "}}";
    assertDone(client().postJson(update, values, tenant("eve")));
    assertThat(tagsOf(client().get("/list"))).containsExactly("a", "tenant:eve");
    List<String> many = new ArrayList<>();
    for (int i = 0; i < 32; i++) {
      many.add("\"tag" + i + "\"");
    }
    String full = self + "\"list\":true,\"tags\":[" + String.join(",", many) + "]}";
    assertRefused(
        client().postJson("/session", full, tenant("ada")), 400, "invalid_request", "tags");
    assertThat(client().postJson("/session", full).status()).isEqualTo(201);
  }

  private static List<String> tagsOf(WireResponse list) {
    JsonObject session = list.json().getAsJsonArray().get(0).getAsJsonObject();
    return session.getAsJsonObject("session").getAsJsonArray("tags").asList().stream()
        .map(JsonElement::getAsString)
        .toList();
  }

  @Test
  @Tag("A4")
  @DisplayName("A list shows what its caller may see, for any filter.")
  void listsAreNarrowed() {
    WireChannel channel = withPolicy().openChannel();
    String ofAda = host(channel, "\"a\"", "ada");
    host(channel, "\"a\"", "bob");
    host(channel, "\"a\",\"hidden\"", "ada");
    for (String query : List.of("", "?filter=a", "?filter=tenant:ada", "?limit=1")) {
      assertThat(sids(client().get("/list" + query, tenant("ada")))).containsExactly(ofAda);
    }
    for (String query : List.of("?filter=tenant:bob", "?filter=!tenant:ada", "?filter=hidden")) {
      assertThat(sids(client().get("/list" + query, tenant("ada")))).isEmpty();
    }
    assertThat(listed("")).hasSize(2);
  }

  private String host(WireChannel channel, String tags, String tenant) {
    String body =
        "{\"cid\":\"%s\",\"key\":\"%s\",\"list\":true,\"tags\":[%s]}"
            .formatted(channel.cid(), channel.key(), tags);
    return client().postJson("/session", body, tenant(tenant)).member("sid");
  }

  @Test
  @Tag("A4")
  @DisplayName("A list stream never shows what its caller may not see.")
  void listStreamsAreNarrowed() {
    WireChannel channel = withPolicy().openChannel();
    host(channel, "\"a\"", "bob");
    host(channel, "\"hidden\"", "ada");
    String first = host(channel, "\"a\"", "ada");
    SseStream stream = client().watch("", tenant("ada"));
    assertThat(WireChannel.data(stream.await("ready")).get("count").getAsInt()).isEqualTo(1);
    host(channel, "\"b\"", "bob");
    host(channel, "\"b\",\"hidden\"", "ada");
    String second = host(channel, "\"b\"", "ada");
    stream.await("add");
    // A session that becomes visible is added, and one that becomes hidden is removed.
    String self = "{\"cid\":\"%s\",\"key\":\"%s\",".formatted(channel.cid(), channel.key());
    String hide = self + "\"values\":{\"tags\":[\"hidden\"]}}";
    assertDone(client().postJson("/session/" + first + "/update", hide, tenant("ada")));
    assertDone(client().postJson("/session/" + second + "/update", hide, tenant("bob")));
    stream.await("remove");
    stream.await("remove");
    List<String> told = new ArrayList<>();
    for (Event event : stream.events()) {
      String sid =
          event.name().equals("ready") ? "" : WireChannel.data(event).get("sid").getAsString();
      told.add(event.name() + " " + sid);
    }
    assertThat(told)
        .containsExactly(
            "add " + first, "ready ", "add " + second, "remove " + first, "remove " + second);
  }

  @Test
  @Tag("A5")
  @Tag("E12")
  @DisplayName("An application that fails permits nothing, and nothing of the failure is revealed.")
  void failuresPermitNothing() {
    WireChannel channel = withPolicy().openChannel();
    String sid = channel.listSession("\"a\"");
    for (WireResponse response : everything(channel, sid, BROKEN)) {
      assertRefused(response, 500, "internal");
      assertThat(response.body())
          .doesNotContain("swordfish")
          .doesNotContain("broken")
          .doesNotContain("KitPolicy");
    }
    assertUntouched(channel, sid);
  }

  @Test
  @Tag("A7")
  @DisplayName("A client that may not come back is refused, and the channel waits on.")
  void whoMayNotComeBackLeavesTheChannelWaiting() {
    WireChannel channel = withPolicy().openChannelAt("/channel?resume=60");
    String seen = "Last-Event-ID: " + channel.stream().lastEventId();
    assertRefused(client().get("/channel", seen, STRANGER), 403, "denied");
    assertSent(channel.send(channel.cid(), "1"));
    assertThat(channel.awaitMessage().get("message").getAsInt()).isEqualTo(1);
    channel.stream().close();
    assertRefused(client().get("/channel", seen, STRANGER), 403, "denied");
    WireResponse delivery = channel.send(channel.cid(), "2");
    assertThat(delivery.status()).isEqualTo(200);
    SseStream back = channel.comeBack();
    assertThat(WireChannel.data(back.await("message")).get("message").getAsInt()).isEqualTo(2);
  }
}
