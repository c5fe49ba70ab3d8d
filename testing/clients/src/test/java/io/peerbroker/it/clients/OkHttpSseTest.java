package io.peerbroker.it.clients;

import java.net.URI;

/** OkHttp's okhttp-sse, which comes back only if the program has it do so. */
final class OkHttpSseTest extends ComesBackTest {

  @Override
  Client start(URI broker) {
    return new OkHttpSseClient();
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
