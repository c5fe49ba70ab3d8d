package io.peerbroker.tck;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Channel;
import io.peerbroker.core.Event;
import io.peerbroker.core.Json;
import io.peerbroker.core.ListedSession;
import io.peerbroker.core.Message;
import io.peerbroker.core.Session;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.core.SessionUpdate;
import io.peerbroker.core.TagFilter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * What every transport must do for the broker, whatever carries the events: what {@link ChannelKit}
 * says of channels, and the lists.
 */
public abstract class TransportKit extends ChannelKit<TransportUnderTest> {

  /** Long enough for a watch to be woken several times, with the pauses between. */
  private static final Duration MANY_PAUSES = Duration.ofSeconds(2);

  /** For subclasses. */
  protected TransportKit() {}

  @Test
  void aMessageToASessionNamesIt() {
    Party party = transport().open();
    Session session = channelOf(party).openSession(SessionSpec.unlisted());
    Channel sender = channel();
    sender.sendOrThrow(session.id(), Json.of(1));
    assertThat(party.next())
        .isEqualTo(new Event.Received(new Message(sender.id(), session.id(), Json.of(1))));
  }

  @Test
  void aStalledReaderHoldsUpNoList() {
    Party stalled = transport().open();
    Reader list = watch();
    stalled.stall();
    sendUntilBusy(stalled.id());
    Session session = channel().openSession(SessionSpec.listed("a"));
    assertThat(list.next()).isEqualTo(added(session));
  }

  @Test
  void whatALeavingClientHostedIsRemoved() {
    Party party = transport().open();
    Reader list = watch();
    Session first = channelOf(party).openSession(SessionSpec.listed("a"));
    Session second = channelOf(party).openSession(SessionSpec.listed("b"));
    assertHolds(list, List.of(first, second));
    leave(party);
    assertThat(list.next()).isEqualTo(new Event.Removed(first.id()));
    assertThat(list.next()).isEqualTo(new Event.Removed(second.id()));
  }

  @Test
  void aShutdownTellsListsTheReason() {
    Reader list = watch();
    CompletableFuture<Void> closing = CompletableFuture.runAsync(broker()::close);
    assertThat(list.awaitEnd()).isEqualTo("shutting_down");
    closing.join();
  }

  @Test
  @DisplayName("A watch sends what is there, then ready, then every change.")
  void aWatchSendsWhatIsThereThenItsChanges() {
    Channel host = channel();
    Session first = host.openSession(SessionSpec.listed("a", "é").withMetadata(Json.parse("1.0")));
    host.openSession(SessionSpec.listed("b"));
    Session third = host.openSession(SessionSpec.unlisted("a"));
    Reader list = transport().watch(TagFilter.parse("a"));
    assertThat(list.next()).isEqualTo(added(first));
    assertThat(list.next()).isEqualTo(new Event.Ready(1));
    third.update(SessionUpdate.nothing().withListed(true));
    assertThat(list.next()).isEqualTo(added(third));
    first.update(SessionUpdate.nothing().withMetadata(Json.NULL));
    assertThat(list.next()).isEqualTo(added(first));
    third.update(SessionUpdate.nothing().withTags("b"));
    assertThat(list.next()).isEqualTo(new Event.Removed(third.id()));
    first.close();
    assertThat(list.next()).isEqualTo(new Event.Removed(first.id()));
  }

  @Test
  void aListThatDoesNotKeepUpEndsAndHoldsUpNobody() {
    Channel host = channel();
    List<Session> sessions = new ArrayList<>();
    for (int i = 0; i < 4 * MAX_QUEUED_EVENTS; i++) {
      sessions.add(host.openSession(SessionSpec.listed("a")));
    }
    Reader list = transport().watch(TagFilter.all());
    assertHolds(list, sessions);
    list.stall();
    // Over many pauses: it falls behind when it has been woken and has not come. No longer than
    // that, since its end is requested meanwhile, and the broker waits no longer than the drain
    // timeout.
    long begun = System.nanoTime();
    for (int i = 0; System.nanoTime() - begun < MANY_PAUSES.toNanos(); i++) {
      Session session = sessions.get(i % sessions.size());
      session.update(SessionUpdate.nothing().withMetadata(large(i)));
    }
    list.resume();
    assertThat(list.awaitEnd()).isEqualTo("overflow");
    assertHolds(transport().watch(TagFilter.all()), sessions);
  }

  @Test
  void whoLeavesAListLeavesNothingBehind() {
    Reader leaving = watch();
    Reader staying = watch();
    leaving.leave();
    Channel host = channel();
    for (int i = 0; i < 2 * MAX_QUEUED_EVENTS; i++) {
      Session session = host.openSession(SessionSpec.listed("a"));
      assertThat(staying.next()).isEqualTo(added(session));
    }
  }

  private void assertHolds(Reader list, List<Session> sessions) {
    for (Session session : sessions) {
      assertThat(list.next()).isEqualTo(added(session));
    }
  }

  /** Opens a watch of all sessions, of which there are none yet. */
  private Reader watch() {
    Reader list = transport().watch(TagFilter.all());
    assertThat(list.next()).isEqualTo(new Event.Ready(0));
    return list;
  }

  private static Event added(Session session) {
    return new Event.Added(new ListedSession(session.id(), session.tags(), session.metadata()));
  }
}
