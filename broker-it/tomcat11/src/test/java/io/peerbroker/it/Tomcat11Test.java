package io.peerbroker.it;

import io.peerbroker.tck.ContainerKit;
import io.peerbroker.tck.ContainerServer;
import io.peerbroker.tck.ServerSettings;

/** The broker in Tomcat 11. */
final class Tomcat11Test extends ContainerKit {

  @Override
  protected ContainerServer start(ServerSettings settings) throws Exception {
    return Tomcat11Server.start(settings);
  }
}
