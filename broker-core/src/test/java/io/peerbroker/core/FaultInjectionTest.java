package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Foreign code that fails, at each place where it can: permits, streams, bytes and tasks are all
 * returned, and the broker goes on.
 */
final class FaultInjectionTest {

  private static final Duration LEASE = Duration.ofSeconds(15);
  private static final Duration GRACE = Duration.ofSeconds(30);
  private static final ChannelOptions BOTH =
      ChannelOptions.none().withResume(GRACE).withLease(LEASE);

  @RegisterExtension final BrokerLog log = new BrokerLog();

  private final ManualTimer time = new ManualTimer();

  static List<Throwable> failures() {
    return List.of(new RejectedExecutionException("on purpose"), new LinkageError("on purpose"));
  }

  /** Fails at one of its calls, counted from 0. */
  private static final class Fault {

    private final int at;
    private final Throwable with;
    private final AtomicInteger calls = new AtomicInteger();
    private boolean disarmed;

    Fault(int at, Throwable with) {
      this.at = at;
      this.with = with;
    }

    void call() {
      if (!disarmed && calls.getAndIncrement() == at) {
        throwIt();
      }
    }

    private void throwIt() {
      if (with instanceof Error error) {
        throw error;
      }
      throw (RuntimeException) with;
    }

    /** Whether the fault has happened; it does not happen again. */
    boolean hasHappened() {
      disarmed = true;
      return calls.get() > at;
    }
  }

  /** The timer of the test, which refuses a task when a fault is due. */
  private Timer refusing(Fault fault) {
    return new Timer() {
      @Override
      public long nanoTime() {
        return time.nanoTime();
      }

      @Override
      public Scheduled schedule(Duration delay, Runnable task) {
        fault.call();
        return time.schedule(delay, task);
      }
    };
  }

  /**
   * Runs everything that uses foreign code, each step on its own: a failure must not hinder the
   * others.
   */
  private void live(Broker broker, Fault transports) {
    ManualExecutor hands = new ManualExecutor();
    List<Party> parties = new ArrayList<>();
    attempt(() -> parties.add(new Party(broker)));
    attempt(() -> parties.add(new Party(broker, hands)));
    attempt(() -> broker.watch(TagFilter.all(), new Replay(), Runnable::run));
    attempt(() -> broker.watch(TagFilter.all(), new Replay(), hands));
    for (Party party : parties) {
      attempt(() -> party.host("a"));
      attempt(() -> party.send(party.id(), "1"));
    }
    List<ManualTransport> lines = new ArrayList<>();
    attempt(() -> lines.add(openFaulty(broker, BOTH, transports)));
    attempt(() -> lines.add(openFaulty(broker, ChannelOptions.none(), transports)));
    if (!lines.isEmpty()) {
      ManualTransport first = lines.get(0);
      first.readAll();
      attempt(() -> first.channel.openSession(SessionSpec.listed("b")));
      attempt(first::cut);
      attempt(() -> parties.forEach(party -> party.send(first.channel.id(), "2")));
      for (int i = 0; i < 2 && !first.ids.isEmpty(); i++) {
        attempt(() -> lines.add(openFaulty(broker, BOTH.after(first.lastId()), transports)));
      }
    }
    hands.runAll();
    for (int i = 0; i < 5; i++) {
      attempt(() -> time.advance(LEASE));
    }
    lines.forEach(line -> attempt(line::cut));
    attempt(() -> time.advance(GRACE));
    hands.runAll();
  }

  private static ManualTransport openFaulty(Broker broker, ChannelOptions options, Fault fault) {
    ManualTransport line =
        new ManualTransport() {
          @Override
          public void ready() {
            fault.call();
          }

          @Override
          public void end(CloseReason reason) {
            super.end(reason);
            fault.call();
          }
        };
    line.channel =
        Wired.openChannel(
            broker,
            options,
            attachment -> {
              fault.call();
              return line.attach(attachment);
            });
    return line;
  }

  private static void attempt(Runnable step) {
    try {
      step.run();
    } catch (RuntimeException | Error failed) {
      assertThat(failed)
          .satisfiesAnyOf(
              thrown -> assertThat(thrown).isInstanceOf(RefusedException.class),
              thrown -> assertThat(thrown).isInstanceOf(RejectedExecutionException.class),
              thrown -> assertThat(thrown).isInstanceOf(LinkageError.class));
    }
  }

  private void assertItWorks(Broker broker) {
    ManualTransport line = ManualTransport.open(broker, BOTH);
    line.readAll();
    Party sender = new Party(broker);
    Party.assertSent(sender.send(line.channel.id(), "1"));
    assertThat(line.readAll()).containsExactly("1");
    line.cut();
    assertThat(sender.send(line.channel.id(), "2")).isInstanceOf(Delivery.Queued.class);
    ManualTransport back = ManualTransport.open(broker, BOTH.after(line.lastId()));
    assertThat(back.readAll()).containsExactly("2");
    time.advance(LEASE);
    time.advance(GRACE);
    assertThat(line.channel.isOpen()).isFalse();
    sender.channel.close();
  }

  private void assertNothingIsLeft(Broker broker) {
    broker.close();
    LeakAssert.assertNone(broker);
    // A receiver that has not begun its turn is looked after once more.
    time.advance(ReceiverTransport.LOOK);
    assertThat(time.scheduled()).as("tasks").isZero();
  }

