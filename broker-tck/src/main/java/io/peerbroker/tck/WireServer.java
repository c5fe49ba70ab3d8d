package io.peerbroker.tck;

import java.net.URI;

/** A running server with a broker mounted in it, as {@link ServerRules} needs one. */
public interface WireServer extends AutoCloseable {

  /** Where the broker is mounted; ends without a slash. */
  URI base();

  /**
   * Shuts the broker down, and leaves the server that it is mounted in running. Returns when it is
   * done.
   */
  void shutDownBroker();

  /** Shuts everything down. */
  @Override
  void close();
}
