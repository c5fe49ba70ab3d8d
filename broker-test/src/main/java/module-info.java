/** What the tests of an application that uses the broker need. */
module io.peerbroker.test {
  exports io.peerbroker.test;

  requires transitive io.peerbroker.core;
}
