package io.peerbroker.it;

import io.peerbroker.it.common.SharedContainerServer;
import io.peerbroker.tck.ContainerKit;
import io.peerbroker.tck.ContainerServer;
import io.peerbroker.tck.ServerSettings;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;

/** The broker in Open Liberty. */
final class OpenLibertyIT extends ContainerKit {

  @Override
  protected ContainerServer start(ServerSettings settings) throws Exception {
    return SharedContainerServer.start(OpenLiberty.running(), settings);
  }

  @AfterAll
  static void stopContainer() {
    OpenLiberty.stopRunning();
  }

  @Override
  protected Map<String, String> exceptions() {
    return Map.of(
        "unreadAnswersHoldNoThread",
        "Open Liberty's write of an answer waits for its reader, on a thread of the pool",
        "refusedBodiesAreCutOff",
        "Open Liberty sends an empty answer when the exchange ends",
        "bodiesWithoutContentAreCutOff",
        "Open Liberty reports nothing of a body but its content",
        "aWholeBodyLeavesTheConnectionOpen",
        "Open Liberty closes the connection after a 404",
        "hostilePathsLeadNowhere",
        "Open Liberty takes ;jsessionid=1 off the path by itself");
  }
}
