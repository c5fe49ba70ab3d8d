package io.peerbroker.it.clients;

import java.net.URI;

/** Chromium's own EventSource. */
final class BrowserTest extends ComesBackTest {

  @Override
  Client start(URI broker) throws Exception {
    return BrowserClient.start(broker);
  }

  @Override
  boolean comesBackAfterACutHead() {
    return false;
  }

  @Override
  boolean comesBackAfter503() {
    return false;
  }
}
