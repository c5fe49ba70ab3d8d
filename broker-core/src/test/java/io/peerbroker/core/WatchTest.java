package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The watch (L15 to L20), event by event. */
final class WatchTest {

  // Slow readers read on when the broker has gone.
  private final Broker broker =
      Broker.builder().listPause(Duration.ZERO).drainTimeout(Duration.ZERO).build();
  private final Party party = new Party(broker);
  private final ManualExecutor hands = new ManualExecutor();
  private final Replay replay = new Replay();

  @AfterEach
  void nothingIsLeft() {
    replay.assertNothingWrong();
    broker.close();
    hands.runAll();
    LeakAssert.assertNone(broker);
  }

  private Watch watch(String filter) {
    return broker.watch(TagFilter.parse(filter), replay, Runnable::run);
  }

  private Watch watchSlowly(String filter) {
    return broker.watch(TagFilter.parse(filter), replay, hands);
  }

  private static SessionUpdate tags(String... tags) {
    return SessionUpdate.nothing().withTags(tags);
  }

  @Test
  @Tag("L16")
  void anEmptyListIsReadyAtOnce() {
    watch("");
    assertThat(replay.told()).containsExactly("ready 0");
  }

  @Test
  @Tag("L15")
  void tellsWhatIsThereThenReadyThenChanges() {
    Session first = party.host("a");
    party.host("b");
    party.channel.openSession(SessionSpec.unlisted("a"));
    watch("a");
    Session third = party.host("a", "c");
    third.update(SessionUpdate.nothing().withMetadata(Json.of(1)));
    first.close();
    party.host("b");
    third.close();
    assertThat(replay.told())
        .containsExactly(
            "add [a]", "ready 1", "add [a, c]", "add [a, c]", "remove [a]", "remove [a, c]");
  }

  @Test
  @Tag("L17")
  void tellsOfSessionsThatCrossTheFilter() {
    Session session = party.host("b");
    watch("a,!x");
    session.update(tags("a"));
    session.update(tags("a", "x"));
    session.update(tags("a", "y"));
    session.update(SessionUpdate.nothing().withListed(false));
    session.update(tags("a", "z"));
    session.update(SessionUpdate.nothing().withListed(true));
    assertThat(replay.told())
        .containsExactly(
            "ready 0", "add [a]", "remove [a]", "add [a, y]", "remove [a, y]", "add [a, z]");
  }

  @Test
  @Tag("L19")
  void anUpdateThatChangesNothingIsNotTold() {
    Session session =
        party.channel.openSession(SessionSpec.listed("a", "b").withMetadata(Json.parse("1.0")));
    watch("");
    session.update(SessionUpdate.nothing());
    session.update(tags(" a", "b", "a").withListed(true).withMetadata(Json.parse(" 1.0 ")));
    assertThat(replay.told()).containsExactly("add [a, b]", "ready 1");
    session.update(SessionUpdate.nothing().withMetadata(Json.parse("1")));
    session.update(tags("b", "a"));
    assertThat(replay.told()).hasSize(4).endsWith("add [b, a]");
  }

  @Test
  void changesThatWaitBecomeOne() {
    Session session = party.host("a");
    watchSlowly("");
    hands.runAll();
    session.update(tags("b"));
    session.update(SessionUpdate.nothing().withListed(false));
    session.update(tags("c"));
    session.update(SessionUpdate.nothing().withListed(true));
    Session brief = party.host("brief");
    brief.close();
    hands.runAll();
    assertThat(replay.told()).containsExactly("add [a]", "ready 1", "add [c]");
  }

  @Test
  @Tag("L20")
  void whatWasNeverAddedIsNeverRemoved() {
    Session before = party.host("a");
    watchSlowly("");
    before.close();
    party.host("b").close();
    hands.runAll();
    assertThat(replay.told()).containsExactly("ready 0");
  }

