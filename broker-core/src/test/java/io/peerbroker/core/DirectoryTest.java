package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What a failed change leaves behind, and which calls wait for the lock. */
final class DirectoryTest {

  private final LocalBroker broker =
      (LocalBroker)
          Broker.builder()
              .sessionRate(Limits.Rate.UNLIMITED)
              .maxSessionsPerChannel(100_000)
              .listPause(Duration.ZERO)
              .drainTimeout(Duration.ZERO)
              .build();
  private final Party party = new Party(broker);

  @AfterEach
  void nothingIsLeft() {
    broker.close();
    LeakAssert.assertNone(broker);
  }

  /** Opens a session on the rest of the stack, from the last frame up until it succeeds. */
  private @Nullable Session openAtTheEndOfTheStack(int depth) {
    if (depth == Integer.MAX_VALUE) {
      return null;
    }
    try {
      Session session = openAtTheEndOfTheStack(depth + 1);
      if (session != null) {
        return session;
      }
    } catch (StackOverflowError deepest) {
      // Tried again one frame further up, with a little more stack.
    }
    try {
      return party.host("a", "b");
    } catch (StackOverflowError stillTooDeep) {
      return null;
    }
  }

  @Test
  void aStackThatEndsLeavesNeitherTheLockNorBytes() throws Exception {
    party.host("warm").close();
    for (int i = 0; i < 20; i++) {
      CompletableFuture<Session> opened = new CompletableFuture<>();
      Thread thread =
          new Thread(null, () -> opened.complete(openAtTheEndOfTheStack(0)), "deep", 512 << 10);
      thread.start();
      Session session = opened.get(60, TimeUnit.SECONDS);
      assertThat(session).isNotNull();
      // From another thread: the lock is free.
      List<Session> all = party.channel.sessions();
      assertThat(all).containsExactly(session);
      assertThat(broker.list(TagFilter.parse("a")).sessions()).hasSize(1);
      assertThat(broker.directory.sessionBytes.used())
          .isEqualTo(((LocalSession) session).state.bytes());
      session.close();
      assertThat(broker.directory.sessionBytes.used()).isZero();
    }
  }

  @Test
  void figuresWaitForNoLock() throws Exception {
    party.host("a");
    ReentrantReadWriteLock lock =
        (ReentrantReadWriteLock) assertThat(broker.directory).extracting("lock").actual();
    CountDownLatch read = new CountDownLatch(1);
    lock.writeLock().lock();
    try {
      Thread reader =
          new Thread(
              () -> {
                if (broker.stats().listed() == 1 && broker.stats().watchBytes() == 0) {
                  read.countDown();
                }
              });
      reader.start();
      assertThat(read.await(30, TimeUnit.SECONDS)).isTrue();
    } finally {
      lock.writeLock().unlock();
    }
  }

  @Test
  @DisplayName(
      "A page is read from the directory piece by piece, and retains nothing of its sessions.")
  void aPageIsFetchedAsItIsRead() {
    Json large = Json.of("x".repeat(10_000));
    List<Session> sessions = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      sessions.add(party.channel.openSession(SessionSpec.listed("a").withMetadata(large)));
    }
    PageReader page = broker.gateway().readPage(TagFilter.parse("a"), 40, null);
    assertThat(page.next()).isEqualTo(broker.list(TagFilter.parse("a"), 40, null).next());
    assertThat(page.more()).hasSize(1);
    // Later changes of the others show: the page keeps no copies of them.
    sessions.get(1).close();
    sessions.get(2).update(SessionUpdate.nothing().withTags("b"));
    sessions.get(3).update(SessionUpdate.nothing().withListed(false));
    sessions.get(4).update(SessionUpdate.nothing().withMetadata(Json.of("new")));
    List<ListedSession> read = new ArrayList<>();
    for (List<ListedSession> some = page.more(); !some.isEmpty(); some = page.more()) {
      assertThat(some).hasSizeLessThanOrEqualTo(2);
      read.addAll(some);
    }
    assertThat(read).hasSize(40 - 4);
    assertThat(read.get(0).metadata()).isEqualTo(Json.of("new"));
    assertThat(read.get(read.size() - 1).id()).isEqualTo(sessions.get(39).id());
  }

  @Test
  @DisplayName("A session that the reader may no longer see is left out of the rest of the page.")
  void aHiddenSessionLeavesTheRestOfThePage() {
    for (int i = 0; i < 200; i++) {
      party.host("a");
    }
    boolean[] hidden = {false};
    PageReader page =
        broker.directory.search.read(
            ParsedFilter.ALL, session -> !hidden[0], 1_000, ListPosition.START);
    assertThat(page.more()).isNotEmpty();
    hidden[0] = true;
    assertThat(page.more()).isEmpty();
  }

  @Test
  @DisplayName("A watch that stalls keeps next to nothing of what its walk has found.")
  void aStalledWatchKeepsNextToNothing() {
    Json large = Json.of("x".repeat(1_500));
    for (int i = 0; i < 64; i++) {
      party.channel.openSession(SessionSpec.listed().withMetadata(large));
    }
    List<Attachment> stalled = new ArrayList<>();
    Watch watch =
        broker
            .gateway()
            .watch(
                TagFilter.all(),
                attachment -> {
                  stalled.add(attachment);
                  return new ManualTransport();
                });
    assertThat(stalled.get(0).poll()).isNotNull();
    assertThat(watch)
        .extracting("found")
        .asInstanceOf(InstanceOfAssertFactories.collection(ListSearch.Found.class))
        .satisfies(
            found ->
                assertThat(found.stream().mapToInt(ListSearch.Found::size).sum())
                    .isLessThanOrEqualTo(LocalWatch.AHEAD_BYTES));
    stalled.get(0).detach(CloseReason.GONE);
  }

  @Test
  void aRecheckAsksAboutNoSessionOnItsOwnThread() {
    for (int i = 0; i < 5_000; i++) {
      party.host("a");
    }
    Thread caller = Thread.currentThread();
    List<Attachment> readers = new ArrayList<>();
    List<Thread> askedOn = new CopyOnWriteArrayList<>();
    LocalWatch stream =
        broker.watch(
            ParsedFilter.ALL,
            session -> true,
            broker.streams.watches,
            attachment -> {
              readers.add(attachment);
              return new Transport() {
                @Override
                public void ready() {
                  while (attachment.poll() != null) {
                    attachment.consumed(1);
                  }
                }

                @Override
                public void end(CloseReason reason) {
                  attachment.detach(reason);
                }
              };
            });
    stream.recheck(
        session -> {
          Thread asked = Thread.currentThread();
          if (askedOn.isEmpty() || askedOn.get(askedOn.size() - 1) != asked) {
            askedOn.add(asked);
          }
          return true;
        });
    await().until(() -> !askedOn.isEmpty());
    assertThat(askedOn).doesNotContain(caller);
    readers.get(0).detach(CloseReason.GONE);
  }
}
