package io.peerbroker.websocket;

/** The logger of this package. */
final class Log {

  static final System.Logger LOG = System.getLogger("io.peerbroker.websocket");

  private Log() {}
}