  @Test
  void aListThatIsBeingReadAndChangedEndsInTheTruth() {
    Session[] sessions = new Session[5];
    for (int i = 0; i < sessions.length; i++) {
      sessions[i] = party.host("s" + i);
    }
    broker
        .gateway()
        .watch(
            TagFilter.all(),
            attachment ->
                new Transport() {
                  private int polled;

                  @Override
                  public void ready() {}

                  @Override
                  public void end(CloseReason reason) {}

                  {
                    // Between two polls, a session before the walk's position and one after it
                    // change.
                    poll(attachment);
                    poll(attachment);
                    sessions[0].update(tags("s0", "x"));
                    sessions[1].close();
                    sessions[3].close();
                    sessions[4].update(tags("s4", "x"));
                    party.host("new");
                    while (poll(attachment)) {
                      polled++;
                    }
                    assertThat(polled).isPositive();
                    attachment.detach(CloseReason.GONE);
                  }
                });
    assertThat(replay.held()).containsExactlyInAnyOrderElementsOf(list());
    assertThat(replay.isReady()).isTrue();
  }

  private boolean poll(Attachment attachment) {
    Envelope envelope = attachment.poll();
    if (envelope == null) {
      return false;
    }
    if (envelope.event() instanceof Event.Added added) {
      replay.added(added.session());
    } else if (envelope.event() instanceof Event.Removed removed) {
      replay.removed(removed.sid());
    } else if (envelope.event() instanceof Event.Ready ready) {
      replay.ready(ready.count());
    }
    attachment.consumed(1);
    return true;
  }

  private List<ListedSession> list() {
    return broker.list(TagFilter.all()).sessions();
  }

  @Test
  void aRemovalTellsTheEndOfAllSiblingsToo() {
    Session first = party.host("a");
    Session second = party.host("b");
    Party other = new Party(broker);
    broker.watch(
        TagFilter.parse("a"),
        new Watcher() {
          @Override
          public void added(ListedSession session) {}

          @Override
          public void removed(String sid) {
            replay.removed(sid);
            Party.assertRefused(other.send(first.id(), "1"), Refusal.Code.UNKNOWN_TARGET);
            Party.assertRefused(other.send(second.id(), "1"), Refusal.Code.UNKNOWN_TARGET);
            Party.assertRefused(other.send(party.id(), "1"), Refusal.Code.UNKNOWN_TARGET);
            assertThat(list()).isEmpty();
            replay.ready(0);
          }
        },
        Runnable::run);
    replay.added(list().get(0));
    party.channel.close();
    assertThat(replay.told()).containsExactly("add [a]", "remove [a]", "ready 0");
  }

  @Test
  void endsWhenItIsClosedAndSaysSoOnce() {
    Watch watch = watch("a");
    assertThat(watch.filter()).isEqualTo(TagFilter.parse("a"));
    watch.close();
    watch.close();
    party.host("a");
    assertThat(replay.told()).containsExactly("ready 0", "closed CLOSED");
  }

  @Test
  void mayEndInTheMiddleOfTheSnapshot() {
    for (int i = 0; i < 10; i++) {
      party.host("a");
    }
    Watch watch = watchSlowly("");
    watch.close();
    hands.runAll();
    assertThat(replay.told()).containsExactly("closed CLOSED");
  }

  @Test
  void aChangeIsOneEventForAllWhoAreToldOfItAsItIs() {
    Session session = party.host("a");
    List<Attachment> readers = new ArrayList<>();
    for (String filter : List.of("", "a", "a", "!b")) {
      broker
          .gateway()
          .watch(
              TagFilter.parse(filter),
              attachment -> {
                readers.add(attachment);
                return new ManualTransport();
              });
    }
    readers.forEach(reader -> assertThat(reader.poll().event()).isInstanceOf(Event.Added.class));
    readers.forEach(reader -> assertThat(reader.poll().event()).isInstanceOf(Event.Ready.class));
    session.update(SessionUpdate.nothing().withMetadata(Json.of(1)));
    assertThat(pollAll(readers)).hasSize(1);
    session.close();
    assertThat(pollAll(readers)).hasSize(1);
    readers.forEach(reader -> reader.detach(CloseReason.GONE));
  }

  private static Set<Envelope> pollAll(List<Attachment> readers) {
    Set<Envelope> envelopes = Collections.newSetFromMap(new IdentityHashMap<>());
    readers.forEach(reader -> envelopes.add(reader.poll()));
    return envelopes;
  }
}
