package io.peerbroker.core;

import static io.peerbroker.core.RefusalAssert.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.peerbroker.core.Refusal.Code;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The list in pages (L1, L10 to L14). */
final class PageTest {

  private final Broker broker = Broker.builder().sessionRate(Limits.Rate.UNLIMITED).build();
  private final Party party = new Party(broker);

  @AfterEach
  void close() {
    broker.close();
  }

  private List<String> read(TagFilter filter, int limit, Consumer<Page> between) {
    List<String> ids = new ArrayList<>();
    String after = null;
    do {
      Page page = broker.list(filter, limit, after);
      assertThat(page.sessions()).hasSizeLessThanOrEqualTo(limit);
      page.sessions().forEach(session -> ids.add(session.id()));
      assertThat(ids).as("a list that ends").hasSizeLessThan(1_000);
      between.accept(page);
      after = page.next();
    } while (after != null);
    return ids;
  }

  @Test
  void showsTheListedOnesThatPassInOrderOfCreation() {
    Session a = party.host("a");
    party.channel.openSession(SessionSpec.unlisted("a"));
    Session ab = party.host("a", "b");
    Session b = party.host("b");
    a.update(SessionUpdate.nothing().withMetadata(Json.parse("1.0")));
    assertThat(broker.list(TagFilter.all()))
        .isEqualTo(
            new Page(
                List.of(
                    new ListedSession(a.id(), List.of("a"), Json.parse("1.0")),
                    new ListedSession(ab.id(), List.of("a", "b"), Json.NULL),
                    new ListedSession(b.id(), List.of("b"), Json.NULL)),
                null));
    assertThat(read(TagFilter.parse("a"), 10, page -> {})).containsExactly(a.id(), ab.id());
    assertThat(read(TagFilter.parse("a,!b"), 10, page -> {})).containsExactly(a.id());
    assertThat(read(TagFilter.parse("a,!a"), 10, page -> {})).isEmpty();
  }

  @Test
  @DisplayName("A session that is listed again appears at its old position.")
  void aSessionReturnsToItsOldPlace() {
    Session first = party.host("a");
    Session second = party.host("a");
    first.update(SessionUpdate.nothing().withListed(false));
    assertThat(read(TagFilter.all(), 10, page -> {})).containsExactly(second.id());
    first.update(SessionUpdate.nothing().withListed(true));
    assertThat(read(TagFilter.all(), 10, page -> {})).containsExactly(first.id(), second.id());
  }

  @Test
  void leadsOnWhileThereIsMoreAndNoFurther() {
    List<String> all = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      all.add(party.host("a").id());
      party.host("b");
    }
    TagFilter filter = TagFilter.parse("a");
    for (int limit = 1; limit <= 5; limit++) {
      List<Integer> sizes = new ArrayList<>();
      assertThat(read(filter, limit, page -> sizes.add(page.sessions().size()))).isEqualTo(all);
      assertThat(sizes).hasSize((4 + limit - 1) / limit).doesNotContain(0);
    }
  }

  @Test
  @DisplayName("All pages together show each session that was there all the time exactly once.")
  void allPagesShowEachLastingSessionOnce() {
    List<Session> going = new ArrayList<>();
    List<String> staying = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      going.add(party.host("a"));
      staying.add(party.host("a").id());
    }
    List<String> seen =
        read(
            TagFilter.all(),
            3,
            page -> {
              // The last session of the page goes if it can: the cursor then names one that is
              // gone.
              String last = page.sessions().get(page.sessions().size() - 1).id();
              going.stream().filter(session -> session.id().equals(last)).forEach(Session::close);
              if (party.channel.sessions().size() < 60) {
                party.host("new");
              }
              party.channel.session(staying.get(0)).update(SessionUpdate.nothing().withTags("x"));
            });
    assertThat(seen).doesNotHaveDuplicates().containsSubsequence(staying);
  }

  @Test
  void endsBeforeItIsLargerThanAMebibyteAsJson() {
    // The tags that take the most room.
    List<String> tags = new ArrayList<>();
    for (int i = 0; i < 32; i++) {
      tags.add(i + "\u2028\"\\é".repeat(15) + "x");
    }
    Json metadata = Json.of("x".repeat(16_000));
    for (int i = 0; i < 64; i++) {
      party.channel.openSession(new SessionSpec(tags, true, metadata));
    }
    Party other = new Party(broker);
    for (int i = 0; i < 64; i++) {
      other.channel.openSession(new SessionSpec(List.of(), true, metadata));
    }
    List<Integer> sizes = new ArrayList<>();
    assertThat(read(TagFilter.all(), 1_000, page -> sizes.add(json(page).length))).hasSize(128);
    assertThat(sizes).hasSizeBetween(2, 3).allMatch(size -> size <= Page.MAX_BYTES);
  }

  private static byte[] json(Page page) {
    JsonArray array = new JsonArray();
    for (ListedSession listed : page.sessions()) {
      JsonObject session = new JsonObject();
      session.add("tags", Json.of(listed.tags()).toElement());
      session.add("metadata", listed.metadata().toElement());
      JsonObject entry = new JsonObject();
      entry.addProperty("sid", listed.id());
      entry.add("session", session);
      array.add(entry);
    }
    return Json.of(array).toString().getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void takesALimitInItsRangeAndACursorOfItsOwn() {
    party.host("a");
    TagFilter all = TagFilter.all();
    assertThat(broker.list(all, Page.MAX_LIMIT, null).sessions()).hasSize(1);
    for (int limit : new int[] {0, -1, Page.MAX_LIMIT + 1, Integer.MAX_VALUE}) {
      assertRefused(() -> broker.list(all, limit, null), Code.INVALID_REQUEST).contains("'limit'");
    }
    for (String after :
        new String[] {"", "0", "-1", "x", "+1", "01", " 1", "\u0661", "9223372036854775808"}) {
      assertRefused(() -> broker.list(all, 1, after), Code.INVALID_REQUEST).contains("'after'");
    }
  }
}
