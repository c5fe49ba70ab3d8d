package io.peerbroker.tck;

import java.util.Map;
import org.junit.jupiter.api.Nested;

/**
 * All tests of the wire protocol's rules, for a server of any kind: a subclass starts it.
 *
 * <p>{@link #exceptions} lists what a container cannot do; each exception is printed, so that they
 * can be counted.
 */
public abstract class ServerKit {

  /** For subclasses. */
  protected ServerKit() {}

  /**
   * Starts a server on a free port of the loopback interface. It is closed when the test is over.
   */
  protected abstract WireServer start(ServerSettings settings) throws Exception;

  /** The tests that are not run, by the names of their methods, each with the reason. None. */
  protected Map<String, String> exceptions() {
    return Map.of();
  }

  @Nested
  final class Channels extends ChannelRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ServerKit.this.start(settings);
    }
  }

  @Nested
  final class Closing extends CloseRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ServerKit.this.start(settings);
    }
  }

  @Nested
  final class Resume extends ResumeRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ServerKit.this.start(settings);
    }
  }

  @Nested
  final class Replay extends ReplayRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ServerKit.this.start(settings);
    }
  }

  @Nested
  final class Leases extends LeaseRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ServerKit.this.start(settings);
    }
  }

  @Nested
  final class Heartbeats extends HeartbeatRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ServerKit.this.start(settings);
    }
  }

  @Nested
  final class Sessions extends SessionRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ServerKit.this.start(settings);
    }
  }

  @Nested
  final class Lists extends ListRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ServerKit.this.start(settings);
    }
  }

  @Nested
  final class ListStreams extends ListStreamRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ServerKit.this.start(settings);
    }
  }

  @Nested
  final class Watches extends WatchRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ServerKit.this.start(settings);
    }
  }

  @Nested
  final class Messages extends MessageRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ServerKit.this.start(settings);
    }
  }

  @Nested
  final class Numbers extends NumberRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ServerKit.this.start(settings);
    }
  }

  @Nested
  final class Ice extends IceRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ServerKit.this.start(settings);
    }
  }

  @Nested
  final class Errors extends ErrorRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ServerKit.this.start(settings);
    }
  }

  @Nested
  final class Paths extends PathRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ServerKit.this.start(settings);
    }
  }

  @Nested
  final class Http extends HttpRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ServerKit.this.start(settings);
    }
  }

  @Nested
  final class Browsers extends BrowserRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ServerKit.this.start(settings);
    }
  }

  @Nested
  final class Admission extends AdmissionRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ServerKit.this.start(settings);
    }
  }

  @Nested
  final class Limits extends LimitRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ServerKit.this.start(settings);
    }
  }
}
