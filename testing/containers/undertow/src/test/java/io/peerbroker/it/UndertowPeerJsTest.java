package io.peerbroker.it;

import io.peerbroker.tck.PeerJsRules;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireServer;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The package {@code peerjs} served by the broker in {@link UndertowServer}. */
@Execution(ExecutionMode.CONCURRENT)
final class UndertowPeerJsTest extends PeerJsRules {

  @Override
  protected WireServer start(ServerSettings settings) throws Exception {
    return UndertowServer.start(settings);
  }
}
