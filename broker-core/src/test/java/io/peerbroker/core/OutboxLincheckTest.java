package io.peerbroker.core;

import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/** Senders, one reader and the end of a queue, in every order. */
@Param(name = "number", gen = IntGen.class, conf = "1:3")
public class OutboxLincheckTest {

  private static final int SIZE = new Event.Ready(0).size();

  private final ByteBudget budget = new ByteBudget(3L * SIZE);
  private final ByteBudget replay = new ByteBudget(3L * SIZE);
  private final AbsentQueues absent = new AbsentQueues(3L * SIZE, 0);
  private final Outbox outbox =
      new Outbox(OutboxReader.limits(2, 100 * SIZE, 1, 1), budget, replay, absent, null);
  private final OutboxReader reader = OutboxReader.attachedTo(outbox);
  private int polled;

  @Operation
  public String offer(@Param(name = "number") int number) {
    return outbox.offer(new Event.Ready(number), null).name();
  }

  @Operation(nonParallelGroup = "reader")
  public int poll() {
    Envelope envelope = reader.poll();
    if (envelope == null) {
      return -1;
    }
    polled++;
    return ((Event.Ready) envelope.event()).count();
  }

  @Operation(nonParallelGroup = "reader")
  public void taken() {
    reader.consumed(polled);
    polled = 0;
  }

  @Operation
  public void close() {
    outbox.close();
  }

  @Operation
  public void discard() {
    outbox.discard();
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
