package io.peerbroker.core;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The bytes that all of a kind may hold together: queues, what is kept for replay, or sessions.
 *
 * <p>Where there are many holders, each has a share of its own that it gets however much the others
 * hold; the rest goes to who comes first. Safe for use by many threads; takes no lock.
 */
final class ByteBudget {

  private final long shared;
  private final long sharedByEmpty;
  private final long share;
  private final AtomicLong used = new AtomicLong();

  private ByteBudget(long shared, long sharedByEmpty, long share) {
    this.shared = shared;
    this.sharedByEmpty = sharedByEmpty;
    this.share = share;
  }

  /** For holders that have no share of their own. */
  ByteBudget(long max) {
    this(max, max, 0);
  }

  /**
   * For all queues of channels: an eighth for who comes first, another eighth where that is one
   * event in a queue that is empty, and half of it in equal shares. (The last quarter is for what
   * is kept.)
   */
  static ByteBudget ofQueues(Limits limits) {
    long max = limits.maxTotalQueuedBytes();
    return new ByteBudget(max / 8, max / 4, limits.queueShare());
  }

  /** For what is kept for replay: an eighth for who comes first, and another in equal shares. */
  static ByteBudget ofReplay(Limits limits) {
    long eighth = limits.maxTotalQueuedBytes() / 8;
    return new ByteBudget(eighth, eighth, eighth / limits.maxChannels());
  }

  /** Reserves bytes where there is room for them. */
  boolean reserve(long bytes) {
    return reserveUpTo(shared, bytes);
  }

  /**
   * Reserves bytes for a holder: in its own share, or where there is room in what is shared.
   *
   * @param held what it holds already
   */
  boolean reserve(long bytes, long held) {
    if (held + bytes <= share) {
      used.addAndGet(bytes);
      return true;
    }
    return reserveUpTo(held == 0 ? sharedByEmpty : shared, bytes);
  }

  private boolean reserveUpTo(long bound, long bytes) {
    long before = used.get();
    while (before + bytes <= bound) {
      if (used.compareAndSet(before, before + bytes)) {
        return true;
      }
      before = used.get();
    }
    return false;
  }

  /** Counts bytes for which no room is asked. */
  void add(long bytes) {
    used.addAndGet(bytes);
  }

  void release(long bytes) {
    used.addAndGet(-bytes);
  }

  long used() {
    return used.get();
  }
}
