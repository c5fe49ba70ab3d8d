package io.peerbroker.tck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.awaitility.Awaitility.await;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Delivery;
import io.peerbroker.core.Event;
import io.peerbroker.core.Json;
import io.peerbroker.core.Limits;
import io.peerbroker.core.ListedSession;
import io.peerbroker.core.Message;
import io.peerbroker.core.Receiver;
import io.peerbroker.core.Refusal;
import io.peerbroker.core.Session;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.core.TagFilter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What all that serves channels must do, whatever carries the messages.
 *
 * <p>A subclass implements the one method that starts what is tested. The readers are at its far
 * end; their senders are in this JVM. Each test has a broker of its own.
 *
 * @param <T> what is tested
 */
@Timeout(120)
public abstract class ChannelKit<T extends ChannelsUnderTest> {

  static final int MAX_QUEUED_EVENTS = 8;
  private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(5);

  /** More than fit on the way to a reader that takes nothing. */
  private static final int MANY = 5_000;

  private Broker broker;
  private Channel sender;
  private T transport;

  /** For subclasses. */
  protected ChannelKit() {}

  /** Starts what is tested, for a broker of the kit's. It is closed when the test is over. */
  protected abstract T start(Broker broker) throws Exception;

  /**
   * Returns a message with this content, in the form in which the clients take it. A {@link Reader}
   * gives the content back. By default the message is the content.
   */
  protected Json asMessage(Json content) {
    return content;
  }

  /** Returns what the test has started. */
  final T transport() {
    return transport;
  }

  /** Returns the test's broker. */
  final Broker broker() {
    return broker;
  }

  @BeforeEach
  final void open() throws Exception {
    broker =
        Broker.builder()
            .maxQueuedEvents(MAX_QUEUED_EVENTS)
            .messageRate(Limits.Rate.UNLIMITED)
            .sessionRate(Limits.Rate.UNLIMITED)
            .drainTimeout(DRAIN_TIMEOUT)
            .build();
    sender = channel();
    transport = start(broker);
  }

  @AfterEach
  final void close() {
    broker.close();
    transport.close();
  }

  // Messages

  @Test
  void whatIsSentArrivesAsItWasSent() {
    Party party = transport.open();
    for (String json : List.of("null", "1.0", "{\"b\":1,\"a\":[1,1],\"b\":2}", "\"\\u2028 é\"")) {
      assertSent(party.id(), json);
      assertThat(party.next())
          .isEqualTo(new Event.Received(new Message(sender.id(), party.id(), Json.parse(json))));
    }
  }

  @Test
  @DisplayName("The messages of one sender arrive once and in order, though others send too.")
  void messagesArriveOnceAndInOrder() {
    Party party = transport.open();
    int each = 300;
    List<Channel> senders = List.of(channel(), channel(), channel());
    List<CompletableFuture<Void>> sending = new ArrayList<>();
    for (Channel one : senders) {
      sending.add(CompletableFuture.runAsync(() -> sendInTurn(one, party.id(), each)));
    }
    Map<String, Integer> last = new LinkedHashMap<>();
    for (int i = 0; i < each * senders.size(); i++) {
      Message message = message(party.next());
      int before = last.getOrDefault(message.origin(), -1);
      assertThat(number(message)).isEqualTo(before + 1);
      last.put(message.origin(), number(message));
    }
    sending.forEach(CompletableFuture::join);
    assertThat(last.values()).containsExactly(each - 1, each - 1, each - 1);
  }

  private void sendInTurn(Channel from, String target, int count) {
    for (int i = 0; i < count; ) {
      Delivery delivery = deliver(from, target, Json.of(i));
      if (delivery instanceof Delivery.Sent) {
        i++;
      } else {
        assertThat(code(delivery)).isEqualTo(Refusal.Code.TARGET_BUSY);
        Thread.onSpinWait();
      }
    }
  }

  // Bounds

  @Test
  @DisplayName("A reader that stalls has its senders refused, and hinders no others.")
  void aStalledReaderHindersOnlyItsSenders() {
    Party stalled = transport.open();
    Party neighbour = transport.open();
    stalled.stall();

    int accepted = sendUntilBusy(stalled.id());

    assertThat(channelOf(stalled).isOpen()).isTrue();
    for (int i = 0; i < 3; i++) {
      assertSent(neighbour.id(), Integer.toString(i));
      assertThat(number(message(neighbour.next()))).isEqualTo(i);
      assertThat(code(deliver(sender, stalled.id(), large(0)))).isEqualTo(Refusal.Code.TARGET_BUSY);
    }
    stalled.resume();
    for (int i = 0; i < accepted; i++) {
      assertThat(number(message(stalled.next()))).isEqualTo(i);
    }
    await().until(() -> deliver(sender, stalled.id(), large(accepted)) instanceof Delivery.Sent);
    assertThat(number(message(stalled.next()))).isEqualTo(accepted);
  }

