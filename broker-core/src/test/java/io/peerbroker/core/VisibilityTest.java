package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Pages and watches that the application restricts. */
final class VisibilityTest {

  /** Room for 32 bytes for each 64 sessions of 640 in a row. */
  private static final int REMEMBERED = 10 * 32;

  private final LocalBroker broker =
      (LocalBroker)
          Broker.builder()
              // Slow readers read on when the broker has gone.
              .drainTimeout(Duration.ZERO)
              .listPause(Duration.ZERO)
              .maxTotalWatchBytes(REMEMBERED * 16)
              .sessionRate(Limits.Rate.UNLIMITED)
              .maxSessionsPerChannel(20_000)
              .build();
  @RegisterExtension final BrokerLog log = new BrokerLog();

  private final Party party = new Party(broker);
  private final Replay replay = new Replay();
  private final ManualExecutor hands = new ManualExecutor();
  private final Set<String> hidden = new HashSet<>();
  private LocalWatch stream;

  @AfterEach
  void nothingIsLeft() {
    replay.assertNothingWrong();
    broker.close();
    hands.runAll();
    LeakAssert.assertNone(broker);
  }

  /** The visible sessions: all without a hidden tag. */
  private boolean shows(ListedSession session) {
    return session.tags().stream().noneMatch(hidden::contains);
  }

  private void watch(String filter, Predicate<ListedSession> visible) {
    stream =
        broker.watch(
            ParsedFilter.of(TagFilter.parse(filter)),
            visible,
            broker.streams.watches,
            broker.opener(replay, hands));
    hands.runAll();
  }

  private static SessionUpdate tags(String... tags) {
    return SessionUpdate.nothing().withTags(tags);
  }

  @Test
  void whatMayNotBeSeenIsNeverTold() {
    hidden.add("x");
    party.host("a");
    Session secret = party.host("a", "x");
    watch("a", this::shows);
    party.host("a", "x").close();
    Session other = party.host("a", "b");
    secret.update(tags("a", "x", "y"));
    secret.close();
    other.close();
    hands.runAll();
    assertThat(replay.told()).containsExactly("add [a]", "ready 1");
  }

  @Test
  void changesOfVisibilityAddAndRemove() {
    hidden.add("x");
    Session session = party.host("a", "x");
    watch("a", this::shows);
    session.update(tags("a"));
    hands.runAll();
    session.update(tags("a", "x"));
    hands.runAll();
    session.update(tags("a", "x", "y"));
    hands.runAll();
    session.update(tags("a", "y"));
    hands.runAll();
    session.close();
    hands.runAll();
    assertThat(replay.told())
        .containsExactly("ready 0", "add [a]", "remove [a]", "add [a, y]", "remove [a, y]");
  }

  @Test
  void aRightThatIsTakenAwayShowsAtTheNextChange() {
    Session session = party.host("a", "x");
    watch("a", this::shows);
    hidden.add("x");
    session.update(SessionUpdate.nothing().withMetadata(Json.of(1)));
    hands.runAll();
    assertThat(replay.told()).containsExactly("add [a, x]", "ready 1", "remove [a, x]");
  }

  @Test
  void whereMuchIsHiddenItGoesOnByItself() {
    hidden.add("x");
    try (LocalBroker large = (LocalBroker) Broker.builder().build()) {
      Party many = new Party(large);
      for (int i = 0; i < 2_500; i++) {
        many.host("x");
      }
      many.host("a");
      Replay seen = new Replay();
      LocalWatch list =
          large.watch(
              ParsedFilter.ALL, this::shows, large.streams.watches, large.opener(seen, hands));
      await()
          .untilAsserted(
              () -> {
                hands.runAll();
                assertThat(seen.told()).containsExactly("add [a]", "ready 1");
              });
      list.close();
      hands.runAll();
    }
  }

  @Test
  void askedAgainItTellsWhereTheAnswerDiffers() {
    party.host("a", "x");
    party.host("a", "y");
    party.host("a");
    party.host("b", "y");
    hidden.add("y");
    watch("a", this::shows);
    stream.recheck(session -> !session.tags().contains("x"));
    awaitTurn();
    assertThat(replay.told())
        .containsExactly("add [a, x]", "add [a]", "ready 2", "remove [a, x]", "add [a, y]");
    stream.recheck(session -> false);
    stream.recheck(session -> true);
    awaitTurn();
    await()
        .untilAsserted(
            () -> {
              hands.runAll();
              assertThat(replay.held()).hasSize(3);
            });
  }

