package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;

/**
 * A receiver that records, with the channel it owns. It runs on the test's own thread unless stated
 * otherwise.
 */
final class Party implements Receiver {

  final List<Message> received = new CopyOnWriteArrayList<>();
  final List<CloseReason> closed = new CopyOnWriteArrayList<>();
  final Channel channel;

  Party(Broker broker) {
    this(broker, Runnable::run);
  }

  Party(Broker broker, Executor executor) {
    channel = broker.openChannel(this, executor);
  }

  @Override
  public void received(Channel to, Message message) {
    assertThat(closed).isEmpty();
    received.add(message);
  }

  @Override
  public void closed(Channel which, CloseReason reason) {
    closed.add(reason);
  }

  String id() {
    return channel.id();
  }

  Session host(String... tags) {
    return channel.openSession(SessionSpec.listed(tags));
  }

  Delivery send(String target, String json) {
    return answer(channel.send(target, Json.parse(json)));
  }

  /** The JSON of all that was received. */
  List<String> texts() {
    return received.stream().map(message -> message.json().toString()).toList();
  }

  /** A delivery that must be known at once. */
  static Delivery answer(CompletionStage<Delivery> stage) {
    assertThat(stage.toCompletableFuture()).isDone();
    return stage.toCompletableFuture().join();
  }

  static void assertSent(Delivery delivery) {
    assertThat(delivery).isEqualTo(new Delivery.Sent());
  }

  static void assertRefused(Delivery delivery, Refusal.Code code) {
    assertThat(delivery)
        .isInstanceOfSatisfying(
            Delivery.Refused.class,
            refused -> assertThat(refused.refusal().code()).isEqualTo(code));
  }
}