  /** Sends large messages with ascending numbers, and returns how many were accepted. */
  final int sendUntilBusy(String target) {
    long size = 0;
    for (int i = 0; i < MANY; i++) {
      Json json = large(i);
      Delivery delivery = deliver(sender, target, json);
      if (!(delivery instanceof Delivery.Sent)) {
        assertThat(code(delivery)).isEqualTo(Refusal.Code.TARGET_BUSY);
        if (transport.bytesOnTheWay() == 0) {
          assertThat(i).isEqualTo(MAX_QUEUED_EVENTS);
        }
        assertThat(i).isGreaterThanOrEqualTo(MAX_QUEUED_EVENTS);
        assertThat(size - (long) MAX_QUEUED_EVENTS * asMessage(json).length())
            .isLessThanOrEqualTo(transport.bytesOnTheWay());
        return i;
      }
      size += asMessage(json).length();
    }
    return fail("The bound never came");
  }

  // Life-cycle

  @Test
  void aCloseDeliversWhatWasQueuedAndThenTellsWhy() {
    Party party = transport.open();
    Session session = channelOf(party).openSession(SessionSpec.listed("a"));
    party.stall();
    for (int i = 0; i < MAX_QUEUED_EVENTS - 1; i++) {
      assertSent(party.id(), Integer.toString(i));
    }
    channelOf(party).close();
    assertGone(party.id(), session.id());
    party.resume();
    for (int i = 0; i < MAX_QUEUED_EVENTS - 1; i++) {
      assertThat(number(message(party.next()))).isEqualTo(i);
    }
    assertThat(party.awaitEnd()).isEqualTo("closed");
  }

  @Test
  @DisplayName("A client that goes away closes its channel with all that it hosts.")
  void aClientThatLeavesClosesItsChannel() {
    Party party = transport.open();
    Party neighbour = transport.open();
    Session first = channelOf(party).openSession(SessionSpec.listed("a"));
    Session second = channelOf(party).openSession(SessionSpec.listed("b"));
    leave(party);
    assertGone(party.id(), first.id(), second.id());
    assertSent(neighbour.id(), "1");
    assertThat(number(message(neighbour.next()))).isEqualTo(1);
  }

  /** Lets a client go away, and waits until its channel is closed. */
  final void leave(Party party) {
    Channel channel = channelOf(party);
    party.leave();
    // Messages to it reveal the loss sooner than the silence would.
    await().until(() -> !(deliver(sender, party.id(), Json.NULL) instanceof Delivery.Sent));
    await().until(() -> !channel.isOpen());
  }

  @Test
  void aShutdownDeliversTheQueueThenTheReason() {
    Party party = transport.open();
    party.stall();
    for (int i = 0; i < MAX_QUEUED_EVENTS - 1; i++) {
      assertSent(party.id(), Integer.toString(i));
    }
    Channel channel = channelOf(party);
    CompletableFuture<Void> closing = CompletableFuture.runAsync(broker::close);
    await().until(() -> !channel.isOpen());
    party.resume();
    for (int i = 0; i < MAX_QUEUED_EVENTS - 1; i++) {
      assertThat(number(message(party.next()))).isEqualTo(i);
    }
    assertThat(party.awaitEnd()).isEqualTo("shutting_down");
    closing.join();
  }

  @Test
  @DisplayName("A shutdown waits for a reader that stalls no longer than its bound.")
  void aStalledReaderDelaysNoShutdown() {
    Party stalled = transport.open();
    stalled.stall();
    sendUntilBusy(stalled.id());
    Channel channel = channelOf(stalled);
    long begun = System.nanoTime();
    broker.close();
    // Somewhat more, for a machine that has other things to do.
    assertThat(Duration.ofNanos(System.nanoTime() - begun))
        .isLessThan(DRAIN_TIMEOUT.plusSeconds(10));
    assertThat(channel.isOpen()).isFalse();
  }

  // Helpers of the tests

  /** Opens a channel of this JVM, which drops what it receives. */
  final Channel channel() {
    return broker.openChannel((Receiver) (channel, message) -> {});
  }

  /** Returns the channel of a reader. */
  final Channel channelOf(Party party) {
    return Objects.requireNonNull(broker.findChannel(party.id()), "The party has a channel");
  }

  /** Sends a message with this content. */
  private Delivery deliver(Channel from, String target, Json content) {
    return from.send(target, asMessage(content)).toCompletableFuture().join();
  }

  private void assertSent(String target, String json) {
    assertThat(deliver(sender, target, Json.parse(json))).isEqualTo(new Delivery.Sent());
  }

  private void assertGone(String... ids) {
    for (String id : ids) {
      assertThat(code(deliver(sender, id, Json.NULL))).isEqualTo(Refusal.Code.UNKNOWN_TARGET);
    }
    assertThat(broker.list(TagFilter.all()).sessions())
        .extracting(ListedSession::id)
        .doesNotContain(ids);
  }

  private static Refusal.Code code(Delivery delivery) {
    return delivery instanceof Delivery.Refused refused
        ? refused.refusal().code()
        : fail("Not refused: " + delivery);
  }

  private static Message message(Event event) {
    return event instanceof Event.Received received
        ? received.message()
        : fail("No message: " + event);
  }

  /** A message that carries a number, and fills the way to a reader. */
  static Json large(int number) {
    return Json.of(List.of(number, "x".repeat(15_000)));
  }

  /** The number that a message carries, large or not. */
  private static int number(Message message) {
    Json json = message.json();
    Json number = json.isArray() ? json.elements().get(0) : json;
    return Integer.parseInt(number.toString());
  }
}
