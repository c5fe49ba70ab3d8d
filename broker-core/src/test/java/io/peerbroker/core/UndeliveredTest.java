package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the sender of a queued message learns when no reader comes for it: rule M15. */
final class UndeliveredTest {

  private static final Duration GRACE = Duration.ofSeconds(30);
  private static final ChannelOptions RESUME = ChannelOptions.none().withResume(GRACE);

  private final ManualTimer timer = new ManualTimer();
  private final Broker broker =
      Broker.builder().timer(timer).maxQueuedEvents(5).drainTimeout(Duration.ZERO).build();
  private final ManualTransport origin = ManualTransport.open(broker, RESUME);
  private final ManualTransport target = ManualTransport.open(broker, RESUME);

  @BeforeEach
  void begin() {
    origin.readAll();
    target.readAll();
  }

  @AfterEach
  void nothingIsLeft() {
    broker.close();
    LeakAssert.assertNone(broker);
    assertThat(timer.scheduled()).isZero();
  }

  private static Delivery send(ManualTransport from, ManualTransport to, int number) {
    return from.channel.send(to.channel.id(), Json.of(number)).toCompletableFuture().join();
  }

  private static String queued(ManualTransport from, ManualTransport to) {
    return ((Delivery.Queued) send(from, to, 1)).id();
  }

  private ManualTransport comeBack(ManualTransport line) {
    ManualTransport back = ManualTransport.open(broker, RESUME.after(line.lastId()));
    assertThat(back.channel).isSameAs(line.channel);
    return back;
  }

  @Test
  void theOriginIsToldOnceAndWhy() {
    target.cut();
    String first = queued(origin, target);
    String second = queued(origin, target);
    timer.advance(GRACE);
    target.channel.close();
    assertThat(origin.readAll())
        .containsExactly("undelivered " + first + " expired", "undelivered " + second + " expired");
  }

  @Test
  void aCloseInTheGraceIsTheReason() {
    target.cut();
    String id = queued(origin, target);
    target.channel.close();
    assertThat(origin.readAll()).containsExactly("undelivered " + id + " closed");
  }

  @Test
  void whatTheNetworkHasTakenIsNotTold() {
    target.cut();
    String first = queued(origin, target);
    String second = queued(origin, target);
    ManualTransport back = comeBack(target);
    back.poll();
    back.consumed(1);
    back.cut();
    // It waits for the next reader again, but a reader has been given it.
    comeBack(target).cut();
    timer.advance(GRACE);
    assertThat(origin.readAll()).containsExactly("undelivered " + second + " expired");
    assertThat(first).isNotEqualTo(second);
  }

  @Test
  void whatBrokeOffOnItsWayIsTold() {
    target.cut();
    String first = queued(origin, target);
    String second = queued(origin, target);
    ManualTransport back = comeBack(target);
    back.poll();
    back.cut();
    timer.advance(GRACE);
    assertThat(origin.readAll())
        .containsExactly("undelivered " + first + " expired", "undelivered " + second + " expired");
  }

  @Test
  void whatIsDeliveredAfterAllIsNotTold() {
    target.cut();
    queued(origin, target);
    ManualTransport back = comeBack(target);
    back.poll();
    back.cut();
    comeBack(target).readAll();
    target.channel.close();
    assertThat(origin.readAll()).isEmpty();
  }

  @Test
  void whatWasAnsweredAsSentIsNotTold() {
    assertThat(send(origin, target, 1)).isEqualTo(new Delivery.Sent());
    target.cut();
    timer.advance(GRACE);
    assertThat(origin.readAll()).isEmpty();
  }

  @Test
  void anAwayOriginIsToldWhenItComesBack() {
    target.cut();
    String id = queued(origin, target);
    timer.advance(GRACE.dividedBy(2));
    origin.cut();
    timer.advance(GRACE.dividedBy(2));
    assertThat(target.channel.isOpen()).isFalse();
    assertThat(comeBack(origin).readAll()).containsExactly("undelivered " + id + " expired");
  }

  @Test
  void itNeverCausesAnother() {
    target.cut();
    origin.cut();
    // Each has queued for the other; the news that the second's is lost dies with the first.
    queued(origin, target);
    queued(target, origin);
    timer.advance(GRACE);
    assertThat(origin.channel.isOpen()).isFalse();
    assertThat(target.channel.isOpen()).isFalse();
  }

  @Test
  void whereThereIsNoRoomItIsDropped() {
    target.cut();
    for (int i = 0; i < 5; i++) {
      queued(origin, target);
      assertThat(send(origin, origin, i)).isEqualTo(new Delivery.Sent());
    }
    timer.advance(GRACE);
    assertThat(origin.readAll()).containsExactly("0", "1", "2", "3", "4");
  }

  @Test
  void anOriginThatIsGoneIsNotTold() {
    target.cut();
    queued(origin, target);
    origin.channel.close();
    timer.advance(GRACE);
    origin.cut();
  }

  @Test
  void aMessageToOneselfIsToldToNobody() {
    target.cut();
    queued(target, target);
    timer.advance(GRACE);
    assertThat(origin.readAll()).isEmpty();
  }

  @Test
  void nobodyIsQueuedForWhoCannotComeBack() {
    ManualTransport plain = ManualTransport.open(broker, ChannelOptions.none());
    plain.readAll();
    assertThat(send(origin, plain, 1)).isEqualTo(new Delivery.Sent());
    plain.cut();
    Party.assertRefused(send(origin, plain, 1), Refusal.Code.UNKNOWN_TARGET);
    assertThat(origin.readAll()).isEmpty();
  }
}
