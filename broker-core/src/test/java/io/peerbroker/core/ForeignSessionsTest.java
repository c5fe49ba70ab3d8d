package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.peerbroker.core.ForeignSessions.Told;
import io.peerbroker.core.NodesFixture.Other;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The sessions of other nodes in the list of this one. */
final class ForeignSessionsTest {

  private final ContractListener witness = new ContractListener();
  private final LocalBroker broker =
      (LocalBroker)
          NodesFixture.node(7, 700_000)
              .listPause(Duration.ZERO)
              .drainTimeout(Duration.ZERO)
              .listener(witness)
              .build();
  private final ForeignSessions foreign = broker.directory.foreign;
  private final Party party = new Party(broker);
  private final Other one = new Other(1, foreign);
  private final Other two = new Other(2, foreign);

  @AfterEach
  void nothingIsLeft() {
    dropAll(foreign.drop(1));
    dropAll(foreign.drop(2));
    broker.close();
    LeakAssert.assertNone(broker);
    witness.assertAgrees(broker);
  }

  private static int dropAll(ForeignSessions.Drop drop) {
    int steps = 1;
    while (drop.next()) {
      steps++;
    }
    return steps;
  }

  private Replay watch(String filter) {
    Replay replay = new Replay();
    Watch unused = broker.watch(TagFilter.parse(filter), replay, Runnable::run);
    return replay;
  }

  private List<String> listed(String filter) {
    return broker.list(TagFilter.parse(filter)).sessions().stream().map(ListedSession::id).toList();
  }

  @Test
  @DisplayName("A session of another node is listed and watched as one of this node.")
  void standsBesideTheOwn() {
    Session own = party.host("a");
    Replay early = watch("a");
    Told told = one.create(1, "a", "b");
    assertThat(one.telling.put(told)).isTrue();
    Replay late = watch("a,b");
    assertThat(listed("a")).containsExactly(told.id(), own.id());
    assertThat(listed("b")).containsExactly(told.id());
    assertThat(listed("a,!b")).containsExactly(own.id());
    assertThat(broker.directory.listedCount()).isEqualTo(2);
    one.telling.put(one.change(told.id(), 0, List.of("a", "b"), Json.of("new")));
    assertThat(early.held())
        .containsExactlyInAnyOrderElementsOf(broker.list(TagFilter.all()).sessions());
    one.telling.put(one.change(told.id(), 0, List.of("a"), Json.of("new")));
    // What changes nothing is told to nobody.
    one.telling.put(one.change(told.id(), 0, List.of("a"), Json.of("new")));
    one.telling.remove(told.id());
    one.telling.remove(told.id());
    assertThat(early.told())
        .containsExactly("add [a]", "ready 1", "add [a, b]", "add [a, b]", "add [a]", "remove [a]");
    assertThat(late.told()).containsExactly("add [a, b]", "ready 1", "add [a, b]", "remove [a, b]");
    early.assertNothingWrong();
    late.assertNothingWrong();
    assertThat(broker.directory.listedCount()).isEqualTo(1);
    assertThat(foreign.count()).isZero();
  }

  @Test
  @DisplayName("What needs the channel of a session does not find one of another node.")
  void isFoundByTheListAlone() {
    Told told = one.create(1, "a");
    one.telling.put(told);
    assertThat(broker.findSession(told.id())).isNull();
    assertThat(broker.findChannel(told.id())).isNull();
    assertThat(broker.directory.session(told.id())).isNull();
    assertThat(broker.directory.ownerOf(told.id())).isNull();
    assertThat(broker.directory.sessionCount()).isZero();
    assertThat(broker.directory.sessionBytes.used()).isZero();
    assertThat(broker.stats().sessionsOpened()).isZero();
    assertThat(foreign.ownerOf(told.id())).isEqualTo(1);
    assertThat(foreign.ownerOf("x")).isEqualTo(Ids.NO_TAG);
  }

  @Test
  @DisplayName("A session belongs to the node that tells of it with the highest hop.")
  void belongsToTheHighestHop() {
    Told told = one.create(1, "a");
    one.telling.put(told);
    Replay replay = watch("a");
    Told moved = new Told(told.id(), told.number(), told.created(), 1, told.spec());
    two.telling.put(moved);
    assertThat(foreign.ownerOf(told.id())).isEqualTo(2);
    // What the first node told before it gave the session away comes late.
    one.telling.put(one.change(told.id(), 0, List.of("a", "old"), Json.NULL));
    one.telling.remove(told.id());
    dropAll(foreign.drop(1));
    assertThat(listed("a")).containsExactly(told.id());
    assertThat(replay.told()).containsExactly("add [a]", "ready 1");
    // It goes back, and what the second one says comes late.
    one.telling.put(new Told(told.id(), told.number(), told.created(), 2, told.spec()));
    two.telling.put(moved);
    assertThat(foreign.ownerOf(told.id())).isEqualTo(1);
    dropAll(foreign.drop(2));
    assertThat(replay.told()).containsExactly("add [a]", "ready 1");
    one.telling.remove(told.id());
    assertThat(replay.told()).containsExactly("add [a]", "ready 1", "remove [a]");
  }

