package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The listeners' notifications, their time, and what listeners may do. */
final class BrokerListenerTest {

  private static final Json HI = Json.of("hi");

  @RegisterExtension final BrokerLog log = new BrokerLog();

  private final ManualTimer timer = new ManualTimer();
  private final NotingListener listener = new NotingListener();
  private Broker broker = Broker.builder().timer(timer).listener(listener).build();

  @AfterEach
  void nothingIsLeft() {
    broker.close();
    LeakAssert.assertNone(broker);
  }

  private void assertTold(String... what) {
    assertThat(listener.takeTold()).containsExactly(what);
  }

  @Test
  void aChannelsLife() {
    ChannelOptions options = ChannelOptions.none().withResume(Duration.ofSeconds(30));
    ManualTransport line = ManualTransport.open(broker, options);
    assertTold("channelOpened");
    line.readAll();
    line.cut();
    assertTold("channelInterrupted");
    ManualTransport back = ManualTransport.open(broker, options.after(line.lastId()));
    assertTold("channelResumed");
    // The broker takes it for alive.
    ManualTransport again = ManualTransport.open(broker, options.after(line.lastId()));
    assertTold("channelInterrupted", "channelResumed");
    back.cut();
    assertTold();
    again.cut();
    timer.advance(Duration.ofSeconds(29));
    assertTold("channelInterrupted");
    assertThat(broker.stats().waiting()).isEqualTo(1);
    timer.advance(Duration.ofSeconds(1));
    assertTold("channelClosed expired");
    assertThat(broker.stats().waiting()).isZero();
  }

  @Test
  void itsEnds() {
    Party party = new Party(broker);
    party.channel.close();
    party.channel.close();
    assertTold("channelOpened", "channelClosed closed");
    ManualTransport line = ManualTransport.open(broker, ChannelOptions.none());
    line.cut();
    assertTold("channelOpened", "channelClosed gone");
    new Party(broker);
    broker.close();
    assertTold("channelOpened", "channelClosed shutting_down");
    assertThat(broker.stats().channelsClosed())
        .containsEntry(CloseReason.CLOSED, 1L)
        .containsEntry(CloseReason.GONE, 1L)
        .containsEntry(CloseReason.SHUTTING_DOWN, 1L)
        .containsEntry(CloseReason.EXPIRED, 0L);
  }

  @Test
  void aChannelWhoseStreamCouldNotBeginHasClosed() {
    Transport.Opener failing =
        attachment -> {
          throw new IllegalStateException();
        };
    assertThatThrownBy(() -> Wired.openChannel(broker, failing))
        .isInstanceOf(RuntimeException.class);
    assertThatThrownBy(() -> broker.gateway().watch(TagFilter.all(), failing))
        .isInstanceOf(RuntimeException.class);
    assertTold("channelOpened", "channelClosed gone", "watchOpened []", "watchClosed gone");
  }

  @Test
  void whatWaitsForListsIsAFigure() {
    Party party = new Party(broker);
    ManualExecutor stalled = new ManualExecutor();
    Watch watch = broker.watch(TagFilter.parse("a"), new Replay(), stalled);
    stalled.runAll();
    assertThat(broker.stats().watchBytes()).isZero();
    party.host("b");
    assertThat(broker.stats().watchBytes()).isZero();
    Session session = party.host("a");
    assertThat(broker.stats().watchBytes()).isBetween(200L, 2_000L);
    session.close();
    watch.close();
    stalled.runAll();
    assertThat(broker.stats().watchBytes()).isZero();
  }

  @Test
  void sessionsAndLists() {
    Party party = new Party(broker);
    Session session = party.host("a");
    party.host("b");
    session.update(SessionUpdate.nothing().withTags("a", "c"));
    session.update(SessionUpdate.nothing().withTags("a", "c"));
    Watch watch = broker.watch(TagFilter.parse("a"), new Replay(), Runnable::run);
    BrokerStats stats = broker.stats();
    assertThat(stats.channels()).isEqualTo(1);
    assertThat(stats.sessions()).isEqualTo(2);
    assertThat(stats.listed()).isEqualTo(2);
    assertThat(stats.sessionBytes()).isBetween(1_000L, 4_000L);
    assertThat(stats.watches()).isEqualTo(1);
    assertThat(stats.streams()).isEqualTo(2);
    session.update(SessionUpdate.nothing().withListed(false));
    assertThat(broker.stats().listed()).isEqualTo(1);
    session.close();
    session.close();
    watch.close();
    party.channel.close();
    assertTold(
        "channelOpened",
        "sessionOpened [a]",
        "sessionOpened [b]",
        "sessionUpdated [a, c]",
        "watchOpened [a]",
        "sessionUpdated [a, c]",
        "sessionClosed [a, c]",
        "watchClosed closed",
        "sessionClosed [b]",
        "channelClosed closed");
  }

