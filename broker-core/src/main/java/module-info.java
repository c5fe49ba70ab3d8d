/** The broker: channels, sessions, routing and discovery, without HTTP. */
module io.peerbroker.core {
  exports io.peerbroker.core;

  // transitive, both: they stand in public signatures. static: annotations are not needed to run
  requires transitive com.google.gson;
  requires static transitive org.jspecify;

  // Inside only: the compiler checks what locks guard
  requires static com.google.errorprone.annotations;
}
