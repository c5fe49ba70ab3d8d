package io.peerbroker.examples;

import io.peerbroker.tck.ServerKit;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireServer;
import java.util.Map;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The wire protocol's rules on the runnable server as it comes. */
@Execution(ExecutionMode.CONCURRENT)
final class DefaultServerTest extends ServerKit {

  @Override
  protected WireServer start(ServerSettings settings) throws Exception {
    return RunningServer.start(settings, Map.of());
  }
}
