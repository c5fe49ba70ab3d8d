package io.peerbroker.websocket;

import io.peerbroker.core.Broker;
import io.peerbroker.servlet.HttpSettings;
import io.peerbroker.servlet.SocketUpgrade;
import java.util.Objects;

/** Makes WebSockets for the servlet, which finds it by {@link java.util.ServiceLoader}. */
public final class WebSocketProvider implements SocketUpgrade.Provider {

  /** For {@link java.util.ServiceLoader}. */
  public WebSocketProvider() {}

  @Override
  public SocketUpgrade of(Broker broker, HttpSettings settings) {
    return new WebSockets(
        Objects.requireNonNull(broker, "broker"), Objects.requireNonNull(settings, "settings"));
  }
}
