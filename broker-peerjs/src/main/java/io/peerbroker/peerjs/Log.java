package io.peerbroker.peerjs;

/** The log of this package. */
final class Log {

  private static final System.Logger LOG = System.getLogger("io.peerbroker.peerjs");

  private Log() {}

  /** Logs a failure. What a logger's handlers throw is dropped: what follows must be done. */
  static void log(System.Logger.Level level, String message, Throwable thrown) {
    try {
      LOG.log(level, message, thrown);
    } catch (Throwable unloggable) {
      // There is nowhere left to report it.
    }
  }
}