  @Test
  void messages() {
    Party sender = new Party(broker);
    ManualTransport line =
        ManualTransport.open(broker, ChannelOptions.none().withResume(Duration.ofSeconds(30)));
    line.readAll();
    listener.told.clear();
    String target = line.channel.id();
    sender.channel.sendOrThrow(target, HI);
    assertTold("messageAnswered \"hi\" sent");
    line.cut();
    listener.told.clear();
    Delivery.Queued queued = (Delivery.Queued) Party.answer(sender.channel.send(target, HI));
    assertTold("messageAnswered \"hi\" queued " + queued.id());
    assertThat(broker.stats().queuedBytes()).isPositive();
    timer.advance(Duration.ofSeconds(30));
    Object unused = sender.channel.send(target, HI);
    assertTold(
        "channelClosed expired",
        "messageUndelivered \"hi\" " + queued.id() + " expired",
        "messageAnswered \"hi\" unknown_target");
    Object unusedToo = sender.channel.send(new Message(target, sender.id(), HI));
    assertTold("messageAnswered \"hi\" unknown_channel");
    BrokerStats stats = broker.stats();
    assertThat(stats.messagesSent()).isEqualTo(1);
    assertThat(stats.messagesQueued()).isEqualTo(1);
    assertThat(stats.messagesUndelivered()).isEqualTo(1);
    assertThat(stats.messagesRefused())
        .containsEntry(Refusal.Code.UNKNOWN_TARGET, 1L)
        .containsEntry(Refusal.Code.UNKNOWN_CHANNEL, 1L)
        .containsEntry(Refusal.Code.WRONG_KEY, 0L);
  }

  @Test
  void anAnswerThatComesLaterIsToldThen() {
    CompletableFuture<Delivery> routed = new CompletableFuture<>();
    broker = Broker.builder().router(next -> message -> routed).listener(listener).build();
    var answer = new Party(broker).channel.send("x", HI);
    assertTold("channelOpened");
    List<String> before = new ArrayList<>();
    var unused = answer.thenAccept(made -> before.addAll(listener.takeTold()));
    routed.complete(new Delivery.Sent());
    assertThat(before).containsExactly("messageAnswered \"hi\" sent");
    assertThat(broker.stats().messagesSent()).isEqualTo(1);
  }

  @Test
  void refusedCalls() {
    broker =
        Broker.builder()
            .listener(listener)
            .requireSessionKey(true)
            .maxChannels(2)
            .maxWatches(1)
            .maxTagsPerSession(1)
            .maxSessionsPerChannel(1)
            .build();
    Broker strangers = broker.forCaller(Caller.of(null));
    Party party = new Party(strangers);
    Party other = new Party(strangers);
    Session theirs = other.host();
    strangers.watch(TagFilter.all(), new Replay(), Runnable::run);
    listener.told.clear();
    refused(() -> Wired.claim(broker, party.id(), "wrong"));
    refused(() -> Wired.claim(broker, "nobody", "wrong"));
    refused(() -> Wired.claimHost(broker, party.id(), "wrong"));
    refused(() -> Wired.claimHost(broker, party.id(), null));
    refused(() -> party.channel.session("nothing"));
    refused(() -> party.channel.session(theirs.id()));
    refused(() -> party.host("a", "b"));
    refused(() -> theirs.update(SessionUpdate.nothing().withTags("a", "b")));
    refused(other::host);
    refused(() -> new Party(strangers));
    refused(() -> ManualTransport.open(broker, ChannelOptions.none()));
    refused(() -> strangers.watch(TagFilter.all(), new Replay()));
    refused(() -> broker.list(TagFilter.all(), 0, null));
    assertTold(
        "callRefused wrong_key of a channel",
        "callRefused unknown_channel",
        "callRefused wrong_key of a channel",
        "callRefused invalid_request",
        "callRefused unknown_session of a channel",
        "callRefused wrong_key of a channel",
        "callRefused invalid_request of a channel",
        "callRefused invalid_request of a channel",
        "callRefused too_many_sessions of a channel",
        "callRefused at_capacity",
        "callRefused at_capacity",
        "callRefused at_capacity",
        "callRefused invalid_request");
    broker.close();
    listener.told.clear();
    refused(() -> Wired.claim(broker, party.id(), party.channel.key()));
    refused(() -> broker.list(TagFilter.all()));
    assertTold("callRefused shutting_down", "callRefused shutting_down");
    assertThat(broker.stats().callsRefused())
        .containsEntry(Refusal.Code.WRONG_KEY, 3L)
        .containsEntry(Refusal.Code.AT_CAPACITY, 3L)
        .containsEntry(Refusal.Code.SHUTTING_DOWN, 2L);
  }