  @Test
  @DisplayName("Of a session that this node has, no other node is believed.")
  void theOwnBelongsToThisNode() {
    Session own = party.host("a");
    assertThat(one.telling.put(new Told(own.id(), 1, 1, 9, SessionSpec.listed("b")))).isTrue();
    one.telling.remove(own.id());
    dropAll(foreign.drop(1));
    assertThat(listed("a")).containsExactly(own.id());
    assertThat(foreign.count()).isZero();
  }

  @Test
  @DisplayName("A node that is gone is dropped in small steps, and what it told is removed.")
  void aGoneNodeIsDropped() {
    for (int i = 0; i < 450; i++) {
      one.telling.put(one.create(1, "a"));
    }
    Told left = two.create(1, "a");
    two.telling.put(left);
    // One that has come from the gone node, and one that has gone to it.
    Told came = one.create(1, "a");
    one.telling.put(came);
    two.telling.put(new Told(came.id(), came.number(), came.created(), 1, came.spec()));
    Told went = two.create(1, "a");
    one.telling.put(new Told(went.id(), went.number(), went.created(), 1, went.spec()));
    Replay replay = watch("a");
    ForeignSessions.Drop drop = foreign.drop(1);
    int before = broker.directory.listedCount();
    boolean more = true;
    while (more) {
      more = drop.next();
      int now = broker.directory.listedCount();
      assertThat(before - now).isBetween(0, ForeignSessions.MAX_DROPPED);
      before = now;
    }
    assertThat(drop.next()).isFalse();
    assertThat(listed("a")).containsExactlyInAnyOrder(left.id(), came.id());
    await().untilAsserted(() -> assertThat(replay.held()).hasSize(2));
    replay.assertNothingWrong();
  }

  @Test
  @DisplayName("Of a node that tells anew, what it does not tell again is dropped when it is done.")
  void whatIsNotToldAgainIsDropped() {
    Told stays = one.create(1, "a");
    Told goes = one.create(1, "a");
    one.telling.put(stays);
    one.telling.put(goes);
    Replay replay = watch("a");
    ForeignSessions.Telling before = one.telling;
    ForeignSessions.Telling again = foreign.begin(1);
    again.put(stays);
    // The end of the last telling, which comes late.
    before.remove(stays.id());
    before.put(one.change(stays.id(), 0, List.of("a", "old"), Json.NULL));
    assertThat(listed("a")).containsExactly(stays.id(), goes.id());
    // While the old ones are dropped, the node begins once more.
    ForeignSessions.Drop drop = again.dropOlder();
    foreign.begin(1).put(one.create(1, "a"));
    dropAll(drop);
    assertThat(listed("a")).hasSize(2).contains(stays.id());
    assertThat(replay.told())
        .containsExactly("add [a]", "add [a]", "ready 2", "add [a]", "remove [a]");
  }

  @Test
  @DisplayName(
      "Beyond the bound of other nodes' sessions, nothing is taken, and nothing has changed.")
  void hasABoundOfItsOwn() {
    Json large = Json.of("x".repeat(10_000));
    Told told = one.create(1, List.of("a"), large);
    while (one.telling.put(told)) {
      told = one.create(1, List.of("a"), large);
    }
    assertThat(foreign.count()).isEqualTo(64);
    assertThat(listed("")).hasSize(64).doesNotContain(told.id());
    String first = listed("").get(0);
    Json larger = Json.of("x".repeat(16_000));
    assertThat(one.telling.put(one.change(first, 0, List.of("b"), larger))).isFalse();
    assertThat(listed("b")).isEmpty();
    one.telling.remove(first);
    assertThat(one.telling.put(told)).isTrue();
    assertThat(broker.directory.sessionBytes.used()).isZero();
  }

  @Test
  @DisplayName("What no node can have told is rejected, and nothing has changed.")
  void whatCannotBeIsRejected() {
    Told told = one.create(1, "a");
    one.telling.put(told);
    SessionSpec spec = told.spec();
    String id = one.ids.id();
    for (Told wrong :
        new Told[] {
          new Told("x", 2, 2, 0, spec),
          new Told(id, 0, 2, 0, spec),
          new Told(id, 2, 0, 0, spec),
          new Told(id, 2, 2, -1, spec),
          new Told(id, 2, 2, 0, SessionSpec.unlisted("a")),
          new Told(id, told.number(), 2, 0, spec)
        }) {
      assertThatThrownBy(() -> one.telling.put(wrong))
          .as("%s", wrong)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(wrong.id());
    }
    assertThat(listed("")).containsExactly(told.id());
  }

  @Test
  @DisplayName(
      "A session that comes after one of another node stands after it, whatever the clock.")
  void clocksNeverRunBehind() {
    long ahead = Long.MAX_VALUE / 2;
    Told told = one.create(ahead, "a");
    one.telling.put(told);
    Session own = party.host("a");
    assertThat(listed("a")).containsExactly(told.id(), own.id());
    assertThat(((LocalSession) own).ref.created).isEqualTo(ahead + 1);
  }

  @Test
  void anInstantComesOnce() {
    long[] now = {5};
    CreationClock clock = new CreationClock(() -> now[0]);
    assertThat(clock.next()).isEqualTo(5);
    assertThat(clock.next()).isEqualTo(6);
    clock.saw(3);
    now[0] = 4;
    assertThat(clock.next()).isEqualTo(7);
    clock.saw(20);
    assertThat(clock.next()).isEqualTo(21);
    now[0] = 30;
    assertThat(clock.next()).isEqualTo(30);
  }
}
