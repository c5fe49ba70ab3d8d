package io.peerbroker.core;

import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The channels that wait for their readers, the longest-waiting first: where no seat is free, they
 * give theirs to new ones.
 *
 * <p>Safe for use by many threads; its lock is a leaf.
 */
final class WaitingChannels {

  // Guarded by this.
  private final Set<Presence> inOrder = new LinkedHashSet<>();

  synchronized void add(Presence presence) {
    inOrder.add(presence);
  }

  synchronized void remove(Presence presence) {
    inOrder.remove(presence);
  }

  synchronized @Nullable Presence longest() {
    return inOrder.isEmpty() ? null : inOrder.iterator().next();
  }
}
