package io.peerbroker.it.common;

import io.peerbroker.core.Broker;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.tck.ServerSettings;

/** The servlet that a container mounts. */
public final class Mount {

  private Mount() {}

  /** The broker's servlet, for the test's broker where it has one; the parameters are to be set. */
  public static BrokerServlet servlet(ServerSettings settings) {
    Broker broker = settings.broker();
    return broker == null ? new BrokerServlet() : new BrokerServlet(broker);
  }
}
