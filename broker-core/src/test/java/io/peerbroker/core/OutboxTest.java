package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.peerbroker.core.Outbox.Answer;
import org.junit.jupiter.api.Test;

final class OutboxTest {

  private static final int SIZE = new Event.Ready(0).size();

  private final Budget budget = new Budget(10L * SIZE);
  private final Outbox outbox = new Outbox(3, 100 * SIZE, budget);

  private static Envelope event(int number) {
    return new Envelope(new Event.Ready(number));
  }

  private Answer offer(int number) {
    return outbox.offer(event(number));
  }

  private int poll() {
    Envelope polled = outbox.poll();
    return polled == null ? -1 : ((Event.Ready) polled.event()).count();
  }

  @Test
  void givesEachOnceInOrder() {
    offer(1);
    offer(2);
    assertThat(poll()).isEqualTo(1);
    offer(3);
    assertThat(poll()).isEqualTo(2);
    assertThat(poll()).isEqualTo(3);
    assertThat(poll()).isEqualTo(-1);
  }

  @Test
  void isFullAtItsBoundOfEventsAndPollingAloneMakesNoRoom() {
    assertThat(offer(1)).isEqualTo(Answer.ACCEPTED);
    assertThat(offer(2)).isEqualTo(Answer.ACCEPTED);
    assertThat(offer(3)).isEqualTo(Answer.ACCEPTED);
    assertThat(offer(4)).isEqualTo(Answer.FULL);
    poll();
    poll();
    assertThat(offer(4)).isEqualTo(Answer.FULL);
    outbox.taken(1);
    assertThat(offer(4)).isEqualTo(Answer.ACCEPTED);
    assertThat(offer(5)).isEqualTo(Answer.FULL);
    assertThat(budget.used()).isEqualTo(3L * SIZE);
  }

  @Test
  void isFullAtItsBoundOfBytes() {
    Outbox small = new Outbox(100, 2 * SIZE, budget);
    assertThat(small.offer(event(1))).isEqualTo(Answer.ACCEPTED);
    assertThat(small.offer(event(2))).isEqualTo(Answer.ACCEPTED);
    assertThat(small.offer(event(3))).isEqualTo(Answer.FULL);

    Outbox smaller = new Outbox(100, 2 * SIZE - 1, budget);
    assertThat(smaller.offer(event(1))).isEqualTo(Answer.ACCEPTED);
    assertThat(smaller.offer(event(2))).isEqualTo(Answer.FULL);
  }

  @Test
  void takesOneThatIsLargerThanItsBoundWhenThereIsNothingElse() {
    Outbox tiny = new Outbox(100, 1, budget);
    assertThat(tiny.offer(event(1))).isEqualTo(Answer.ACCEPTED);
    assertThat(tiny.offer(event(2))).isEqualTo(Answer.FULL);
    tiny.poll();
    tiny.taken(1);
    assertThat(tiny.offer(event(2))).isEqualTo(Answer.ACCEPTED);
  }

  @Test
  void refusesBeyondWhatAllTogetherMayHold() {
    assertThat(budget.reserve(9 * SIZE)).isTrue();
    assertThat(offer(1)).isEqualTo(Answer.ACCEPTED);
    assertThat(offer(2)).isEqualTo(Answer.OVER_BUDGET);
    assertThat(budget.used()).isEqualTo(10L * SIZE);
    poll();
    outbox.taken(1);
    assertThat(offer(2)).isEqualTo(Answer.ACCEPTED);
    assertThat(poll()).isEqualTo(2);
  }

  @Test
  void closedTakesNothingMoreButGivesWhatItHas() {
    offer(1);
    outbox.close();
    assertThat(offer(2)).isEqualTo(Answer.CLOSED);
    assertThat(poll()).isEqualTo(1);
    assertThat(poll()).isEqualTo(-1);
    outbox.taken(1);
    assertThat(budget.used()).isZero();
  }

  @Test
  void discardedHoldsNothing() {
    offer(1);
    offer(2);
    poll();
    outbox.discard();
    assertThat(budget.used()).isZero();
    assertThat(poll()).isEqualTo(-1);
    assertThat(offer(3)).isEqualTo(Answer.CLOSED);
    outbox.discard();
    assertThat(budget.used()).isZero();
  }

  @Test
  void whatIsTakenAfterItWasDiscardedDoesNotCountTwice() {
    offer(1);
    poll();
    outbox.discard();
    outbox.taken(1);
    assertThat(budget.used()).isZero();
  }

  @Test
  void noMoreIsTakenThanWasPolled() {
    offer(1);
    offer(2);
    poll();
    outbox.taken(1);
    assertThatIllegalStateException().isThrownBy(() -> outbox.taken(1));
    assertThat(poll()).isEqualTo(2);
    assertThat(budget.used()).isEqualTo(SIZE);
  }
}
