package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Many senders against one target, and many stalled readers: the cost for the target, and for all
 * others.
 */
final class FloodTest {

  private final ManualTimer timer = new ManualTimer();

  @Test
  void aFloodFillsItsVictimsQueueAndNothingElse() {
    Broker broker = Broker.builder().timer(timer).maxQueuedEvents(50).build();
    ManualExecutor hands = new ManualExecutor();
    Party victim = new Party(broker, hands);
    hands.runAll();
    List<Party> senders = Stream.generate(() -> new Party(broker)).limit(100).toList();
    int sent = 0;
    for (Party sender : senders) {
      for (int i = 0; i < 10; i++) {
        Delivery delivery = sender.send(victim.id(), "1");
        if (delivery instanceof Delivery.Sent) {
          sent++;
        } else {
          Party.assertRefused(delivery, Refusal.Code.TARGET_BUSY);
        }
      }
    }
    assertThat(sent).isEqualTo(50);
    assertThat(((LocalBroker) broker).budgets.queues.used()).isLessThan(50 * 1_000);
    assertThat(victim.channel.isOpen()).isTrue();
    // The target still sends and hosts, and the others reach each other.
    Party.assertSent(victim.send(senders.get(0).id(), "2"));
    assertThat(victim.host("a").isOpen()).isTrue();
    Party.assertSent(senders.get(1).send(senders.get(2).id(), "3"));
    hands.runAll();
    assertThat(victim.received).hasSize(50);
    Party.assertSent(senders.get(3).send(victim.id(), "4"));
    hands.runAll();
    assertThat(victim.texts()).endsWith("4");
    victim.channel.close();
    hands.runAll();
    broker.close();
    LeakAssert.assertNone(broker);
  }

  @Test
  void listStreamsThatStallShareWhatWaitsForThem() {
    Broker broker = Broker.builder().timer(timer).listPause(Duration.ZERO).build();
    Session session = new Party(broker).host("a");
    List<Attachment> stalled = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      // Each begins at another moment and stops when it has the list.
      session.update(SessionUpdate.nothing().withMetadata(Json.of("before " + i)));
      Attachment attachment = watch(broker);
      assertThat(poll(attachment)).isInstanceOf(Event.Added.class);
      assertThat(poll(attachment)).isInstanceOf(Event.Ready.class);
      stalled.add(attachment);
    }
    session.update(SessionUpdate.nothing().withMetadata(Json.of("after")));
    ListedSession shown = null;
    for (Attachment attachment : stalled) {
      ListedSession waiting = ((Event.Added) poll(attachment)).session();
      assertThat(waiting.metadata()).isSameAs(session.metadata());
      assertThat(shown == null ? waiting : shown).isSameAs(waiting);
      assertThat(attachment.poll()).isNull();
      shown = waiting;
    }
    stalled.forEach(attachment -> attachment.detach(CloseReason.GONE));
    broker.close();
    LeakAssert.assertNone(broker);
  }

  private static Event poll(Attachment attachment) {
    return attachment.poll().event();
  }

  private static Attachment watch(Broker broker) {
    List<Attachment> opened = new ArrayList<>();
    Watch unused =
        broker
            .gateway()
            .watch(
                TagFilter.parse("a"),
                attachment -> {
                  opened.add(attachment);
                  return new Transport() {
                    @Override
                    public void ready() {}

                    @Override
                    public void end(CloseReason reason) {
                      attachment.detach(reason);
                    }
                  };
                });
    return opened.get(0);
  }
}
