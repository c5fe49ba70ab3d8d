package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Refusal.Code;
import java.security.Principal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;

/** A broker whose channels' streams carry lists, for the tests of them. */
abstract class ListsFixture {

  static final ChannelOptions RESUME = ChannelOptions.none().withResume(Duration.ofMinutes(1));
  static final ParsedFilter TAGGED = ParsedFilter.of(TagFilter.parse("a"));
  static final Caller ADA = caller("ada");
  static final Caller BOB = caller("bob");
  static final Caller CAROL = caller("carol");

  static Caller caller(String name) {
    Principal principal = () -> name;
    return Caller.of(principal);
  }

  final ManualTimer timer = new ManualTimer();
  final ContractListener witness = new ContractListener();

  /** What each caller may see. */
  Function<Caller, Scope> scope = caller -> Scope.all();

  /** Who was asked about. */
  final List<String> asked = new ArrayList<>();

  final AccessPolicy policy =
      new AccessPolicy() {
        @Override
        public Scope scope(Caller caller, TagFilter filter) {
          asked.add(caller.principal().getName() + " " + filter);
          return scope.apply(caller);
        }
      };

  final LocalBroker broker =
      (LocalBroker)
          Broker.builder()
              .timer(timer)
              .accessPolicy(policy)
              .listener(witness)
              .maxWatches(6)
              .maxWatchesPerChannel(3)
              .maxQueuedEvents(4)
              .maxReplayEvents(50)
              .messageRate(Limits.Rate.UNLIMITED)
              .sessionRate(Limits.Rate.UNLIMITED)
              .listPause(Duration.ZERO)
              .drainTimeout(Duration.ZERO)
              .build();
  final Party host = new Party(broker);

  @AfterEach
  void nothingIsLeft() {
    broker.close();
    LeakAssert.assertNone(broker);
    witness.assertAgrees(broker);
    assertThat(timer.scheduled()).isZero();
  }

  static ManualTransport open(Broker broker, ChannelOptions options, Caller caller) {
    ManualTransport line = new ManualTransport();
    line.channel =
        broker
            .forCaller(caller)
            .gateway()
            .openChannel(options, line::attach)
            .toCompletableFuture()
            .join();
    return line;
  }

  /** A channel of Ada's that may come back, whose first event has been read. */
  ManualTransport opened() {
    ManualTransport line = open(broker, RESUME, ADA);
    assertThat(line.readAll()).containsExactly("channel");
    return line;
  }

  ManualTransport comeBack(ManualTransport line, Caller caller) {
    ManualTransport back = open(broker, RESUME.after(line.lastId()), caller);
    assertThat(back.channel.id()).isEqualTo(line.channel.id());
    back.ids.addAll(line.ids);
    return back;
  }

  static Request.Actor actor(Channel channel) {
    return Request.Actor.of(channel.id()).withKey(channel.key());
  }

  Answer answer(Request request) {
    return broker.forCaller(ADA).gateway().perform(request).toCompletableFuture().join();
  }

  Answer ask(ManualTransport line, String name, String filter) {
    return answer(new Request.Watch(actor(line.channel), name, TagFilter.parse(filter)));
  }

  void watch(ManualTransport line, String name, String filter) {
    assertThat(ask(line, name, filter)).isEqualTo(Answer.Done.DONE);
  }

  void unwatch(ManualTransport line, String name) {
    assertThat(answer(new Request.Unwatch(actor(line.channel), name))).isEqualTo(Answer.Done.DONE);
  }

  void assertRefused(ManualTransport line, String name, String filter, Code code) {
    assertThat(ask(line, name, filter))
        .isInstanceOfSatisfying(
            Answer.Refused.class, refused -> assertThat(refused.refusal().code()).isEqualTo(code));
  }

  static RefusedException full() {
    return new RefusedException(Refusals.listTooLong(1, 1));
  }

  int permits() {
    return broker.streams.watches.taken();
  }
}
