package io.peerbroker.servlet;

import io.peerbroker.tck.ServerKit;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireServer;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The rules of the wire protocol, kept by the servlet in Jetty 11. */
@Execution(ExecutionMode.CONCURRENT)
final class JettyRulesTest extends ServerKit {

  @Override
  protected WireServer start(ServerSettings settings) throws Exception {
    return JettyServer.start(settings);
  }
}
