package io.peerbroker.core;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** The limit on how many channels or watches of one kind may be open at a time. Takes no lock. */
final class Permits {

  /** A taken permit, until it is released. */
  static final class Permit extends AtomicReference<@Nullable Permits> {

    private static final long serialVersionUID = 1;

    private Permit(@Nullable Permits of) {
      super(of);
    }

    /** Returns a permit that frees nothing, for what is covered by another permit. */
    static Permit covered() {
      return new Permit(null);
    }

    /** Frees the permit. Does nothing the second time. */
    void release() {
      Permits of = getAndSet(null);
      if (of != null) {
        of.taken.decrementAndGet();
      }
    }
  }

  private final String what;
  private final int max;
  private final AtomicInteger taken = new AtomicInteger();

  /**
   * @param what the things that take permits, for error texts
   */
  Permits(String what, int max) {
    this.what = what;
    this.max = max;
  }

  /** Takes a permit; returns null if none is free. */
  @Nullable Permit take() {
    int before = taken.get();
    if (before >= max) {
      return null;
    }
    // Allocated before it is counted: what is counted has an owner that frees it.
    Permit permit = new Permit(this);
    while (before < max) {
      if (taken.compareAndSet(before, before + 1)) {
        return permit;
      }
      before = taken.get();
    }
    return null;
  }

  /** Takes a permit even if none is free, for a caller that knows that one is about to be freed. */
  Permit takeAnyway() {
    Permit permit = new Permit(this);
    taken.incrementAndGet();
    return permit;
  }

  int taken() {
    return taken.get();
  }

  /** Returns the refusal for when no permit is free. */
  Refusal refusal() {
    return Refusals.full(max, what);
  }

  @Override
  public String toString() {
    return Integer.toString(taken());
  }
}
