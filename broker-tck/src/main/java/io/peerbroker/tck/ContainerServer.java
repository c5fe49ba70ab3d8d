package io.peerbroker.tck;

/** A running servlet container with a broker mounted in it, as {@link ContainerKit} needs one. */
public interface ContainerServer extends WireServer {

  /**
   * Stops the web application that the broker is mounted in, without shutting the broker down
   * before, and leaves the container running if it can. Returns when it is done.
   */
  void stopApplication();

  /**
   * Stops the container itself, in the way that notifies the streams: as its documentation here
   * advises, without a call of {@link #shutDownBroker}. Returns when it is done.
   */
  void stopContainer();
}
