package io.peerbroker.peerjs;

/** The logger of this package. */
final class Log {

  static final System.Logger LOG = System.getLogger("io.peerbroker.peerjs");

  private Log() {}
}
