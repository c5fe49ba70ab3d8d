package io.peerbroker.it;

import io.peerbroker.it.http2.Http2Rules;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireServer;

/** The broker's streams over HTTP/2 in Jetty 12. */
final class Jetty12Http2Test extends Http2Rules {

  @Override
  protected WireServer start(ServerSettings settings) throws Exception {
    return Jetty12Server.start(settings);
  }
}
