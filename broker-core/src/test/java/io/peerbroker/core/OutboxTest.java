package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.peerbroker.core.Outbox.AttachResult;
import io.peerbroker.core.Outbox.OfferResult;
import java.util.function.Function;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

final class OutboxTest {

  private static final int SIZE = new Event.Ready(0).size();

  private final ByteBudget budget = new ByteBudget(10L * SIZE);
  private final ByteBudget replay = new ByteBudget(10L * SIZE);
  private final AbsentQueues absent = new AbsentQueues(10L * SIZE, 0);
  private final Outbox outbox = plain(3, 100 * SIZE);
  private final OutboxReader reader = OutboxReader.attachedTo(outbox);

  /** Returns an outbox that cannot be resumed. */
  private Outbox plain(int events, int bytes) {
    return new Outbox(OutboxReader.limits(events, bytes, 1, 1), budget, replay, absent, null);
  }

  private static OfferResult offer(Outbox to, int number) {
    return to.offer(new Event.Ready(number), null);
  }

  private OfferResult offer(int number) {
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
  @DisplayName("Polling does not make room in a full outbox.")
  void pollingAloneMakesNoRoom() {
    assertThat(offer(1)).isEqualTo(OfferResult.SENT);
    assertThat(offer(2)).isEqualTo(OfferResult.SENT);
    assertThat(offer(3)).isEqualTo(OfferResult.SENT);
    assertThat(offer(4)).isEqualTo(OfferResult.FULL);
    poll();
    poll();
    assertThat(offer(4)).isEqualTo(OfferResult.FULL);
    reader.consumed(1);
    assertThat(offer(4)).isEqualTo(OfferResult.SENT);
    assertThat(offer(5)).isEqualTo(OfferResult.FULL);
    assertThat(budget.used()).isEqualTo(3L * SIZE);
  }

  @Test
  void isFullAtItsBoundOfBytes() {
    Outbox small = plain(100, 2 * SIZE);
    OutboxReader.attachedTo(small);
    assertThat(offer(small, 1)).isEqualTo(OfferResult.SENT);
    assertThat(offer(small, 2)).isEqualTo(OfferResult.SENT);
    assertThat(offer(small, 3)).isEqualTo(OfferResult.FULL);

    Outbox smaller = plain(100, 2 * SIZE - 1);
    OutboxReader.attachedTo(smaller);
    assertThat(offer(smaller, 1)).isEqualTo(OfferResult.SENT);
    assertThat(offer(smaller, 2)).isEqualTo(OfferResult.FULL);
  }

  @Test
  @DisplayName("An empty outbox accepts a message that is larger than its bound.")
  void anEmptyOutboxTakesALargerMessage() {
    Outbox tiny = plain(100, 1);
    OutboxReader tinyReader = OutboxReader.attachedTo(tiny);
    assertThat(offer(tiny, 1)).isEqualTo(OfferResult.SENT);
    assertThat(offer(tiny, 2)).isEqualTo(OfferResult.FULL);
    tinyReader.poll();
    tinyReader.consumed(1);
    assertThat(offer(tiny, 2)).isEqualTo(OfferResult.SENT);
  }

  @Test
  void refusesBeyondWhatAllTogetherMayHold() {
    assertThat(budget.reserve(9L * SIZE)).isTrue();
    assertThat(offer(1)).isEqualTo(OfferResult.SENT);
    assertThat(offer(2)).isEqualTo(OfferResult.OVER_BUDGET);
    assertThat(budget.used()).isEqualTo(10L * SIZE);
    poll();
    reader.consumed(1);
    assertThat(offer(2)).isEqualTo(OfferResult.SENT);
    assertThat(poll()).isEqualTo(2);
  }

  @Test
  void closedTakesNothingMoreButGivesWhatItHas() {
    offer(1);
    outbox.close();
    assertThat(offer(2)).isEqualTo(OfferResult.CLOSED);
    assertThat(poll()).isEqualTo(1);
    assertThat(poll()).isEqualTo(-1);
    reader.consumed(1);
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
    assertThat(offer(3)).isEqualTo(OfferResult.CLOSED);
    outbox.discard();
    assertThat(budget.used()).isZero();
  }

  @Test
  void aDiscardedMessageDoesNotCountTwice() {
    offer(1);
    poll();
    outbox.discard();
    reader.consumed(1);
    assertThat(budget.used()).isZero();
  }

  @Test
  void noMoreIsTakenThanWasPolled() {
    offer(1);
    offer(2);
    poll();
    reader.consumed(1);
    assertThatIllegalStateException().isThrownBy(() -> reader.consumed(1));
    assertThat(poll()).isEqualTo(2);
    assertThat(budget.used()).isEqualTo(SIZE);
  }

  // Replay

  /** Returns an outbox that can be resumed, whose ids do not count. */
  private Outbox resumable(int queued, int replayEvents, int replayBytes) {
    return new Outbox(
        OutboxReader.limits(queued, 100 * SIZE, replayEvents, replayBytes),
        budget,
        replay,
        absent,
        "");
  }

  private static Outbox.Receipt receipt(String id) {
    return new Outbox.Receipt(id, null);
  }

  /** The size that an event with an id counts for. */
  private static final int WITH_ID = SIZE + Long.BYTES;

  private static void take(OutboxReader by, int count) {
    for (int i = 0; i < count; i++) {
      assertThat(by.poll()).isNotNull();
      by.consumed(1);
    }
  }

  private static String rest(OutboxReader by) {
    StringBuilder rest = new StringBuilder();
    for (Envelope next = by.poll(); next != null; next = by.poll()) {
      rest.append(((Event.Ready) next.event()).count());
    }
    return rest.toString();
  }

  @Test
  void whatWasTakenIsKeptUntilItIsConfirmed() {
    Outbox kept = resumable(100, 100, 10_000);
    OutboxReader first = OutboxReader.attachedTo(kept);
    for (int i = 1; i <= 5; i++) {
      assertThat(offer(kept, i)).isEqualTo(OfferResult.SENT);
    }
    take(first, 4);
    assertThat(budget.used() + replay.used()).isEqualTo(5L * WITH_ID);
    kept.confirm(2, 0);
    assertThat(budget.used() + replay.used()).isEqualTo(3L * WITH_ID);
    // None of these has been given.
    kept.confirm(5, 0);
    kept.confirm(Long.MAX_VALUE, 0);
    assertThat(budget.used() + replay.used()).isEqualTo(3L * WITH_ID);
    assertThat(rest(first)).isEqualTo("5");
  }

  @Test
  void onlyWhatIsKeptCanBeGoneBackTo() {
    Outbox kept = resumable(100, 3, 10_000);
    OutboxReader first = OutboxReader.attachedTo(kept);
    for (int i = 1; i <= 6; i++) {
      offer(kept, i);
    }
    take(first, 5);
    OutboxReader second = new OutboxReader(kept);
    assertThat(second.attach(0)).isEqualTo(AttachResult.TOO_OLD);
    assertThat(second.attach(1)).isEqualTo(AttachResult.TOO_OLD);
    assertThat(second.attach(6)).isEqualTo(AttachResult.NEVER_GIVEN);
    // None of that has changed anything.
    assertThat(second.poll()).isNull();
    assertThat(budget.used() + replay.used()).isEqualTo(4L * WITH_ID);
    assertThat(second.attach(2)).isEqualTo(AttachResult.DONE);
    assertThat(first.poll()).isNull();
    first.consumed(1);
    assertThat(rest(second)).isEqualTo("3456");
    kept.close();
    assertThat(new OutboxReader(kept).attach(6)).isEqualTo(AttachResult.CLOSED);
  }

  @Test
  void keepsNoMoreBytesThanItMay() {
    Outbox kept = resumable(100, 100, 2 * WITH_ID);
    OutboxReader first = OutboxReader.attachedTo(kept);
    for (int i = 1; i <= 5; i++) {
      offer(kept, i);
    }
    take(first, 4);
    assertThat(budget.used() + replay.used()).isEqualTo(3L * WITH_ID);
    assertThat(new OutboxReader(kept).attach(1)).isEqualTo(AttachResult.TOO_OLD);
    assertThat(new OutboxReader(kept).attach(2)).isEqualTo(AttachResult.DONE);
  }

  @Test
  void whatIsGivenAgainCountsAsWaitingAgain() {
    Outbox kept = resumable(3, 100, 10_000);
    OutboxReader first = OutboxReader.attachedTo(kept);
    for (int i = 1; i <= 3; i++) {
      offer(kept, i);
    }
    assertThat(offer(kept, 4)).isEqualTo(OfferResult.FULL);
    take(first, 3);
    OutboxReader second = new OutboxReader(kept);
    assertThat(second.attach(0)).isEqualTo(AttachResult.DONE);
    assertThat(offer(kept, 4)).isEqualTo(OfferResult.FULL);
    take(second, 1);
    assertThat(offer(kept, 4)).isEqualTo(OfferResult.SENT);
    assertThat(rest(second)).isEqualTo("234");
    second.consumed(3);
    assertThat(budget.used() + replay.used()).isEqualTo(4L * WITH_ID);
  }

  @Test
  @DisplayName("If all together may keep no more, the oldest kept event gives way to the newest.")
  void theOldestKeptGivesWayToTheNewest() {
    Outbox kept = resumable(100, 100, 10_000);
    OutboxReader first = OutboxReader.attachedTo(kept);
    for (int i = 1; i <= 4; i++) {
      offer(kept, i);
    }
    take(first, 2);
    long others = 10L * SIZE - replay.used();
    assertThat(replay.reserve(others)).isTrue();
    take(first, 1);
    assertThat(replay.used()).isEqualTo(10L * SIZE);
    assertThat(new OutboxReader(kept).attach(0)).isEqualTo(AttachResult.TOO_OLD);
    assertThat(new OutboxReader(kept).attach(1)).isEqualTo(AttachResult.DONE);
    kept.discard();
    assertThat(replay.used()).isEqualTo(others);
    assertThat(budget.used()).isZero();
  }

  @Test
  void whatIsGivenAgainCountsWhereItWasKept() {
    Outbox kept = resumable(100, 100, 10_000);
    OutboxReader first = OutboxReader.attachedTo(kept);
    for (int i = 1; i <= 4; i++) {
      offer(kept, i);
    }
    take(first, 3);
    for (int i = 0; i < 5; i++) {
      OutboxReader again = new OutboxReader(kept);
      assertThat(again.attach(1)).isEqualTo(AttachResult.DONE);
      // Otherwise a client that comes back again and again would make all queues together hold more
      // and more.
      assertThat(replay.used()).isEqualTo(2L * WITH_ID);
      assertThat(budget.used()).isEqualTo(WITH_ID);
      take(again, i % 3);
    }
    assertThat(kept.discard()).isEmpty();
    assertThat(replay.used()).isZero();
    assertThat(budget.used()).isZero();
  }

  @Test
  void whatMayNotBeKeptIsTakenAllTheSame() {
    Outbox kept = resumable(100, 100, 10_000);
    OutboxReader first = OutboxReader.attachedTo(kept);
    offer(kept, 1);
    assertThat(replay.reserve(10L * SIZE)).isTrue();
    take(first, 1);
    assertThat(replay.used()).isEqualTo(10L * SIZE);
    assertThat(budget.used()).isZero();
    assertThat(offer(kept, 2)).isEqualTo(OfferResult.SENT);
    assertThat(new OutboxReader(kept).attach(0)).isEqualTo(AttachResult.TOO_OLD);
    assertThat(rest(first)).isEqualTo("2");
  }

  @Test
  void isQueuedForWhileNobodyIsAttached() {
    Outbox kept = resumable(100, 100, 10_000);
    OutboxReader first = OutboxReader.attachedTo(kept);
    assertThat(offer(kept, 1)).isEqualTo(OfferResult.SENT);
    first.detach(CloseReason.GONE);
    assertThat(offer(kept, 2)).isEqualTo(OfferResult.QUEUED);
    assertThat(first.poll()).isNull();
    OutboxReader second = OutboxReader.attachedTo(kept);
    assertThat(offer(kept, 3)).isEqualTo(OfferResult.SENT);
    first.detach(CloseReason.GONE);
    assertThat(offer(kept, 4)).isEqualTo(OfferResult.SENT);
    assertThat(rest(second)).isEqualTo("1234");
  }

  @Test
  void tellsOfWhatWasQueuedAndNobodyWasGiven() {
    Outbox kept = resumable(100, 100, 10_000);
    Message message = new Message("a", "b", Json.NULL);
    kept.offer(new Event.Received(message), receipt("7"));
    kept.offer(new Event.Received(message), receipt("8"));
    kept.offer(new Event.Received(message), receipt("9"));
    kept.offer(new Event.Undelivered("1", "c", CloseReason.GONE), receipt("10"));
    OutboxReader first = OutboxReader.attachedTo(kept);
    kept.offer(new Event.Received(message), receipt("11"));
    assertThat(first.poll()).isNotNull();
    first.consumed(1);
    assertThat(first.poll()).isNotNull();
    assertThat(first.attach(0)).isEqualTo(AttachResult.DONE);
    // The second was given, perhaps in vain; the last was answered as sent.
    assertThat(kept.discard())
        .containsExactly(
            new Outbox.QueuedMessage(message, "8"), new Outbox.QueuedMessage(message, "9"));
    assertThat(kept.discard()).isEmpty();
  }

  @Test
  void theBytesOfWhatIsKeptAreForgotten() {
    Outbox kept = resumable(100, 100, 10_000);
    OutboxReader first = OutboxReader.attachedTo(kept);
    offer(kept, 1);
    Envelope polled = first.poll();
    Function<Envelope, byte[]> encoder = envelope -> new byte[1];
    byte[] once = polled.encoded(encoder);
    assertThat(polled.encoded(encoder)).isSameAs(once);
    first.consumed(1);
    assertThat(polled.encoded(encoder)).isNotSameAs(once);
  }
}
