package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/**
 * A listener that checks the broker's contract: the order for each channel, session and watch, and
 * figures that equal the notifications.
 */
final class ContractListener implements BrokerListener {

  private enum Life {
    OPEN,
    WAITING,
    CLOSED
  }

  /** The notifications about one thing; changed by one call at a time, as promised. */
  private static final class Told {
    @Nullable Life life;
    boolean inCall;
    int openSessions;
  }

  private final Map<Object, Told> all = new ConcurrentHashMap<>();
  private final Queue<String> wrong = new ConcurrentLinkedQueue<>();
  final Map<String, AtomicLong> calls = new ConcurrentHashMap<>();

  private final int spins;

  ContractListener() {
    this(1);
  }

  /** A slow one. */
  ContractListener(int spins) {
    this.spins = spins;
  }

  long calls(String name) {
    AtomicLong count = calls.get(name);
    return count == null ? 0 : count.get();
  }

  private void count(String name) {
    calls.computeIfAbsent(name, unused -> new AtomicLong()).incrementAndGet();
  }

  private void tell(String what, Object of, Predicate<@Nullable Life> from, Life to) {
    count(what);
    Told told = all.computeIfAbsent(of, unused -> new Told());
    Life before;
    synchronized (told) {
      if (told.inCall) {
        wrong.add(what + " inside another call for " + of);
      }
      told.inCall = true;
      before = told.life;
      if (!from.test(before)) {
        wrong.add(what + " of " + of + ", which is " + before);
      }
      if (of instanceof Channel && to == Life.CLOSED && told.openSessions != 0) {
        wrong.add(what + " of " + of + " before " + told.openSessions + " sessions");
      }
    }
    // Slow, so that other threads come in between.
    for (int i = 0; i < spins; i++) {
      Thread.onSpinWait();
    }
    if (of instanceof Session session && (before == null || to == Life.CLOSED)) {
      Told host = all.get(session.host());
      if (host == null) {
        wrong.add(what + " of " + of + " before its host");
      } else {
        synchronized (host) {
          host.openSessions += to == Life.CLOSED ? -1 : 1;
        }
      }
    }
    synchronized (told) {
      told.life = to;
      told.inCall = false;
    }
  }

  private static boolean isNew(@Nullable Life life) {
    return life == null;
  }

  private static boolean lives(@Nullable Life life) {
    return life == Life.OPEN || life == Life.WAITING;
  }

  @Override
  public void channelOpened(Channel channel) {
    tell("channelOpened", channel, ContractListener::isNew, Life.OPEN);
  }

  @Override
  public void channelInterrupted(Channel channel) {
    tell("channelInterrupted", channel, life -> life == Life.OPEN, Life.WAITING);
  }

  @Override
  public void channelResumed(Channel channel) {
    tell("channelResumed", channel, life -> life == Life.WAITING, Life.OPEN);
  }

  @Override
  public void channelClosed(Channel channel, CloseReason reason) {
    tell("channelClosed", channel, ContractListener::lives, Life.CLOSED);
    count("channelClosed " + reason);
  }

  @Override
  public void sessionOpened(Session session) {
    tell("sessionOpened", session, ContractListener::isNew, Life.OPEN);
  }

  @Override
  public void sessionUpdated(Session session) {
    tell("sessionUpdated", session, ContractListener::lives, Life.OPEN);
  }

  @Override
  public void sessionClosed(Session session) {
    tell("sessionClosed", session, ContractListener::lives, Life.CLOSED);
  }

  @Override
  public void watchOpened(Watch watch) {
    tell("watchOpened", watch, ContractListener::isNew, Life.OPEN);
  }

  @Override
  public void watchClosed(Watch watch, CloseReason reason) {
    tell("watchClosed", watch, ContractListener::lives, Life.CLOSED);
    count("watchClosed " + reason);
  }

  @Override
  public void messageAnswered(Channel sender, Message message, Delivery delivery) {
    if (delivery instanceof Delivery.Refused refused) {
      count("refused " + refused.refusal().code());
    } else {
      count(delivery instanceof Delivery.Sent ? "sent" : "queued");
    }
  }

  @Override
  public void messageUndelivered(Message message, String id, CloseReason reason) {
    count("undelivered");
  }

  @Override
  public void callRefused(@Nullable Channel channel, Refusal refusal) {
    count("callRefused " + refusal.code());
  }

  /**
   * Checks that no notification broke the contract, and that the figures of a quiet broker equal
   * the notifications once the pending ones are done.
   */
  void assertAgrees(Broker broker) {
    Awaitility.await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(1))
        .untilAsserted(() -> assertAgreesNow(broker));
  }

  private void assertAgreesNow(Broker broker) {
    BrokerStats stats = broker.stats();
    assertThat(wrong).isEmpty();
    assertThat(stats.channelsOpened()).isEqualTo(calls("channelOpened"));
    assertThat(stats.channelsInterrupted()).isEqualTo(calls("channelInterrupted"));
    assertThat(stats.channelsResumed()).isEqualTo(calls("channelResumed"));
    assertThat(stats.channelsClosed()).isEqualTo(reasons("channelClosed "));
    assertThat(stats.sessionsOpened()).isEqualTo(calls("sessionOpened"));
    assertThat(stats.sessionsUpdated()).isEqualTo(calls("sessionUpdated"));
    assertThat(stats.sessionsClosed()).isEqualTo(calls("sessionClosed"));
    assertThat(stats.watchesOpened()).isEqualTo(calls("watchOpened"));
    assertThat(stats.watchesClosed()).isEqualTo(reasons("watchClosed "));
    assertThat(stats.messagesSent()).isEqualTo(calls("sent"));
    assertThat(stats.messagesQueued()).isEqualTo(calls("queued"));
    assertThat(stats.messagesUndelivered()).isEqualTo(calls("undelivered"));
    assertThat(stats.messagesRefused()).isEqualTo(codes("refused "));
    assertThat(stats.callsRefused()).isEqualTo(codes("callRefused "));
    assertThat(stats.channels()).isEqualTo(living(Channel.class));
    assertThat(stats.sessions()).isEqualTo(living(Session.class));
    assertThat(stats.watches()).isEqualTo(living(Watch.class));
    assertThat(stats.waiting())
        .isEqualTo((int) all.values().stream().filter(t -> t.life == Life.WAITING).count());
  }

  private int living(Class<?> kind) {
    return (int)
        all.entrySet().stream()
            .filter(each -> kind.isInstance(each.getKey()) && lives(each.getValue().life))
            .count();
  }

  private Map<CloseReason, Long> reasons(String name) {
    Map<CloseReason, Long> told = new EnumMap<>(CloseReason.class);
    for (CloseReason reason : CloseReason.values()) {
      told.put(reason, calls(name + reason));
    }
    return told;
  }

  private Map<Refusal.Code, Long> codes(String name) {
    Map<Refusal.Code, Long> told = new EnumMap<>(Refusal.Code.class);
    for (Refusal.Code code : Refusal.Code.values()) {
      told.put(code, calls(name + code));
    }
    return told;
  }
}
