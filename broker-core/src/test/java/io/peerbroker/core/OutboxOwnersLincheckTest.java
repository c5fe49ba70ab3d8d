package io.peerbroker.core;

import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;

/** A queue that passes from one owner to the next while there are senders, in every order. */
@Param(name = "number", gen = IntGen.class, conf = "0:3")
public class OutboxOwnersLincheckTest extends OutboxOperations {

  @Operation(nonParallelGroup = "second")
  public String secondPolls() {
    return polled(second);
  }

  @Operation(nonParallelGroup = "second")
  public String secondAttaches(@Param(name = "number") int seen) {
    return second.attach(seen).name();
  }
}
