package io.peerbroker.servlet;

import io.peerbroker.tck.CutRules;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireServer;

/** Clients behind a network that fails, on Jetty. */
final class ResumeCutTest extends CutRules {

  @Override
  protected WireServer start(ServerSettings settings) throws Exception {
    return JettyServer.start(settings);
  }
}
