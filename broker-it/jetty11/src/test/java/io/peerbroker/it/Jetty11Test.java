package io.peerbroker.it;

import io.peerbroker.tck.ContainerKit;
import io.peerbroker.tck.ContainerServer;
import io.peerbroker.tck.ServerSettings;
import java.util.Map;

/** The broker in Jetty 11. */
final class Jetty11Test extends ContainerKit {

  @Override
  protected ContainerServer start(ServerSettings settings) throws Exception {
    return Jetty11Server.start(settings);
  }

  @Override
  protected Map<String, String> exceptions() {
    return Map.of(
        "refusedBodiesAreCutOff",
        "Jetty 11 does not end the connection of a refused body that goes on; no thread is held");
  }
}
