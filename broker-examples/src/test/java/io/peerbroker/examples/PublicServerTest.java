package io.peerbroker.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.tck.BrowserRules;
import io.peerbroker.tck.ChannelRules;
import io.peerbroker.tck.ErrorRules;
import io.peerbroker.tck.LeaseRules;
import io.peerbroker.tck.PathRules;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireServer;
import java.util.Map;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * The runnable server with the preset for strangers: the wire protocol's rules that don't speak of
 * a limit, since its limits are others.
 */
@Execution(ExecutionMode.CONCURRENT)
final class PublicServerTest {

  private static WireServer startServer(ServerSettings settings) throws Exception {
    return RunningServer.start(settings, Map.of("--preset", "openToEverybody"));
  }

  @Test
  void presetIsInEffect_optionsChangeIt() throws Exception {
    try (WireServer server = startServer(ServerSettings.of("maxChannels", 1));
        WireClient client = new WireClient(server.base())) {
      WireChannel channel = client.openChannel();
      String keyless = "{\"cid\":\"%s\"}".formatted(channel.cid());
      assertThat(client.postJson("/session", keyless).status()).isEqualTo(400);
      assertThat(client.get("/channel", "Accept: text/event-stream").status()).isEqualTo(503);
    }
  }

  @Nested
  final class Channels extends ChannelRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return startServer(settings);
    }
  }

  @Nested
  final class Leases extends LeaseRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return startServer(settings);
    }
  }

  @Nested
  final class Paths extends PathRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return startServer(settings);
    }
  }

  @Nested
  final class Browsers extends BrowserRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return startServer(settings);
    }
  }

  @Nested
  final class Errors extends ErrorRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return startServer(settings);
    }
  }
}
