package io.peerbroker.it;

import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.SocketKit;
import io.peerbroker.tck.WireServer;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The broker's WebSockets in {@link SpringBootServer}. */
@Execution(ExecutionMode.CONCURRENT)
final class SpringBootSocketTest extends SocketKit {

  @Override
  protected WireServer start(ServerSettings settings) throws Exception {
    return SpringBootServer.start(settings);
  }
}
