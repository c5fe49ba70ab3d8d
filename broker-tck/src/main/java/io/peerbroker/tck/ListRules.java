package io.peerbroker.tck;

import static com.google.gson.JsonParser.parseString;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules of section L for filters, and for the list as JSON. */
public abstract class ListRules extends ServerRules {

  /** For subclasses. */
  protected ListRules() {}

  @Test
  @Tag("L1")
  @Tag("L2")
  @Tag("L5")
  @DisplayName("A filter names tags that must be there, and tags that must not.")
  void aFilterChooses() {
    WireChannel host = client().openChannel();
    String none = host.listSession("");
    String a = host.listSession("\"a\"");
    String ab = host.listSession("\"a\",\"b\"");
    String upper = host.listSession("\"A\"");
    host.createSession("\"tags\":[\"a\",\"b\"]");
    assertThat(listed("?filter=a")).containsExactly(a, ab);
    assertThat(listed("?filter=a,b")).containsExactly(ab);
    assertThat(listed("?filter=b,a,b")).containsExactly(ab);
    assertThat(listed("?filter=a,!b")).containsExactly(a);
    assertThat(listed("?filter=!a")).containsExactly(none, upper);
    assertThat(listed("?filter=!a,!A")).containsExactly(none);
    assertThat(listed("?filter=c")).isEmpty();
    assertThat(listed("?filter=a,!a")).isEmpty();
  }

  @Test
  @Tag("L3")
  @DisplayName("No filter, an empty one and a blank one pass every listed session.")
  void noFilterPassesAll() {
    WireChannel host = client().openChannel();
    List<String> sids = List.of(host.listSession(""), host.listSession("\"a\""));
    for (String query : List.of("", "?", "?filter", "?filter=", "?filter=+%20%09", "?&&filter=&")) {
      assertThat(listed(query)).as(query).isEqualTo(sids);
    }
  }

  @Test
  @Tag("L4")
  @Tag("L7")
  @DisplayName("Terms are decoded as a form's are, then trimmed.")
  void termsAreDecodedAndTrimmed() {
    WireChannel host = client().openChannel();
    String spaced = host.listSession("\"a b\"");
    String accent = host.listSession("\"\\u00e9\\ud83d\\ude00\"");
    String plus = host.listSession("\"c+&=;\"");
    assertThat(listed("?filter=a+b")).containsExactly(spaced);
    assertThat(listed("?filter=%20a%20b%c2%a0,%E3%80%80!%20%C3%A9%F0%9F%98%80"))
        .containsExactly(spaced);
    assertThat(listed("?filter=%C3%A9%F0%9f%98%80")).containsExactly(accent);
    assertThat(listed("?filter=c%2B%26%3D;")).containsExactly(plus);
    assertThat(listed("?%66ilter=c%2b%26=%3b")).containsExactly(plus);
    assertThat(listed("?filter=%21a%20b%2C%21%C3%A9%F0%9F%98%80")).containsExactly(plus);
  }

  @Test
  @Tag("L6")
  @Tag("L7")
  @DisplayName("A malformed filter is refused.")
  void malformedFiltersAreRefused() {
    String sixtyFour = "%F0%9F%98%80".repeat(64);
    assertThat(listed("?filter=%20" + sixtyFour + "%20,!" + sixtyFour)).isEmpty();
    String many = "a,".repeat(511) + "bb";
    assertThat(listed("?filter=" + many)).isEmpty();
    for (String filter :
        List.of(
            "a,,b",
            "a,",
            ",a",
            ",",
            "a,+,b",
            "!",
            "a,!",
            "!!a",
            "!+!a",
            "a%00",
            "a%0Ab",
            "a%7F",
            "a%C2%85b",
            sixtyFour + "a",
            "!" + sixtyFour + "a",
            many + "b",
            "a%C3",
            "%C0%80",
            "%ED%A0%80",
            "%FF",
            "a&filter=b",
            "a&filter=a")) {
      assertRefused(client().get("/list?filter=" + filter), 400, "invalid_filter");
    }
  }

