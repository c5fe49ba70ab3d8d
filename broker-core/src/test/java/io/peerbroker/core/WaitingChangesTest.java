package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The heap that changes keep while they wait for stalled readers: no session that has closed, and
 * nothing that is not counted (X11).
 */
final class WaitingChangesTest {

  private final ManualTimer timer = new ManualTimer();
  private final LocalBroker broker =
      (LocalBroker)
          Broker.builder()
              .timer(timer)
              .sessionRate(Limits.Rate.UNLIMITED)
              .maxSessionsPerChannel(3_000)
              .drainTimeout(Duration.ZERO)
              .build();
  private final Party party = new Party(broker);
  private final List<Attachment> lists = new ArrayList<>();

  @AfterEach
  void nothingIsLeft() {
    lists.forEach(list -> list.detach(CloseReason.GONE));
    broker.close();
    LeakAssert.assertNone(broker);
  }

  /** A watch that is polled by hand. */
  private Attachment watch(String filter) {
    Watch unused =
        broker
            .gateway()
            .watch(
                TagFilter.parse(filter),
                attachment -> {
                  lists.add(attachment);
                  return new Transport() {
                    @Override
                    public void ready() {}

                    @Override
                    public void end(CloseReason reason) {}
                  };
                });
    return lists.get(lists.size() - 1);
  }

  private static int poll(Attachment list) {
    int events = 0;
    while (list.poll() != null) {
      events++;
    }
    return events;
  }

  private static Json metadata(int number) {
    return Json.of("metadata of " + number + "x".repeat(5_000));
  }

  private static void awaitGone(List<WeakReference<Json>> all) {
    await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () -> {
              System.gc();
              return all.stream().allMatch(each -> each.get() == null);
            });
  }

  /** Makes sessions in a frame of its own, so that no variable of the test holds them. */
  private void open(int count, List<WeakReference<Json>> metadata) {
    for (int i = 0; i < count; i++) {
      SessionSpec spec = new SessionSpec(List.of("a"), true, metadata(i));
      metadata.add(new WeakReference<>(party.channel.openSession(spec).metadata()));
    }
  }

  /** Makes the sessions large when no watch shows them any longer. */
  private void leaveAndGrow(List<WeakReference<Json>> metadata) {
    for (Session session : party.channel.sessions()) {
      session.update(new SessionUpdate(List.of("b"), null, null));
      session.update(new SessionUpdate(null, null, metadata(metadata.size())));
      metadata.add(new WeakReference<>(session.metadata()));
    }
  }

  private void closeAll() {
    party.channel.sessions().forEach(Session::close);
  }

  @Test
  @Tag("X11")
  void waitingRemovalsKeepNoClosedSession() {
    List<WeakReference<Json>> metadata = new ArrayList<>();
    open(20, metadata);
    Attachment stalled = watch("a");
    assertThat(poll(stalled)).isEqualTo(21);
    closeAll();
    awaitGone(metadata);
    assertThat(poll(stalled)).isEqualTo(20);
  }

  @Test
  @Tag("X11")
  @DisplayName("The later states of a session are not kept behind its removal.")
  void aRemovalKeepsNoLaterState() {
    open(1, new ArrayList<>());
    Attachment stalled = watch("a");
    assertThat(poll(stalled)).isEqualTo(2);
    List<WeakReference<Json>> metadata = new ArrayList<>();
    leaveAndGrow(metadata);
    closeAll();
    awaitGone(metadata);
    assertThat(poll(stalled)).isEqualTo(1);
  }

  @Test
  @Tag("X11")
  @DisplayName("A walk that is ahead retains no more of a closed session than the list shows.")
  void aWalkAheadKeepsOnlyWhatItShows() {
    for (int i = 0; i < 10; i++) {
      party.host("a");
    }
    Attachment stalled = watch("a");
    assertThat(stalled.poll()).isNotNull();
    List<WeakReference<Json>> metadata = new ArrayList<>();
    leaveAndGrow(metadata);
    closeAll();
    awaitGone(metadata);
    // Sessions that the walk has found are sent as they were found, and then removed.
    assertThat(poll(stalled)).isEqualTo(9 + 1 + 10);
  }

  @Test
  @Tag("X11")
  void aReadWatchKeepsNoClosedSession() {
    List<WeakReference<Json>> metadata = new ArrayList<>();
    Attachment prompt = watch("a");
    assertThat(poll(prompt)).isEqualTo(1);
    open(1, metadata);
    timer.advance(Duration.ofSeconds(1));
    assertThat(poll(prompt)).isEqualTo(1);
    closeAll();
    timer.advance(Duration.ofSeconds(1));
    assertThat(poll(prompt)).isEqualTo(1);
    awaitGone(metadata);
  }

  @Test
  @Tag("X11")
  void tagsThatARemovalKeepsCount() {
    List<String> tags = new ArrayList<>();
    for (int i = 0; i < 32; i++) {
      tags.add(i + "-" + "t".repeat(60));
    }
    List<Session> sessions = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      sessions.add(party.host(tags.toArray(String[]::new)));
    }
    Attachment stalled = watch(tags.get(0));
    assertThat(poll(stalled)).isEqualTo(101);
    sessions.forEach(Session::close);
    timer.advance(Duration.ofSeconds(1));
    assertThat(broker.directory.watchBytes.used()).isGreaterThan(100L * 32 * (60 + 48));
    assertThat(poll(stalled)).isEqualTo(100);
  }
}
