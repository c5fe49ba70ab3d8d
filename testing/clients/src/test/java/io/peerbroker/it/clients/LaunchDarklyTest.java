package io.peerbroker.it.clients;

import java.net.URI;

/** LaunchDarkly's okhttp-eventsource. */
final class LaunchDarklyTest extends ComesBackTest {

  @Override
  Client start(URI broker) {
    return new LaunchDarklyClient();
  }

  @Override
  boolean comesBackAfterACutHead() {
    return true;
  }

  @Override
  boolean comesBackAfter503() {
    return true;
  }
}