  @Test
  void whatThePolicyDenies() {
    boolean[] denies = {false};
    AccessPolicy policy =
        new AccessPolicy() {
          private void ask() {
            if (denies[0]) {
              throw AccessPolicy.denied("Not today.");
            }
          }

          @Override
          public void open(Caller caller, ChannelOptions options) {
            ask();
          }

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
            ask();
          }

          @Override
          public Scope scope(Caller caller, TagFilter filter) {
            ask();
            return Scope.all();
          }
        };
    NotingListener guarded = new NotingListener();
    try (Broker broker = Broker.builder().listener(guarded).accessPolicy(policy).build()) {
      Broker view = broker.forCaller(() -> null);
      Channel channel = new Party(view).channel;
      Session session = channel.openSession(SessionSpec.listed("a"));
      guarded.takeTold();
      denies[0] = true;
      refused(() -> new Party(view));
      refused(() -> channel.openSession(SessionSpec.listed()));
      refused(() -> session.update(SessionUpdate.nothing().withListed(false)));
      refused(() -> view.list(TagFilter.all()));
      refused(() -> view.watch(TagFilter.all(), new Replay()));
      assertThat(Party.answer(channel.send(channel.id(), HI))).isInstanceOf(Delivery.Refused.class);
      assertThat(guarded.takeTold())
          .containsExactly(
              "callRefused denied",
              "callRefused denied of a channel",
              "callRefused denied of a channel",
              "callRefused denied",
              "callRefused denied",
              "messageAnswered \"hi\" denied");
      assertThat(view.stats().callsRefused()).containsEntry(Refusal.Code.DENIED, 5L);
      assertThat(view.stats().messagesRefused()).containsEntry(Refusal.Code.DENIED, 1L);
    }
  }

  private static void refused(Runnable call) {
    assertThatThrownBy(call::run).isInstanceOf(RefusedException.class);
  }

  @Test
  void whatOneThrowsHurtsNobody() {
    for (Throwable thrown : List.of(new IllegalStateException(), new Error())) {
      BrokerListener failing =
          new NotingListener() {
            @Override
            void told(String what) {
              BrokerListenerTest.<RuntimeException>sneak(thrown);
            }
          };
      try (Broker failed = Broker.builder().listener(failing).listener(listener).build()) {
        Party party = new Party(failed);
        party.host("a");
        Party.assertSent(party.send(party.id(), "1"));
        assertThat(party.texts()).containsExactly("1");
        party.channel.close();
        LeakAssert.assertNone(failed);
      }
      log.assertHas(thrown);
      assertTold(
          "channelOpened",
          "sessionOpened [a]",
          "messageAnswered 1 sent",
          "sessionClosed [a]",
          "channelClosed closed");
    }
    log.assertSize(10);
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> void sneak(Throwable thrown) throws T {
    throw (T) thrown;
  }

  @Test
  void severalAreCalledInTheirOrder() {
    List<String> order = new ArrayList<>();
    Broker told =
        Broker.builder()
            .listener(on(channel -> order.add("first")))
            .listener(on(channel -> order.add("second")))
            .build();
    new Party(told);
    told.close();
    assertThat(order).containsExactly("first", "second");
    assertThatThrownBy(() -> Broker.builder().listener(null))
        .isInstanceOf(NullPointerException.class)
        .hasMessage("listener");
  }

  private static BrokerListener on(Consumer<Channel> opened) {
    return new BrokerListener() {
      @Override
      public void channelOpened(Channel channel) {
        opened.accept(channel);
      }
    };
  }

  @Test
  void whatAListenerDoesItselfIsToldAfterItsCall() {
    List<Channel> chain = new ArrayList<>();
    List<String> done = new ArrayList<>();
    BrokerListener calling =
        new BrokerListener() {
          @Override
          public void channelClosed(Channel channel, CloseReason reason) {
            int i = chain.indexOf(channel);
            done.add(i + " begins");
            if (i < 2) {
              chain.get(i + 1).close();
              Object unused = chain.get(i + 1).send(channel.id(), HI);
            }
            done.add(i + " ends");
          }
        };
    broker = Broker.builder().listener(calling).listener(listener).build();
    for (int i = 0; i < 3; i++) {
      chain.add(new Party(broker).channel);
    }
    listener.told.clear();
    chain.get(0).close();
    assertThat(done)
        .containsExactly("0 begins", "0 ends", "1 begins", "1 ends", "2 begins", "2 ends");
    assertTold(
        "channelClosed closed",
        "channelClosed closed",
        "messageAnswered \"hi\" unknown_channel",
        "channelClosed closed",
        "messageAnswered \"hi\" unknown_channel");
  }

  /**
   * If it were notified while a lock is held, or before its own is free, this would wait for ever.
   */
  @Test
  void noLockIsHeldWhileItIsCalled() {
    List<Throwable> wrong = new CopyOnWriteArrayList<>();
    ThreadLocal<Boolean> probing = ThreadLocal.withInitial(() -> false);
    NotingListener prober =
        new NotingListener() {
          @Override
          void told(String what) {
            super.told(what);
            if (probing.get()) {
              return;
            }
            try {
              CompletableFuture.runAsync(
                      () -> {
                        probing.set(true);
                        Party party = new Party(broker);
                        party.host("probe");
                        broker.list(TagFilter.all());
                        broker.watch(TagFilter.all(), new Replay(), Runnable::run).close();
                        party.channel.close();
                        probing.set(false);
                      })
                  .get(20, TimeUnit.SECONDS);
            } catch (Exception late) {
              wrong.add(new AssertionError(what, late));
            }
          }
        };
    broker = Broker.builder().timer(timer).listener(prober).build();
    ChannelOptions options = ChannelOptions.none().withResume(Duration.ofSeconds(30));
    ManualTransport line = ManualTransport.open(broker, options);
    line.readAll();
    Party party = new Party(broker);
    Session session = party.host("a");
    session.update(SessionUpdate.nothing().withTags("b"));
    broker.watch(TagFilter.all(), new Replay(), Runnable::run).close();
    session.close();
    party.host("c");
    line.cut();
    ManualTransport back = ManualTransport.open(broker, options.after(line.lastId()));
    party.channel.sendOrThrow(line.channel.id(), HI);
    back.cut();
    party.channel.sendOrThrow(line.channel.id(), HI);
    refused(() -> Wired.claim(broker, party.id(), "wrong"));
    timer.advance(Duration.ofSeconds(30));
    party.channel.close();
    assertThat(wrong).isEmpty();
    for (String hook :
        List.of(
            "channelInterrupted",
            "channelResumed",
            "channelClosed expired",
            "sessionUpdated [b]",
            "sessionClosed [c]",
            "watchClosed closed",
            "callRefused wrong_key of a channel")) {
      assertThat(prober.told).contains(hook);
    }
    assertThat(prober.told).anyMatch(told -> told.startsWith("messageUndelivered"));
  }

  /** One thread is slow to report the opening: another one closes, and does not wait. */
  @Test
  void whatHappensWhileItIsSlowIsToldAfterwards() throws Exception {
    CountDownLatch inOpened = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    NotingListener slow =
        new NotingListener() {
          @Override
          public void sessionOpened(Session session) {
            inOpened.countDown();
            try {
              assertThat(goOn.await(20, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
              throw new AssertionError(e);
            }
            super.sessionOpened(session);
          }
        };
    broker = Broker.builder().listener(slow).build();
    Party party = new Party(broker);
    CompletableFuture<Session> opening = CompletableFuture.supplyAsync(() -> party.host("a"));
    assertThat(inOpened.await(20, TimeUnit.SECONDS)).isTrue();
    party.channel.sessions().get(0).update(SessionUpdate.nothing().withTags("b"));
    party.channel.sessions().get(0).update(SessionUpdate.nothing().withTags("c"));
    party.channel.close();
    assertThat(party.channel.isOpen()).isFalse();
    assertThat(slow.takeTold()).containsExactly("channelOpened");
    goOn.countDown();
    opening.get(20, TimeUnit.SECONDS);
    assertThat(slow.takeTold())
        .containsExactly(
            "sessionOpened [c]",
            "sessionUpdated [c]",
            "sessionUpdated [c]",
            "sessionClosed [c]",
            "channelClosed closed");
  }

  /** Each reported change makes another one: without a bound they keep the thread of the first. */
  @Test
  void noThreadIsKeptWhileOthersGoOn() {
    int changes = 500;
    AtomicInteger told = new AtomicInteger();
    AtomicInteger toldHere = new AtomicInteger();
    Thread here = Thread.currentThread();
    broker =
        Broker.builder()
            .sessionRate(Limits.Rate.UNLIMITED)
            .listener(
                new BrokerListener() {
                  @Override
                  public void sessionUpdated(Session session) {
                    if (Thread.currentThread() == here) {
                      toldHere.incrementAndGet();
                    }
                    int number = told.incrementAndGet();
                    if (number < changes) {
                      session.update(SessionUpdate.nothing().withListed(number % 2 == 1));
                    }
                  }
                })
            .build();
    Session session = new Party(broker).host("a");
    session.update(SessionUpdate.nothing().withListed(false));
    Awaitility.await().untilAsserted(() -> assertThat(told).hasValue(changes));
    assertThat(toldHere).hasPositiveValue().hasValueLessThan(100);
  }
}
