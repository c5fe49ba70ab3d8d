package io.peerbroker.examples;

import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.SocketKit;
import io.peerbroker.tck.WireServer;
import java.util.Map;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The WebSockets of the runnable server. */
@Execution(ExecutionMode.CONCURRENT)
final class RunnableSocketTest extends SocketKit {

  @Override
  protected WireServer start(ServerSettings settings) throws Exception {
    return RunningServer.start(settings, Map.of());
  }
}
