package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Clients that fill all they can, with the default bounds except the rates, which would only slow
 * them down: which others they shut out, and which they do not.
 */
final class OverloadTest {

  private static final ChannelOptions RESUME =
      ChannelOptions.none().withResume(Duration.ofMinutes(1));

  /** The largest message. All copies share its array, so that little heap is needed. */
  private static final Json LARGEST = Json.of("x".repeat(49_150));

  /** An offer of audio and two videos: with its envelope, less than a queue's share. */
  private static final Json OFFER = Json.of("x".repeat(12_900));

  private final ManualTimer timer = new ManualTimer();
  private final Broker broker =
      Broker.builder()
          .timer(timer)
          .messageRate(Limits.Rate.UNLIMITED)
          .drainTimeout(Duration.ZERO)
          .build();
  private final LocalBroker local = (LocalBroker) broker;

  @AfterEach
  void nothingIsLeft() {
    broker.close();
    LeakAssert.assertNone(broker);
    assertThat(local.absent.total()).isZero();
  }

  private ManualTransport opened(ChannelOptions options) {
    ManualTransport line = ManualTransport.open(broker, options);
    line.readAll();
    return line;
  }

  private List<ManualTransport> opened(int count) {
    List<ManualTransport> lines = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      lines.add(opened(RESUME));
    }
    return lines;
  }

  private static Delivery send(ManualTransport from, ManualTransport to, Json json) {
    return Party.answer(from.channel.send(to.channel.id(), json));
  }

  /** Sends the largest message until it is refused, then smaller ones. */
  private static void fill(ManualTransport from, ManualTransport to) {
    for (Json json : List.of(LARGEST, OFFER, Json.NULL)) {
      while (!(send(from, to, json) instanceof Delivery.Refused)) {
        // Until there is no room for it.
      }
    }
  }

  /** Two clients come new to a broker that others have filled, and exchange their messages. */
  private void assertServes() {
    ManualTransport one = opened(RESUME);
    ManualTransport other = opened(ChannelOptions.none());
    Session session = other.channel.openSession(SessionSpec.listed("new"));
    for (int i = 0; i < 20; i++) {
      Party.assertSent(Party.answer(one.channel.send(session.id(), OFFER)));
      Party.assertSent(Party.answer(session.send(one.channel.id(), OFFER)));
      assertThat(one.readAll()).hasSize(1);
      assertThat(other.readAll()).hasSize(1);
    }
    one.cut();
    assertThat(send(other, one, OFFER)).isInstanceOf(Delivery.Queued.class);
    assertThat(ManualTransport.open(broker, RESUME.after(one.lastId())).readAll()).hasSize(1);
    other.channel.close();
  }

  @Test
  @Tag("X18")
  @DisplayName("2,000 queues of absent readers shut no client out.")
  void absentReaders() {
    List<ManualTransport> away = opened(2_000);
    away.forEach(ManualTransport::cut);
    List<ManualTransport> senders = opened(500);
    for (int i = 0; i < away.size(); i++) {
      fill(senders.get(i % senders.size()), away.get(i));
    }
    assertThat(local.absent.total()).isBetween(30L << 20, 60L << 20);
    assertServes();
  }

  @Test
  @Tag("X17")
  @DisplayName("3,000 stalled readers shut no client out, nor do they when they hang up.")
  void stalledReaders() {
    List<ManualTransport> stalled = opened(3_000);
    List<ManualTransport> senders = opened(20);
    for (int i = 0; i < stalled.size(); i++) {
      fill(senders.get(i % senders.size()), stalled.get(i));
    }
    assertThat(local.budgets.queues.used()).isBetween(128L << 20, 256L << 20);
    assertServes();
    stalled.forEach(ManualTransport::cut);
    assertServes();
    stalled.forEach(line -> fill(senders.get(0), line));
    assertServes();
    timer.advance(Duration.ofMinutes(1));
    assertThat(local.budgets.queues.used()).isLessThan(1 << 20);
  }

  @Test
  @Tag("X17")
  @DisplayName("10,000 readers with a message each shut no client out.")
  void manyStalledReaders() {
    ManualTransport sender = opened(RESUME);
    Delivery last = null;
    for (int i = 0; i < 10_000; i++) {
      ManualTransport stalled = opened(ChannelOptions.none());
      last = send(sender, stalled, LARGEST);
      // The room for one message of any size is filled with smaller ones.
      Delivery unused = send(sender, stalled, OFFER);
    }
    Party.assertRefused(last, Refusal.Code.AT_CAPACITY);
    assertServes();
  }

  @Test
  @Tag("X18")
  @DisplayName("The largest queue gives way to a smaller one, and its senders are notified.")
  void theLargestGivesWay() {
    List<ManualTransport> away = opened(300);
    away.forEach(ManualTransport::cut);
    List<ManualTransport> senders = opened(300);
    int taken = 0;
    for (int i = 0; i < away.size(); i++) {
      fill(senders.get(i), away.get(i));
    }
    for (ManualTransport sender : senders) {
      taken += sender.readAll().size();
    }
    assertThat(broker.stats().messagesUndelivered()).isEqualTo(taken);
    for (int i = 0; i < 20; i++) {
      ManualTransport innocent = opened(RESUME);
      innocent.cut();
      assertThat(send(opened(RESUME), innocent, LARGEST)).isInstanceOf(Delivery.Queued.class);
    }
    int told = 0;
    for (ManualTransport sender : senders) {
      List<String> news = sender.readAll();
      assertThat(news)
          .allMatch(text -> text.startsWith("undelivered") && text.endsWith("overflow"));
      told += news.size();
    }
    assertThat(told).isPositive();
    // No client was cut off for it, and none has lost anything.
    for (ManualTransport line : away) {
      assertThat(line.channel.isOpen()).isTrue();
      assertThat(ManualTransport.open(broker, RESUME.after(line.lastId())).channel)
          .isSameAs(line.channel);
    }
    assertThat(broker.stats().messagesUndelivered()).isEqualTo(taken + told);
  }

  @Test
  @Tag("X19")
  @DisplayName("A sender's share for absent readers is bounded, and others keep theirs.")
  void aSendersShare() {
    List<ManualTransport> away = opened(10);
    away.forEach(ManualTransport::cut);
    ManualTransport sender = opened(RESUME);
    int sent = 0;
    Delivery refused = null;
    for (int i = 0; i < 30; i++) {
      Delivery delivery = send(sender, away.get(i % 10), LARGEST);
      if (delivery instanceof Delivery.Refused) {
        refused = delivery;
      } else {
        sent++;
      }
    }
    assertThat(sent).isEqualTo((1 << 20) / (49_152 + 300));
    Party.assertRefused(refused, Refusal.Code.RATE_LIMITED);
    Party.assertSent(send(sender, sender, LARGEST));
    assertThat(send(opened(RESUME), away.get(0), LARGEST)).isInstanceOf(Delivery.Queued.class);
    // Messages that are read or given up no longer count.
    ManualTransport back = ManualTransport.open(broker, RESUME.after(away.get(0).lastId()));
    back.readAll();
    back.cut();
    assertThat(send(sender, away.get(0), LARGEST)).isInstanceOf(Delivery.Queued.class);
    away.forEach(line -> line.channel.close());
    ManualTransport another = opened(RESUME);
    another.cut();
    for (int i = 0; i < 10; i++) {
      assertThat(send(sender, another, LARGEST)).isInstanceOf(Delivery.Queued.class);
    }
  }

  @Test
  @Tag("R4")
  @Tag("M15")
  @DisplayName("Dropped messages are reported, and the rest comes in order without a gap.")
  void whatIsLeftComesInOrder() {
    ManualTransport reader = opened(RESUME);
    ManualTransport sender = opened(RESUME);
    for (int i = 1; i <= 3; i++) {
      Party.assertSent(send(sender, reader, Json.of(i)));
    }
    reader.poll();
    reader.consumed(1);
    reader.poll();
    reader.cut();
    for (int i = 4; i <= 6; i++) {
      assertThat(send(sender, reader, Json.of(i))).isInstanceOf(Delivery.Queued.class);
    }
    LocalChannel hosted = (LocalChannel) reader.channel;
    assertThat(hosted.connection().outbox.letGo())
        .extracting(left -> left.message().json())
        .containsExactly(Json.of(4), Json.of(5), Json.of(6));
    assertThat(hosted.connection().outbox.letGo()).isEmpty();
    assertThat(send(sender, reader, Json.of(7))).isInstanceOf(Delivery.Queued.class);
    ManualTransport back = ManualTransport.open(broker, RESUME.after(reader.ids.get(1)));
    assertThat(back.channel).isSameAs(reader.channel);
    assertThat(back.readAll()).containsExactly("2", "3", "7");
  }
}