  @Test
  @Tag("L7")
  @Tag("L14")
  @DisplayName("A malformed query is refused.")
  void malformedQueriesAreRefused() {
    for (String filter : List.of("%", "%4", "%zz")) {
      assertRefused(client().get("/list?filter=" + filter), 400, "invalid_filter");
    }
    assertRefused(client().get("/list?%zz=1"), 400, "invalid_request");
  }

  @Test
  @Tag("L8")
  @DisplayName("Accept chooses between JSON and a stream.")
  void acceptChooses() {
    for (String accept :
        List.of(
            "application/json",
            "*/*",
            "application/*",
            "text/event-stream, application/json",
            "text/event-stream;q=0.5, application/json;q=0.6",
            "text/html, */*;q=0.1",
            "text/event-stream;q=0, */*",
            "Application/JSON;charset=utf-8")) {
      assertThat(client().get("/list", "Accept: " + accept).mediaType())
          .as(accept)
          .isEqualTo("application/json");
    }
    assertThat(client().get("/list").mediaType()).isEqualTo("application/json");
    for (String accept :
        List.of(
            "text/event-stream;q=0.6, application/json;q=0.5",
            "text/*",
            "application/json;q=0, text/event-stream;q=0.001",
            "Text/Event-Stream")) {
      try (WireConnection connection = client().connect()) {
        connection.write(client().head("GET", "/list", "Accept: " + accept));
        assertThat(connection.readHead().mediaType()).as(accept).isEqualTo("text/event-stream");
      }
    }
    for (String accept : List.of("text/html", "application/json;q=0, text/plain", "*/*;q=0")) {
      assertRefused(client().get("/list", "Accept: " + accept), 406, "not_acceptable");
    }
  }

  @Test
  @Tag("L9")
  @DisplayName("The list as JSON shows sid, tags and metadata, and nothing else.")
  void theListShowsNothingElse() {
    WireChannel host = client().openChannel();
    assertThat(client().get("/list").json()).isEqualTo(parseString("[]"));
    String sid =
        host.createSession("\"list\":true,\"tags\":[\"b\",\"a\"],\"metadata\":{\"n\":[1]}");
    WireResponse response = client().get("/list");
    assertThat(response.status()).isEqualTo(200);
    assertThat(response.json())
        .isEqualTo(
            parseString(
                "[{\"sid\":\"%s\",\"session\":{\"tags\":[\"b\",\"a\"],\"metadata\":{\"n\":[1]}}}]"
                    .formatted(sid)));
  }

  @Test
  @Tag("L10")
  @DisplayName("The list is in order of creation, regardless of updates.")
  void theListIsInOrderOfCreation() {
    WireChannel host = client().openChannel();
    WireChannel other = client().openChannel();
    List<String> sids =
        IntStream.range(0, 20)
            .mapToObj(i -> (i % 3 == 0 ? other : host).createSession("\"list\":" + (i > 5)))
            .toList();
    for (int i = 19; i >= 0; i--) {
      assertDone((i % 3 == 0 ? other : host).update(sids.get(i), "\"list\":true,\"metadata\":1"));
    }
    assertThat(listed("")).isEqualTo(sids);
  }

  @Test
  @Tag("L11")
  @Tag("L12")
  @DisplayName("The limit cuts the list into pages, and Link leads through them.")
  void linksLeadThroughThePages() {
    WireChannel host = client().openChannel();
    List<String> sids = IntStream.range(0, 7).mapToObj(i -> host.listSession("\"a &\"")).toList();
    host.listSession("\"b\"");
    String query = "?filter=" + URLEncoder.encode("a &", StandardCharsets.UTF_8) + "&limit=";
    assertThat(pages(query + 3, null)).isEqualTo(sids);
    assertThat(pages(query + 1, null)).isEqualTo(sids);
    assertThat(pages(query + 7, null)).isEqualTo(sids);
    assertThat(pages(query + 10_000, null)).isEqualTo(sids);
    // The last session of the first page closes, and so does one that has not been shown yet.
    List<String> left = new ArrayList<>(sids);
    left.remove(5);
    Runnable meanwhile =
        () -> {
          assertDone(host.closeSession(sids.get(2)));
          assertDone(host.closeSession(sids.get(5)));
        };
    assertThat(pages(query + 3, meanwhile)).isEqualTo(left);
  }

