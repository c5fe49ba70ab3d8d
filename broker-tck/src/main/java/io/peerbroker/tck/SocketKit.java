package io.peerbroker.tck;

import org.junit.jupiter.api.Nested;

/**
 * The rules of section K: the protocol over a WebSocket, on a server that has the module for it.
 */
public abstract class SocketKit {

  /** For subclasses. */
  protected SocketKit() {}

  /**
   * Starts a server on a free port of the loopback interface. It is closed when the test is over.
   */
  protected abstract WireServer start(ServerSettings settings) throws Exception;

  @Nested
  final class Sockets extends SocketRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return SocketKit.this.start(settings);
    }
  }

  @Nested
  final class SocketBounds extends SocketBoundRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return SocketKit.this.start(settings);
    }
  }
}
