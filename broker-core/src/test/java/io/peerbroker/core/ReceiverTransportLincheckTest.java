package io.peerbroker.core;

import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

/** Turns of a receiver: never two at a time, none missed, the end reported once and last. */
public class ReceiverTransportLincheckTest {

  private final Outbox outbox =
      new Outbox(
          OutboxReader.limits(100, 10_000, 1, 1),
          new ByteBudget(1_000_000),
          new ByteBudget(1),
          new AbsentQueues(1, 1),
          null);
  private final AtomicInteger offered = new AtomicInteger();
  private final AtomicInteger received = new AtomicInteger();
  private final AtomicInteger inside = new AtomicInteger();
  private final AtomicInteger closes = new AtomicInteger();
  private boolean toEnd;
  private volatile boolean wrong;

  private final ReceiverTransport transport =
      new ReceiverTransport(
          OutboxReader.attachedTo(outbox),
          Runnable::run,
          null,
          event -> receive(),
          reason -> closes.incrementAndGet());

  private void receive() {
    if (inside.incrementAndGet() != 1 || closes.get() != 0) {
      wrong = true;
    }
    received.incrementAndGet();
    inside.decrementAndGet();
  }

  @Operation
  public void send() {
    if (outbox.offer(new Event.Ready(0), null) == Outbox.OfferResult.SENT) {
      offered.incrementAndGet();
    }
    transport.ready();
  }

  @Operation(runOnce = true)
  public void end() {
    outbox.close();
    transport.end(CloseReason.CLOSED);
    toEnd = true;
  }

  @Validate
  public void keepsItsPromises() {
    if (wrong || received.get() != offered.get() || closes.get() != (toEnd ? 1 : 0)) {
      throw new IllegalStateException(
          wrong + ", offered " + offered + ", received " + received + ", closed " + closes);
    }
  }

  @Test
  void keepsItsPromisesInEveryOrder() {
    Lincheck.check(getClass(), 200);
  }
}
