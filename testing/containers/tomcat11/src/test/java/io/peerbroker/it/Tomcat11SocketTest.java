package io.peerbroker.it;

import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.SocketKit;
import io.peerbroker.tck.WireServer;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The broker's WebSockets in {@link Tomcat11Server}. */
@Execution(ExecutionMode.CONCURRENT)
final class Tomcat11SocketTest extends SocketKit {

  @Override
  protected WireServer start(ServerSettings settings) throws Exception {
    return Tomcat11Server.start(settings);
  }
}
