package io.peerbroker.it;

import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.SocketKit;
import io.peerbroker.tck.WireServer;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The broker's WebSockets in {@link Jetty12Server}. */
@Execution(ExecutionMode.CONCURRENT)
final class Jetty12SocketTest extends SocketKit {

  @Override
  protected WireServer start(ServerSettings settings) throws Exception {
    return Jetty12Server.start(settings);
  }
}
