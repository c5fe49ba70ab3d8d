package io.peerbroker.core;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The bytes that all watches hold together: the changes that wait for them, each counted once
 * however many feeds and logs hold it, and what watches remember of the sessions that they have
 * reported.
 *
 * <p>Safe for use by many threads; takes no lock.
 */
final class ChangeBudget {

  private final long max;
  private final AtomicLong used = new AtomicLong();

  /** How much of it waits in feeds; each feed that holds a change counts all of its bytes. */
  private final AtomicLong fed = new AtomicLong();

  private final AtomicInteger logs = new AtomicInteger();

  ChangeBudget(long max) {
    this.max = max;
  }

  /** Counts a change that a log has added. */
  void hold(SessionChange change) {
    used.addAndGet(change.bytes() + (change.now().hold() ? change.now().size() : 0));
  }

  /** Discounts a change that a log has dropped. */
  void letGo(SessionChange change) {
    used.addAndGet(-change.bytes() - (change.now().letGo() ? change.now().size() : 0));
  }

  /** Reserves bytes for what a watch remembers; returns false if too few are left. */
  boolean reserve(long bytes) {
    if (used.addAndGet(bytes) <= max) {
      return true;
    }
    used.addAndGet(-bytes);
    return false;
  }

  void release(long bytes) {
    used.addAndGet(-bytes);
  }

  void logOpened() {
    logs.incrementAndGet();
  }

  void logClosed() {
    logs.decrementAndGet();
  }

  /**
   * Returns how many bytes one log may hold: all of them while there is room, else an equal share.
   */
  long share() {
    return used.get() <= max ? max : max / Math.max(1, logs.get());
  }

  /** Counts a change that waits in a feed until all logs have examined it. */
  void feed(SessionChange change) {
    hold(change);
    fed.addAndGet(change.size());
  }

  /** Discounts a change that all logs have examined. */
  void fed(SessionChange change) {
    letGo(change);
    fed.addAndGet(-change.size());
  }

  /**
   * Returns whether so much waits in feeds that a thread which adds more must let the logs catch
   * up.
   */
  boolean isOverfed() {
    return fed.get() > max / 2;
  }

  /** Returns whether adding these bytes would exceed the limit. */
  boolean hasRoomFor(long bytes) {
    return used.get() + bytes <= max;
  }

  long used() {
    return used.get();
  }
}
