package io.peerbroker.it;

import io.peerbroker.tck.ContainerKit;
import io.peerbroker.tck.ContainerServer;
import io.peerbroker.tck.ServerSettings;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The broker in Jetty 12. */
@Execution(ExecutionMode.CONCURRENT)
final class Jetty12Test extends ContainerKit {

  @Override
  protected ContainerServer start(ServerSettings settings) throws Exception {
    return Jetty12Server.start(settings);
  }
}
