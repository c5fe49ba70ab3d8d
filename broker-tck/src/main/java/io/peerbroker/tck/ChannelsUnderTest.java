package io.peerbroker.tck;

/** What serves channels of one broker, and makes readers at its far end, for {@link ChannelKit}. */
public interface ChannelsUnderTest extends AutoCloseable {

  /** Opens a channel. */
  Party open();

  /** How many bytes the way to a reader may hold while the reader takes nothing. */
  default long bytesOnTheWay() {
    return 0;
  }

  /** Ends what serves, and the readers. The broker has been closed before. */
  @Override
  void close();
}