  @Test
  @Tag("L11")
  @DisplayName("The default limit is 1000.")
  void theDefaultLimitIsAThousand() {
    WireClient client = client(ServerSettings.of("sessionRate", "0"));
    List<String> sids = new ArrayList<>();
    for (int i = 0; i < 17; i++) {
      WireChannel host = client.openChannel();
      IntStream.range(0, 59).forEach(j -> sids.add(host.listSession("")));
    }
    assertThat(listed("")).isEqualTo(sids.subList(0, 1_000));
    assertThat(pages("", null)).isEqualTo(sids);
    assertThat(listed("?limit=10000")).isEqualTo(sids);
  }

  @Test
  @Tag("L13")
  @DisplayName("An answer ends at 1 MiB.")
  void largeListsEndEarly() {
    String metadata = "\"list\":true,\"metadata\":\"" + "x".repeat(16_000) + "\"";
    List<String> sids = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      WireChannel host = client().openChannel();
      IntStream.range(0, 30).forEach(j -> sids.add(host.createSession(metadata)));
    }
    WireResponse first = client().get("/list");
    assertThat(first.body().length()).isBetween((1 << 20) - 32_000, (1 << 20) + 32_000);
    assertThat(pages("", null)).isEqualTo(sids);
  }

  @Test
  @Tag("L14")
  @Tag("L21")
  @Tag("C22")
  @DisplayName("A parameter that is there to get past a cache is ignored.")
  void aCacheBusterIsIgnored() {
    WireChannel channel = client().openChannelAt("/channel?_=1&_ts=2&r=3");
    String sid = channel.listSession("");
    assertThat(listed("?_=1700000000")).containsExactly(sid);
    assertThat(listed("?limit=1&_ts=1&_ts=2")).containsExactly(sid);
    client().watch("?_ts=1&filter=").await("ready");
    assertRefused(client().get("/list?ts=1"), 400, "invalid_request", "\"ts\"");
  }

  @Test
  @Tag("L14")
  @DisplayName("Other parameters, and those out of range, are refused.")
  void otherParametersAreRefused() {
    for (String limit :
        List.of("", "0", "-1", "+1", "10001", "99999999999999999999", "x", "1.0", "1,2")) {
      assertRefused(client().get("/list?limit=" + limit), 400, "invalid_request", "limit");
    }
    assertRefused(client().get("/list?limit=1&limit=1"), 400, "invalid_request", "limit");
    for (String after : List.of("", "x", "-1", "%00", "%C3", "1&after=1")) {
      assertRefused(client().get("/list?after=" + after), 400, "invalid_request", "after");
    }
    for (String name : List.of("foo", "Filter", "Limit", "tags", "callback")) {
      assertRefused(client().get("/list?" + name + "=1"), 400, "invalid_request", name);
      assertRefused(client().get("/list?filter=a&" + name), 400, "invalid_request", name);
    }
  }

  /**
   * Follows the links from a first query to the end; between the first page and the second it runs
   * a change.
   */
  private List<String> pages(String query, @Nullable Runnable meanwhile) {
    List<String> sids = new ArrayList<>();
    @Nullable String next = query;
    for (int page = 0; page < 100; page++) {
      WireResponse response = client().get("/list" + next);
      sids.addAll(sids(response));
      next = nextPage(response);
      if (next == null) {
        return sids;
      }
      if (page == 0 && meanwhile != null) {
        meanwhile.run();
      }
    }
    throw new AssertionError("The links lead on and on: " + next);
  }
}