  private BrokerBuilder builder() {
    return Broker.builder().timer(time).drainTimeout(Duration.ZERO);
  }

  @ParameterizedTest
  @MethodSource("failures")
  @DisplayName("A timer that rejects any one of its tasks.")
  void timer(Throwable failure) {
    boolean happened = true;
    for (int at = 0; happened; at++) {
      Fault fault = new Fault(at, failure);
      Broker broker = builder().timer(refusing(fault)).build();
      live(broker, new Fault(-1, failure));
      happened = fault.hasHappened();
      assertItWorks(broker);
      assertNothingIsLeft(broker);
      assertThat(at).isLessThan(100);
    }
  }

  @ParameterizedTest
  @MethodSource("failures")
  @DisplayName("A transport, or its opener, that fails at any of its calls.")
  void transports(Throwable failure) {
    boolean happened = true;
    for (int at = 0; happened; at++) {
      Fault fault = new Fault(at, failure);
      Broker broker = builder().build();
      live(broker, fault);
      happened = fault.hasHappened();
      assertItWorks(broker);
      assertNothingIsLeft(broker);
      assertThat(at).isLessThan(200);
    }
  }

  @ParameterizedTest
  @MethodSource("failures")
  @DisplayName("A router that fails at any one of its calls.")
  void router(Throwable failure) {
    boolean happened = true;
    for (int at = 0; happened; at++) {
      Fault fault = new Fault(at, failure);
      Broker broker =
          builder()
              .router(
                  own ->
                      message -> {
                        fault.call();
                        return own.route(message);
                      })
              .build();
      live(broker, new Fault(-1, failure));
      happened = fault.hasHappened();
      assertNothingIsLeft(broker);
      assertThat(at).isLessThan(200);
    }
  }

  @ParameterizedTest
  @MethodSource("failures")
  @DisplayName("A listener that fails at any one of its calls.")
  void listener(Throwable failure) {
    boolean happened = true;
    for (int at = 0; happened; at++) {
      Fault fault = new Fault(at, failure);
      BrokerListener failing =
          new BrokerListener() {
            @Override
            public void channelOpened(Channel channel) {
              fault.call();
            }

            @Override
            public void channelInterrupted(Channel channel) {
              fault.call();
            }

            @Override
            public void channelResumed(Channel channel) {
              fault.call();
            }

            @Override
            public void channelClosed(Channel channel, CloseReason reason) {
              fault.call();
            }

            @Override
            public void sessionOpened(Session session) {
              fault.call();
            }

            @Override
            public void sessionClosed(Session session) {
              fault.call();
            }

            @Override
            public void watchOpened(Watch watch) {
              fault.call();
            }

            @Override
            public void watchClosed(Watch watch, CloseReason reason) {
              fault.call();
            }

            @Override
            public void messageAnswered(Channel sender, Message message, Delivery delivery) {
              fault.call();
            }

            @Override
            public void messageUndelivered(Message message, String id, CloseReason reason) {
              fault.call();
            }

            @Override
            public void callRefused(Channel channel, Refusal refusal) {
              fault.call();
            }
          };
      Broker broker = builder().listener(failing).build();
      live(broker, new Fault(-1, failure));
      happened = fault.hasHappened();
      assertItWorks(broker);
      assertNothingIsLeft(broker);
      assertThat(at).isLessThan(200);
    }
  }

  @Test
  @DisplayName(
      "An opener that fails or makes no stream: for a new channel, a resumed one or a watch.")
  void openers() {
    List<String> told = new ArrayList<>();
    Broker broker =
        builder()
            .listener(
                new BrokerListener() {
                  @Override
                  public void channelOpened(Channel channel) {
                    told.add("opened");
                  }

                  @Override
                  public void channelInterrupted(Channel channel) {
                    told.add("interrupted");
                  }

                  @Override
                  public void channelClosed(Channel channel, CloseReason reason) {
                    told.add("closed " + reason);
                  }
                })
            .build();
    Transport.Opener failing =
        attachment -> {
          throw new IllegalStateException("on purpose");
        };
    Transport.Opener none = attachment -> null;
    for (Transport.Opener opener : List.of(failing, none)) {
      assertThatThrownBy(() -> Wired.openChannel(broker, BOTH, opener))
          .isInstanceOfAny(IllegalStateException.class, NullPointerException.class);
      assertThatThrownBy(() -> broker.gateway().watch(TagFilter.all(), opener))
          .isInstanceOfAny(IllegalStateException.class, NullPointerException.class);
      // It has a grace, but no reader that comes back in it.
      assertThat(told).containsExactly("opened", "closed GONE");
      told.clear();
      LeakAssert.assertNone(broker);
      ManualTransport line = ManualTransport.open(broker, BOTH);
      line.readAll();
      line.cut();
      assertThatThrownBy(() -> Wired.openChannel(broker, BOTH.after(line.lastId()), opener))
          .isInstanceOfAny(IllegalStateException.class, NullPointerException.class);
      assertThat(line.channel.isOpen()).isTrue();
      assertThat(broker.stats().streams()).isZero();
      time.advance(GRACE);
      assertThat(line.channel.isOpen()).isFalse();
      told.clear();
      LeakAssert.assertNone(broker);
    }
    assertNothingIsLeft(broker);
  }
}
