package io.peerbroker.core;

import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/** What is done in every order to a queue with one event kept, one waiting, and a reader. */
@Param(name = "number", gen = IntGen.class, conf = "0:3")
public abstract class OutboxOperations {

  private static final int SIZE = new Event.Ready(0).size() + Long.BYTES;

  private final ByteBudget budget = new ByteBudget(4L * SIZE);
  private final ByteBudget replay = new ByteBudget(4L * SIZE);
  private final AbsentQueues absent = new AbsentQueues(4L * SIZE, 0);
  final Outbox outbox =
      new Outbox(OutboxReader.limits(3, 100 * SIZE, 2, 100 * SIZE), budget, replay, absent, "");
  private final OutboxReader first = OutboxReader.attachedTo(outbox);
  final OutboxReader second = new OutboxReader(outbox);

  OutboxOperations() {
    outbox.offer(new Event.Ready(0), null);
    outbox.offer(new Event.Ready(0), null);
    first.poll();
    first.consumed(1);
  }

  @Operation
  public String offer() {
    return outbox.offer(new Event.Ready(0), null).name();
  }

  @Operation(nonParallelGroup = "first")
  public String firstPolls() {
    return polled(first);
  }

  static String polled(OutboxReader by) {
    Envelope envelope = by.poll();
    if (envelope == null) {
      return "none";
    }
    by.consumed(1);
    return envelope.id();
  }

  @Operation
  public void firstDetaches() {
    first.detach(CloseReason.GONE);
  }

  @Operation
  public void confirm(@Param(name = "number") int number) {
    outbox.confirm(number, 0);
  }

  @Operation(runOnce = true)
  public int discard() {
    return outbox.discard().size();
  }

  @Operation
  public long used() {
    return budget.used();
  }

  @Test
  void isLinearizable() {
    Lincheck.check(getClass(), 200);
  }
}
