package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Refusal.Code;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A broker with a policy and a router that tests hold in their hands, and remote clients of it. */
abstract class RequestFixture {

  static final Json LARGE = Json.of("x".repeat(100));

  @RegisterExtension final BrokerLog log = new BrokerLog();

  final ManualTimer timer = new ManualTimer();
  final AtomicReference<@Nullable RefusedException> no = new AtomicReference<>();

  final List<CompletableFuture<Delivery>> routed = new ArrayList<>();

  /** What the policy does while it is asked about a message. */
  Runnable meanwhile = () -> {};

  /** A policy that refuses everything while {@link #no} is set. */
  final AccessPolicy policy =
      new AccessPolicy() {
        @Override
        public SessionSpec host(Caller caller, Channel channel, SessionSpec spec) {
          ask();
          return spec;
        }

        @Override
        public SessionUpdate update(Caller caller, Session session, SessionUpdate update) {
          ask();
          return update;
        }

        @Override
        public void send(Caller caller, Message message) {
          meanwhile.run();
          ask();
        }

        private void ask() {
          RefusedException refused = no.get();
          if (refused != null) {
            throw refused;
          }
        }
      };

  final BrokerBuilder builder =
      Broker.builder()
          .timer(timer)
          .accessPolicy(policy)
          .maxMessageBytes(50)
          .maxMetadataBytes(50)
          .messageRate(new Limits.Rate(1, 2))
          .sessionRate(new Limits.Rate(1, 2));

  @Nullable Broker broker;

  @AfterEach
  void nothingIsLeft() {
    if (broker != null) {
      broker.close();
      LeakAssert.assertNone(broker);
    }
  }

  Gateway open() {
    broker = builder.build();
    return broker.forCaller(Caller.of(null)).gateway();
  }

  /** Opens a broker whose router answers when a test completes what it has {@link #routed}. */
  Gateway openWithSlowRouter() {
    builder.router(
        next ->
            message -> {
              CompletableFuture<Delivery> delivery = new CompletableFuture<>();
              routed.add(delivery);
              return delivery;
            });
    return open();
  }

  Channel remote(Gateway gateway) {
    return gateway
        .openChannel(
            ChannelOptions.none(),
            attachment ->
                new ReceiverTransport(attachment, Runnable::run, null, event -> {}, reason -> {}))
        .toCompletableFuture()
        .join();
  }

  static Request.Actor actor(String id, @Nullable String key) {
    Request.Actor actor = Request.Actor.of(id);
    return key == null ? actor : actor.withKey(key);
  }

  static Request.Actor actor(Channel channel) {
    return actor(channel.id(), channel.key());
  }

  static Answer answer(Gateway gateway, Request request) {
    CompletableFuture<Answer> answer = gateway.perform(request).toCompletableFuture();
    assertThat(answer).isCompleted();
    return answer.join();
  }

  static void assertRefused(Gateway gateway, Request request, Code code) {
    assertThat(answer(gateway, request))
        .isInstanceOfSatisfying(
            Answer.Refused.class, refused -> assertThat(refused.refusal().code()).isEqualTo(code));
  }

  static Request.Send send(Request.Actor actor, String target, Json... messages) {
    return new Request.Send(actor, target, List.of(messages));
  }
}
