package io.peerbroker.core;

import java.util.concurrent.atomic.AtomicLong;

/**
 * A limit on the bytes that all holders of one kind have together: queues, replay buffers, or
 * sessions.
 *
 * <p>Where there are many holders, each has a share of its own, however much the others hold; the
 * rest is first come, first served. Safe for use by many threads; takes no lock.
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

  /** Creates a budget for holders without shares of their own. */
  ByteBudget(long max) {
    this(max, max, 0);
  }

  /**
   * Creates the budget of all channels' queues: an eighth is first come, first served, another
   * eighth is for one event in an empty queue, and half is divided into equal shares. (The last
   * quarter is for replay.)
   */
  static ByteBudget ofQueues(Limits limits) {
    long max = limits.maxTotalQueuedBytes();
    return new ByteBudget(max / 8, max / 4, limits.queueShare());
  }

  /**
   * Creates the budget of what is kept for replay: an eighth is first come, first served, and
   * another eighth is divided into equal shares.
   */
  static ByteBudget ofReplay(Limits limits) {
    long eighth = limits.maxTotalQueuedBytes() / 8;
    return new ByteBudget(eighth, eighth, eighth / limits.maxChannels());
  }

  /** Reserves bytes if there is room for them. */
  boolean reserve(long bytes) {
    return reserveUpTo(shared, bytes);
  }

  /**
   * Reserves bytes for a holder, in its own share or in the shared part.
   *
   * @param held the bytes that the holder has already
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

  /** Counts bytes whether there is room or not. */
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
