package io.peerbroker.core;

import java.util.stream.Collectors;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;

/** A queue that is taken out while there are senders, a reader and ends, in every order. */
@Param(name = "number", gen = IntGen.class, conf = "0:3")
public class OutboxMovesLincheckTest extends OutboxOperations {

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
}
