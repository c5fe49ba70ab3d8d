package io.peerbroker.core;

import static org.assertj.core.api.Assertions.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.COLLECTION;
import static org.awaitility.Awaitility.await;

import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * A log that reads its feed late: a note beside the feed holds at its place, however much has come
 * behind it before a reader looks.
 */
final class ChangeLogTest {

  private static final List<String> TAGS = List.of("a");

  private final LocalBroker broker = (LocalBroker) Broker.create();
  private final LocalSession session = (LocalSession) new Party(broker).host("a");
  private final ChangeBudget budget = new ChangeBudget(1 << 20);
  private final ChangeFeed feed = new ChangeFeed(budget);
  private final ChangeLog log =
      new ChangeLog(broker.limits(), budget, ParsedFilter.of(TagFilter.parse("a,!b")), feed);

  @AfterEach
  void close() {
    broker.close();
  }

  private SessionChange change(List<String> before, List<String> after) {
    SessionChange change =
        new SessionChange(session.ref, before, after, Envelope.removed(session.id()));
    feed.append(feed.prepare(change), change);
    return change;
  }

  @Test
  void aMarkStandsWhereItWasMade() {
    ChangeLog.Cursor place = log.open(false);
    SessionChange before = change(null, TAGS);
    place.mark();
    SessionChange behind = change(TAGS, TAGS);
    assertThat(place.isBeforeMark()).isTrue();
    assertThat(place.next()).isSameAs(before);
    assertThat(place.tookBeforeMark()).isTrue();
    assertThat(place.next()).isSameAs(behind);
    assertThat(place.tookBeforeMark()).isFalse();
    assertThat(place.next()).isNull();
  }

  @Test
  @DisplayName(
      "Changes that cancel out are folded away, unless a cursor that looks ahead was opened between"
          + " them.")
  void cancelledChangesAreFoldedAway() {
    ChangeLog.Cursor place = log.open(false);
    change(null, TAGS);
    change(TAGS, null);
    assertThat(place.next()).isNull();
    change(null, TAGS);
    ChangeLog.Cursor ahead = log.open(true);
    SessionChange removal = change(TAGS, null);
    assertThat(place.next()).extracting(SessionChange::now).isSameAs(removal.now());
    ahead.close();
  }

  @Test
  void tagsThatTheFilterDoesNotPassAreNotShown() {
    ChangeLog.Cursor place = log.open(false);
    change(List.of("a", "b"), List.of("a", "b", "c"));
    assertThat(place.next()).isNull();
    assertThat(log.takeNews()).isFalse();
    change(List.of("a", "b", "c"), TAGS);
    assertThat(log.catchUp()).isEqualTo(1);
    assertThat(log.takeNews()).isTrue();
    assertThat(log.takeNews()).isFalse();
    assertThat(place.next()).matches(seen -> seen.before() == null && TAGS.equals(seen.after()));
    change(TAGS, List.of("b"));
    assertThat(place.next())
        .matches(
            seen ->
                seen.after() == null
                    && seen.now().event() instanceof Event.Removed
                    && TAGS.equals(seen.before()));
  }

  @Test
  @DisplayName("A cursor that is closed before the log has reached it leaves nothing.")
  void aPlaceReturnedEarlyLeavesNothing() {
    ChangeLog.Cursor place = log.open(true);
    place.mark();
    place.close();
    place.close();
    assertThat(place.next()).isNull();
    assertThat(place.isBeforeMark()).isFalse();
    // No reader looks ahead: changes that cancel each other go.
    change(null, TAGS);
    change(TAGS, null);
    assertThat(log.catchUp()).isEqualTo(2);
    assertThat(log.events()).isZero();
  }

  @Test
  @DisplayName("The notes of closed cursors do not pile up while nothing changes.")
  void notesOfReturnedPlacesDoNotPileUp() {
    ChangeLog.Cursor idle = log.open(false);
    for (int i = 0; i < 1_000; i++) {
      log.open(true).close();
      ChangeLog.Cursor place = log.open(false);
      assertThat(place.next()).isNull();
      place.mark();
      place.close();
    }
    assertThat(log).extracting("notes", as(COLLECTION)).isEmpty();
    idle.close();
  }

  @Test
  void aLogThatIsClosedTakesNothingIn() {
    change(null, TAGS);
    assertThat(log.catchUp()).isEqualTo(1);
    log.close();
    change(TAGS, TAGS);
    assertThat(log.catchUp()).isEqualTo(1);
    feed.passed(feed.end());
    assertThat(budget.used()).isZero();
  }

  @Test
  void theLastChangeThatAllHaveLookedAtIsNotKept() {
    WeakReference<Envelope> last = new WeakReference<>(change(null, List.of("x")).now());
    assertThat(log.catchUp()).isEqualTo(1);
    feed.passed(feed.end());
    await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () -> {
              System.gc();
              return last.get() == null;
            });
    assertThat(budget.used()).isZero();
  }
}
