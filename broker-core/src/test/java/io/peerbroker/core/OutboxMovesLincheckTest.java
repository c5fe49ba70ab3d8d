package io.peerbroker.core;

import java.util.stream.Collectors;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/** A queue that is taken out while there are senders, a reader and ends, in every order. */
@Param(name = "number", gen = IntGen.class, conf = "0:3")
public class OutboxMovesLincheckTest {

  private static final int SIZE = new Event.Ready(0).size() + Long.BYTES;

  private final ByteBudget budget = new ByteBudget(4L * SIZE);
  private final ByteBudget replay = new ByteBudget(4L * SIZE);
  private final AbsentQueues absent = new AbsentQueues(4L * SIZE, 0);
  private final Outbox outbox =
      new Outbox(OutboxReader.limits(3, 100 * SIZE, 2, 100 * SIZE), budget, replay, absent, "");
  private final OutboxReader first = OutboxReader.attachedTo(outbox);
  private final OutboxReader second = new OutboxReader(outbox);

  public OutboxMovesLincheckTest() {
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
    Envelope envelope = first.poll();
    if (envelope == null) {
      return "none";
    }
    first.consumed(1);
    return envelope.id();
  }

  @Operation
  public String takeOut(@Param(name = "number") int seen) {
    Outbox.TakenOut taken = outbox.takeOut(seen);
    return taken.queue() == null
        ? taken.result().name()
        : taken.queue().events().stream()
            .map(event -> Long.toString(event.number()))
            .collect(Collectors.joining(" ", "taken ", ""));
  }

  @Operation
  public String secondAttaches(@Param(name = "number") int seen) {
    return second.attach(seen).name();
  }

  @Operation
  public void confirm(@Param(name = "number") int number) {
    outbox.confirm(number, 0);
  }

  @Operation
  public void firstDetaches() {
    first.detach(CloseReason.GONE);
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
