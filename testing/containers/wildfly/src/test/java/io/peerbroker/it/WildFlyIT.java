package io.peerbroker.it;

import io.peerbroker.it.common.SharedContainerServer;
import io.peerbroker.tck.ContainerKit;
import io.peerbroker.tck.ContainerServer;
import io.peerbroker.tck.ServerSettings;
import java.util.Map;

/** The broker in WildFly. */
final class WildFlyIT extends ContainerKit {

  @Override
  protected ContainerServer start(ServerSettings settings) throws Exception {
    return SharedContainerServer.start(WildFly.running(), settings);
  }

  /** Those of Undertow, which is the container in it. */
  @Override
  protected Map<String, String> exceptions() {
    String query = "WildFly refuses such a query itself, with a 400 of its own form";
    return Map.of(
        "aMalformedQueryChangesNothing",
        query,
        "malformedQueriesAreRefused",
        query,
        "bodiesWithoutContentAreCutOff",
        "WildFly reports nothing of a body but its content");
  }
}
