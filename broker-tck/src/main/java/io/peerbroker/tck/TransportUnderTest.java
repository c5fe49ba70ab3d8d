package io.peerbroker.tck;

import io.peerbroker.core.TagFilter;

/**
 * A transport that serves one broker, and makes readers at its far end, for {@link TransportKit}.
 */
public interface TransportUnderTest extends ChannelsUnderTest {

  /** Opens a watch. */
  Reader watch(TagFilter filter);
}
