package io.peerbroker.core;

import org.jspecify.annotations.Nullable;

/**
 * The broker's end of a stream: where a transport gets its events from.
 *
 * <p>{@link #poll()} and {@link #consumed} are called by one thread at a time; {@link #detach} by
 * any.
 */
public interface Attachment {

  /**
   * Takes the next event, or null when there is none now. Each event is given once. It goes on
   * counting against the bounds of the queue until it is {@link #consumed}.
   */
  @Nullable Envelope poll();

  /**
   * The network, or whoever reads, has taken the {@code events} oldest of those polled and not yet
   * taken.
   */
  void consumed(int events);

  /**
   * The stream is over and polls no more. What it was attached to ends with it, or waits for
   * another stream where that was granted. May be called again; only the first call counts.
   *
   * @param reason {@link CloseReason#GONE} or {@link CloseReason#STALLED}; the reason given at
   *     {@link Transport#end} stands, where that came first
   */
  void detach(CloseReason reason);
}
