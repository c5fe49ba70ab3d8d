package io.peerbroker.tck;

import io.peerbroker.core.TagFilter;

/**
 * A transport that serves one broker, and makes readers at its far end, for {@link TransportKit}.
 */
public interface TransportUnderTest extends AutoCloseable {

  /** Opens a channel. */
  Party open();

  /** Opens a watch. */
  Reader watch(TagFilter filter);

  /** How many bytes the way to a reader may hold while the reader takes nothing. */
  default long bytesOnTheWay() {
    return 0;
  }

  /** Ends the transport and the readers. The broker has been closed before. */
  @Override
  void close();
}
