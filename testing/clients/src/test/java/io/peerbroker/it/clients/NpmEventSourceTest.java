package io.peerbroker.it.clients;

import java.net.URI;

/** The npm package eventsource, on Node.js. */
final class NpmEventSourceTest extends ComesBackTest {

  @Override
  Client start(URI broker) throws Exception {
    return NodeClient.start();
  }

  @Override
  boolean comesBackAfterACutHead() {
    return true;
  }

  @Override
  boolean comesBackAfter503() {
    return false;
  }
}
