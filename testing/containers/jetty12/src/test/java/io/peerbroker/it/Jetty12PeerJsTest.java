package io.peerbroker.it;

import io.peerbroker.tck.PeerJsRules;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireServer;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The package {@code peerjs} served by the broker in {@link Jetty12Server}. */
@Execution(ExecutionMode.CONCURRENT)
final class Jetty12PeerJsTest extends PeerJsRules {

  @Override
  protected WireServer start(ServerSettings settings) throws Exception {
    return Jetty12Server.start(settings);
  }
}
