/** The broker: channels, sessions, routing and discovery, without HTTP. */
module io.peerbroker.core {
  exports io.peerbroker.core;

  requires com.google.gson;
  requires static org.jspecify;
}
