package io.peerbroker.core;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The channels that wait for their readers, the longest-waiting first: if no permit is free, the
 * first one gives way.
 *
 * <p>Safe for use by many threads; its lock is a leaf.
 */
final class WaitingChannels {

  /** A channel that waits for its reader. */
  interface Waiter {

    /** Frees what the channel holds, if it still waits. It no longer waits here afterwards. */
    void giveWay();
  }

  /** The longest-waiting first. */
  @GuardedBy("this")
  private final Set<Waiter> inOrder = new LinkedHashSet<>();

  synchronized void add(Waiter connection) {
    inOrder.add(connection);
  }

  synchronized void remove(Waiter connection) {
    inOrder.remove(connection);
  }

  synchronized @Nullable Waiter longest() {
    return inOrder.isEmpty() ? null : inOrder.iterator().next();
  }
}
