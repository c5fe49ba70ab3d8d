package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Refusal.Code;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** In which order a stream carries messages and lists. */
final class StreamTurnsTest extends ListsFixture {

  @Test
  @Tag("W8")
  @DisplayName("Messages and lists alternate, and so do the lists.")
  void messagesAndListsTakeTurns() {
    ManualTransport line = opened();
    watch(line, "x", "");
    watch(line, "y", "");
    line.readAll();
    for (int i = 0; i < 4; i++) {
      Party.assertSent(host.send(line.channel.id(), "" + i));
    }
    Session one = host.host("a");
    Session two = host.host("a");
    assertThat(List.of(one.id(), two.id())).doesNotHaveDuplicates();
    List<String> kinds =
        line.readAll().stream()
            .map(text -> text.contains(":") ? text.substring(0, 1) : "m")
            .toList();
    assertThat(String.join("", kinds.subList(0, 8)))
        .isIn("mxmymxmy", "mymxmymx", "xmymxmym", "ymxmymxm");
  }

  /** Hosts sessions that nobody may see; returns how often the policy was asked about one. */
  private AtomicInteger hidden(int sessions) {
    AtomicInteger examined = new AtomicInteger();
    scope =
        caller ->
            Scope.all()
                .where(
                    session -> {
                      examined.incrementAndGet();
                      return false;
                    });
    for (int i = 0; i < sessions; i++) {
      host.host("a");
    }
    return examined;
  }

  /** A stream with three lists and four messages that wait. */
  private ManualTransport waiting() {
    ManualTransport line = opened();
    for (String name : List.of("x", "y", "z")) {
      watch(line, name, "a");
    }
    for (int i = 0; i < 4; i++) {
      Party.assertSent(host.send(line.channel.id(), "" + i));
    }
    return line;
  }

  @Test
  @Tag("W8")
  @DisplayName("A message waits for one list only, though lists find nothing for their reader.")
  void silentListsTakeTurns() {
    AtomicInteger examined = hidden(5_000);
    ManualTransport line = waiting();
    List<String> read = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      int before = examined.get();
      // To the first null: a transport writes no message before that.
      read.addAll(line.readAll());
      assertThat(examined.get() - before).isLessThanOrEqualTo(1_000);
    }
    assertThat(read).containsExactly("0", "1", "2", "3");
    read.clear();
    Awaitility.await()
        .untilAsserted(
            () -> {
              read.addAll(line.readAll());
              assertThat(read).containsExactlyInAnyOrder("x: ready 0", "y: ready 0", "z: ready 0");
            });
    assertThat(examined).hasValue(15_000);
  }

  @Test
  @Tag("W8")
  @DisplayName("A message does not wait for all lists, though each of them soon finds an event.")
  void shortSearchesCountTogether() {
    AtomicInteger examined = hidden(600);
    ManualTransport line = waiting();
    List<String> read = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      int before = examined.get();
      read.addAll(line.readAll());
      assertThat(examined.get() - before).isLessThanOrEqualTo(1_200);
    }
    assertThat(read)
        .containsExactlyInAnyOrder("0", "1", "2", "3", "x: ready 0", "y: ready 0", "z: ready 0");
    assertThat(examined).hasValue(1_800);
  }

  @Test
  @Tag("W8")
  @DisplayName("A stream that ends gives all its messages first, however long lists were searched.")
  void allIsReadBeforeTheEnd() {
    AtomicInteger examined = hidden(1_500);
    ManualTransport line = waiting();
    assertThat(line.poll()).isEqualTo("0");
    assertThat(line.poll()).isEqualTo("1");
    assertThat(examined).hasPositiveValue();
    line.channel.close();
    assertThat(line.readAll()).containsExactly("2", "3");
  }

  @Test
  @Tag("W8")
  @DisplayName("A transport that polls only when it is woken reads all, though polls pause.")
  void aPausedStreamIsWoken() {
    AtomicInteger examined = hidden(600);
    AtomicBoolean isReading = new AtomicBoolean();
    List<Event> read = new CopyOnWriteArrayList<>();
    Transport.Opener opener =
        attachment ->
            new Transport() {
              @Override
              public synchronized void ready() {
                if (!isReading.get()) {
                  return;
                }
                for (Envelope each = attachment.poll(); each != null; each = attachment.poll()) {
                  attachment.consumed(1);
                  read.add(each.event());
                }
              }

              @Override
              public void end(CloseReason reason) {
                attachment.detach(reason);
              }
            };
    Channel channel =
        broker.forCaller(ADA).gateway().openChannel(RESUME, opener).toCompletableFuture().join();
    for (String name : List.of("x", "y", "z")) {
      assertThat(answer(new Request.Watch(actor(channel), name, TagFilter.all())))
          .isEqualTo(Answer.Done.DONE);
    }
    for (int i = 0; i < 2; i++) {
      Party.assertSent(host.send(channel.id(), "" + i));
    }
    isReading.set(true);
    // The last wake that comes from outside.
    Party.assertSent(host.send(channel.id(), "2"));
    // The channel's own event, the messages, and that each list is ready.
    Awaitility.await().untilAsserted(() -> assertThat(read).hasSize(1 + 3 + 3));
    assertThat(examined).hasValue(1_800);
  }

  @Test
  @Tag("X7")
  @DisplayName("What a stream has taken of its lists makes no room in its queue of messages.")
  void onlyMessagesCountInTheQueue() {
    ManualTransport line = opened();
    // Polled before there is a list, and taken after.
    Party.assertSent(host.send(line.channel.id(), "0"));
    assertThat(line.poll()).isEqualTo("0");
    host.host("a");
    watch(line, "x", "");
    for (int i = 1; i <= 3; i++) {
      Party.assertSent(host.send(line.channel.id(), "" + i));
    }
    Party.assertRefused(host.send(line.channel.id(), "4"), Code.TARGET_BUSY);
    List<String> polled = new ArrayList<>();
    for (String text = line.poll(); text != null; text = line.poll()) {
      polled.add(text);
    }
    assertThat(polled).containsExactly("1", "x: add [a]", "2", "x: ready 1", "3");
    line.consumed(1);
    Party.assertSent(host.send(line.channel.id(), "4"));
    Party.assertRefused(host.send(line.channel.id(), "5"), Code.TARGET_BUSY);
    line.consumed(1);
    Party.assertSent(host.send(line.channel.id(), "5"));
    line.consumed(1);
    Party.assertRefused(host.send(line.channel.id(), "6"), Code.TARGET_BUSY);
    line.consumed(1);
    Party.assertSent(host.send(line.channel.id(), "6"));
    line.consumed(2);
    assertThat(line.readAll()).containsExactly("4", "5", "6");
    assertThat(broker.stats().queuedBytes()).isPositive();
    assertThat(line.channel.confirm(line.lastId())).isTrue();
    assertThat(broker.stats().queuedBytes()).isZero();
  }

  @Test
  @DisplayName("However much is polled before any of it is taken, the count is right.")
  void manyEventsAreUnderWay() {
    ManualTransport line = opened();
    watch(line, "x", "");
    line.readAll();
    int ahead = 3;
    for (int i = 0; i < 3_000; i++) {
      Party.assertSent(host.send(line.channel.id(), "" + i));
      host.host("a").close();
      Session session = host.host("b");
      while (line.poll() != null) {
        ahead++;
        if (ahead > 6) {
          line.consumed(1);
          ahead--;
        }
      }
      session.close();
    }
    assertThat(broker.stats().queuedBytes()).isLessThan(50_000);
  }
}
