package io.peerbroker.examples;

import io.peerbroker.tck.ServerKit;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireServer;
import java.util.Map;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * The wire protocol's rules on the runnable server over IPv6, without its page, at a path of
 * several segments.
 */
@Execution(ExecutionMode.CONCURRENT)
final class BareServerTest extends ServerKit {

  @Override
  protected WireServer start(ServerSettings settings) throws Exception {
    return RunningServer.start(
        settings,
        Map.of("--no-demo", "", "--host", "::1", "--path", "/a/b/", "--idle-timeout", "650s"));
  }
}
