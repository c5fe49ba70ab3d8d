package io.peerbroker.core;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What all watches together hold: the changes that wait for them, each counted once however many
 * feeds and logs have it, and what they remember of what they have told.
 *
 * <p>Safe for use by many threads; takes no lock.
 */
final class ChangeBudget {

  private final long max;
  private final AtomicLong used = new AtomicLong();

  /** How much of it waits in feeds, where each feed that has a change counts all of it. */
  private final AtomicLong fed = new AtomicLong();

  private final AtomicInteger logs = new AtomicInteger();

  ChangeBudget(long max) {
    this.max = max;
  }

  /** Counts a change that a log has taken in. */
  void hold(ChangeLog.Change change) {
    used.addAndGet(change.bytes() + (change.now().hold() ? change.now().size() : 0));
  }

  /** Counts that a log has let go of a change. */
  void letGo(ChangeLog.Change change) {
    used.addAndGet(-change.bytes() - (change.now().letGo() ? change.now().size() : 0));
  }

  /** Takes bytes for what a list remembers; false if there are none left. */
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

  /** How many bytes one log may hold: all where there is room, else an equal share. */
  long share() {
    return used.get() <= max ? max : max / Math.max(1, logs.get());
  }

  /** Counts a change that waits in a feed until all logs have looked at it. */
  void feed(ChangeLog.Change change) {
    hold(change);
    fed.addAndGet(change.size());
  }

  /** Counts that all logs have looked at a change. */
  void fed(ChangeLog.Change change) {
    letGo(change);
    fed.addAndGet(-change.size());
  }

  /** Whether so much waits in feeds that those who change more have the logs look at it. */
  boolean isOverfed() {
    return fed.get() > max / 2;
  }

  /** Whether so many bytes more would be too many. */
  boolean hasRoomFor(long bytes) {
    return used.get() + bytes <= max;
  }

  long used() {
    return used.get();
  }
}
