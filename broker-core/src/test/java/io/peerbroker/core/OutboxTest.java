package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.peerbroker.core.Outbox.Answer;
import org.junit.jupiter.api.Test;

final class OutboxTest {

  private static final int SIZE = new Event.Ready(0).size();

  private final Budget budget = new Budget(10L * SIZE);
  private final Outbox outbox = plain(3, 100 * SIZE);
  private final OutboxReader reader = OutboxReader.attachedTo(outbox);

  /** One that cannot be resumed. */
  private Outbox plain(int events, int bytes) {
    return new Outbox(OutboxReader.limits(events, bytes, 1, 1), budget, null);
  }

  private static Answer offer(Outbox to, int number) {
    return to.offer(new Event.Ready(number), 0);
  }

  private Answer offer(int number) {
    return offer(outbox, number);
  }

  private int poll() {
    Envelope polled = reader.poll();
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
    assertThat(offer(1)).isEqualTo(Answer.SENT);
    assertThat(offer(2)).isEqualTo(Answer.SENT);
    assertThat(offer(3)).isEqualTo(Answer.SENT);
    assertThat(offer(4)).isEqualTo(Answer.FULL);
    poll();
    poll();
    assertThat(offer(4)).isEqualTo(Answer.FULL);
    reader.taken(1);
    assertThat(offer(4)).isEqualTo(Answer.SENT);
    assertThat(offer(5)).isEqualTo(Answer.FULL);
    assertThat(budget.used()).isEqualTo(3L * SIZE);
  }

  @Test
  void isFullAtItsBoundOfBytes() {
    Outbox small = plain(100, 2 * SIZE);
    OutboxReader.attachedTo(small);
    assertThat(offer(small, 1)).isEqualTo(Answer.SENT);
    assertThat(offer(small, 2)).isEqualTo(Answer.SENT);
    assertThat(offer(small, 3)).isEqualTo(Answer.FULL);

    Outbox smaller = plain(100, 2 * SIZE - 1);
    OutboxReader.attachedTo(smaller);
    assertThat(offer(smaller, 1)).isEqualTo(Answer.SENT);
    assertThat(offer(smaller, 2)).isEqualTo(Answer.FULL);
  }

  @Test
  void takesOneThatIsLargerThanItsBoundWhenThereIsNothingElse() {
    Outbox tiny = plain(100, 1);
    OutboxReader tinyReader = OutboxReader.attachedTo(tiny);
    assertThat(offer(tiny, 1)).isEqualTo(Answer.SENT);
    assertThat(offer(tiny, 2)).isEqualTo(Answer.FULL);
    tinyReader.poll();
    tinyReader.taken(1);
    assertThat(offer(tiny, 2)).isEqualTo(Answer.SENT);
  }

  @Test
  void refusesBeyondWhatAllTogetherMayHold() {
    assertThat(budget.reserve(9 * SIZE)).isTrue();
    assertThat(offer(1)).isEqualTo(Answer.SENT);
    assertThat(offer(2)).isEqualTo(Answer.OVER_BUDGET);
    assertThat(budget.used()).isEqualTo(10L * SIZE);
    poll();
    reader.taken(1);
    assertThat(offer(2)).isEqualTo(Answer.SENT);
    assertThat(poll()).isEqualTo(2);
  }

  @Test
  void closedTakesNothingMoreButGivesWhatItHas() {
    offer(1);
    outbox.close();
    assertThat(offer(2)).isEqualTo(Answer.CLOSED);
    assertThat(poll()).isEqualTo(1);
    assertThat(poll()).isEqualTo(-1);
    reader.taken(1);
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
    reader.taken(1);
    assertThat(budget.used()).isZero();
  }

  @Test
  void noMoreIsTakenThanWasPolled() {
    offer(1);
    offer(2);
    poll();
    reader.taken(1);
    assertThatIllegalStateException().isThrownBy(() -> reader.taken(1));
    assertThat(poll()).isEqualTo(2);
    assertThat(budget.used()).isEqualTo(SIZE);
  }
}
