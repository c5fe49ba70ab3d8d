package io.peerbroker.examples;

import io.peerbroker.tck.ServerKit;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireServer;
import java.util.Map;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * The wire protocol's rules where the demo page stands in front of a broker at the root, and other
 * origins are let in.
 */
@Execution(ExecutionMode.CONCURRENT)
final class CrossOriginServerTest extends ServerKit {

  @Override
  protected WireServer start(ServerSettings settings) throws Exception {
    return RunningServer.start(
        settings,
        Map.of(
            "--path",
            "/",
            "--allowed-origins",
            "https://other.example",
            "--allowed-headers",
            "X-Y"));
  }

  @Override
  protected Map<String, String> exceptions() {
    String reason = "GET / is the demo page's here";
    return Map.of("refusalsAreProblems", reason, "otherPathsAreUnknown", reason);
  }
}
