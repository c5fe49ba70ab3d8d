package io.peerbroker.examples;

import io.peerbroker.tck.ServerKit;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireServer;
import java.util.Map;

/** The wire protocol's rules on the runnable server as it comes. */
final class DefaultServerTest extends ServerKit {

  @Override
  protected WireServer start(ServerSettings settings) throws Exception {
    return RunningServer.start(settings, Map.of());
  }
}