  @Test
  void whatChangesWhileItIsAskedAgainEndsInTheTruth() {
    List<Session> sessions = new ArrayList<>();
    for (int i = 0; i < 90; i++) {
      sessions.add(party.host(i % 2 == 0 ? "x" : "y"));
    }
    hidden.add("x");
    watch("", this::shows);
    assertThat(replay.held()).hasSize(45);
    hidden.clear();
    hidden.add("y");
    stream.recheck(this::shows);
    await().until(() -> hands.waiting() > 0);
    Session brief = party.host("x");
    for (int i = 0; i < 10; i++) {
      if (hands.waiting() > 0) {
        hands.runOne();
      }
      sessions.get(i).close();
      sessions.get(89 - i).update(tags("z"));
    }
    brief.close();
    hands.runAll();
    assertThat(new HashSet<>(replay.held()))
        .isEqualTo(
            new HashSet<>(
                broker.list(TagFilter.all()).sessions().stream().filter(this::shows).toList()));
  }

  /** Lets the stream be woken by the broker, and read. */
  private void awaitTurn() {
    await().until(() -> hands.waiting() > 0);
    hands.runAll();
  }

  @Test
  void whatIsRememberedIsBounded() {
    for (int i = 0; i < 640 - 1; i++) {
      party.host("a");
    }
    watch("", this::shows);
    assertThat(replay.told()).endsWith("ready 639");
    assertThat(broker.directory.watchBytes.used()).isEqualTo(REMEMBERED);
    party.host("a");
    hands.runAll();
    assertThat(replay.closed()).isEqualTo(CloseReason.OVERFLOW);
    // This does not happen again and again.
    assertThatThrownBy(() -> watch("", this::shows))
        .isInstanceOfSatisfying(
            RefusedException.class,
            refused -> assertThat(refused.refusal().code()).isEqualTo(Refusal.Code.AT_CAPACITY));
    assertThat(broker.stats().watches()).isZero();
    // Few of the sessions are visible, and they are found by a tag.
    party.host("b");
    Replay narrower = new Replay();
    broker.watch(
        ParsedFilter.of(TagFilter.parse("b")),
        this::shows,
        broker.streams.watches,
        broker.opener(narrower, hands));
    hands.runAll();
    assertThat(narrower.told()).containsExactly("add [b]", "ready 1");
  }

  @Test
  void hundredThousandSessionsTakeHalfAByteEach() {
    Postings told = new Postings();
    for (int i = 1; i <= 100_000; i++) {
      told.add(i);
    }
    assertThat(told.bytes()).isLessThan(100_000 / 2 + 64);
    for (int i = 1; i <= 100_000; i++) {
      assertThat(told.contains(i)).isTrue();
      told.remove(i);
      assertThat(told.contains(i)).isFalse();
    }
    assertThat(told.bytes()).isZero();
  }

  @Test
  void whatFailsHidesAndIsSaidOnce() {
    party.host("a");
    party.host("b");
    AssertionError planted = new AssertionError("planted");
    Predicate<ListedSession> failing =
        session -> {
          throw planted;
        };
    watch("", failing);
    assertThat(replay.told()).containsExactly("ready 0");
    log.assertSize(1);
    assertThat(broker.directory.search.page(ParsedFilter.ALL, failing, 10, ListPosition.START))
        .isEqualTo(new Page(List.of(), null));
    log.assertSize(2);
    log.assertHas(planted);
  }

  @Test
  void aPageAsksOfSoManyAndLeadsOn() {
    for (int i = 0; i < 10_010; i++) {
      party.host(i == 10_005 ? "seen" : "hidden");
    }
    hidden.add("hidden");
    Page first =
        broker.directory.search.page(ParsedFilter.ALL, this::shows, 10, ListPosition.START);
    assertThat(first.sessions()).isEmpty();
    assertThat(first.next()).isNotNull();
    Page second =
        broker.directory.search.page(
            ParsedFilter.ALL, this::shows, 10, broker.directory.search.pageStart(10, first.next()));
    assertThat(second.sessions()).singleElement().matches(this::shows);
    assertThat(second.next()).isNull();
  }
}
