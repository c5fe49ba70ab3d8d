package io.peerbroker.core;

import org.jspecify.annotations.Nullable;

/**
 * The broker's end of a stream, which a transport polls for events.
 *
 * <p>One thread at a time may call {@link #poll()} and {@link #consumed}; any thread may call
 * {@link #detach}.
 */
public interface Attachment {

  /**
   * Takes the next event, or returns null if there is none now. It also returns null after it has
   * examined many sessions, so that the transport writes what it has polled before; {@link
   * Transport#ready()} is then called again. Each event is returned once. It counts against the
   * bounds of the queue until it is {@link #consumed}.
   */
  @Nullable Envelope poll();

  /**
   * Notes that the network, or the reader in this JVM, has taken the {@code events} oldest of the
   * polled events that were not taken yet.
   */
  void consumed(int events);

  /**
   * Notes that the stream is over and no longer polls. Its channel or watch ends with it, unless
   * the channel was granted to wait for another stream. May be called again; only the first call
   * counts.
   *
   * @param reason {@link CloseReason#GONE} or {@link CloseReason#STALLED}; if {@link Transport#end}
   *     came first, its reason stands
   */
  void detach(CloseReason reason);
}
