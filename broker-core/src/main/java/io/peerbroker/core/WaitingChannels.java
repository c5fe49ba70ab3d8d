package io.peerbroker.core;

import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The channels that wait for their readers, the longest-waiting first: if no permit is free, a new
 * channel takes the permit of the first one.
 *
 * <p>Safe for use by many threads; its lock is a leaf.
 */
final class WaitingChannels {

  // Guarded by this.
  private final Set<ChannelConnection> inOrder = new LinkedHashSet<>();

  synchronized void add(ChannelConnection connection) {
    inOrder.add(connection);
  }

  synchronized void remove(ChannelConnection connection) {
    inOrder.remove(connection);
  }

  synchronized @Nullable ChannelConnection longest() {
    return inOrder.isEmpty() ? null : inOrder.iterator().next();
  }
}
