package io.peerbroker.it;

import io.peerbroker.tck.ContainerKit;
import io.peerbroker.tck.ContainerServer;
import io.peerbroker.tck.ServerSettings;

/** The broker in Jetty 11. */
final class Jetty11Test extends ContainerKit {

  @Override
  protected ContainerServer start(ServerSettings settings) throws Exception {
    return Jetty11Server.start(settings);
  }
}
