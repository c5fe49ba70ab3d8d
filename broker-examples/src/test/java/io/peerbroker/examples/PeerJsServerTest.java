package io.peerbroker.examples;

import io.peerbroker.tck.PeerJsRules;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireServer;
import java.util.Map;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The package {@code peerjs} served by the runnable server. */
@Execution(ExecutionMode.CONCURRENT)
final class PeerJsServerTest extends PeerJsRules {

  @Override
  protected WireServer start(ServerSettings settings) throws Exception {
    return RunningServer.start(settings, Map.of("--peerjs-path", "/peerjs"));
  }
}
