package io.peerbroker.core;

import java.util.concurrent.atomic.AtomicInteger;

/** The limit on how many channels or watches of one kind may be open at a time. Takes no lock. */
final class Permits {

  private final String what;
  private final int max;
  private final AtomicInteger taken = new AtomicInteger();

  Permits(String what, int max) {
    this.what = what;
    this.max = max;
  }

  /** Takes a permit if one is free; returns whether it did. */
  boolean take() {
    int before = taken.get();
    while (before < max) {
      if (taken.compareAndSet(before, before + 1)) {
        return true;
      }
      before = taken.get();
    }
    return false;
  }

  /** Takes a permit even if none is free, for a caller that knows that one is about to be freed. */
  void add() {
    taken.incrementAndGet();
  }

  void free() {
    taken.decrementAndGet();
  }

  int taken() {
    return taken.get();
  }

  /** Returns the refusal for when no permit is free. */
  Refusal refusal() {
    return new Refusal(
        Refusal.Code.AT_CAPACITY,
        "The broker is full: " + max + " " + what + " are open.",
        LocalBroker.LATER);
  }

  @Override
  public String toString() {
    return Integer.toString(taken());
  }
}
