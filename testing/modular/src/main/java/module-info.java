/**
 * An application with a module descriptor: its {@code requires} is all that a user has to write.
 */
module io.peerbroker.it.modular {
  requires io.peerbroker.core;

  // Json.of and Json.to read the application's records by reflection.
  opens io.peerbroker.it.modular to
      com.google.gson;
}
