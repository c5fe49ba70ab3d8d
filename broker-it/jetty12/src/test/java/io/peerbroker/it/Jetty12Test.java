package io.peerbroker.it;

import io.peerbroker.tck.ContainerKit;
import io.peerbroker.tck.ContainerServer;
import io.peerbroker.tck.ServerSettings;

/** The broker in Jetty 12. */
final class Jetty12Test extends ContainerKit {

  @Override
  protected ContainerServer start(ServerSettings settings) throws Exception {
    return Jetty12Server.start(settings);
  }
}
