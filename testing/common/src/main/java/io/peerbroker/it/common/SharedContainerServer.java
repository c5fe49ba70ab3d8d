package io.peerbroker.it.common;

import io.peerbroker.it.handover.Handover;
import io.peerbroker.tck.ContainerServer;
import io.peerbroker.tck.ServerSettings;
import java.net.URI;

/** The application of one test in a {@link SharedContainer}. */
public record SharedContainerServer(SharedContainer container, Handover handover)
    implements ContainerServer {

  /** Starts the application. */
  public static SharedContainerServer start(SharedContainer container, ServerSettings settings) {
    Handover handover = Handover.give(settings);
    container.startApplication();
    return new SharedContainerServer(container, handover);
  }

  @Override
  public URI base() {
    return container.base();
  }

  @Override
  public void shutDownBroker() {
    handover.shutDownBroker();
  }

  @Override
  public void stopApplication() {
    container.stopApplication();
  }

  /** The application first: when a container stops, it may cut the connections. */
  @Override
  public void stopContainer() {
    stopApplication();
    container.stop();
  }

  @Override
  public void close() {
    shutDownBroker();
    stopApplication();
  }
}
