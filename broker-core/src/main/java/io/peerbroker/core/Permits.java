package io.peerbroker.core;

import java.util.concurrent.atomic.AtomicInteger;

/** The places that channels or watches of one kind may take at one time. Takes no lock. */
final class Permits {

  private final String what;
  private final int max;
  private final AtomicInteger taken = new AtomicInteger();

  Permits(String what, int max) {
    this.what = what;
    this.max = max;
  }

  /** Takes one, if there is one. */
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

  /** Takes one more, whether there is one or not, for what gives one back in a moment. */
  void add() {
    taken.incrementAndGet();
  }

  void free() {
    taken.decrementAndGet();
  }

  int taken() {
    return taken.get();
  }

  /** Returns what is said where there is none. */
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
