/** The protocol's requests, answers and events as JSON, for transports. */
module io.peerbroker.json {
  exports io.peerbroker.json;

  requires transitive io.peerbroker.core;
  requires static transitive org.jspecify;
}
