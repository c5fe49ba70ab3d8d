package io.peerbroker.it;

import io.peerbroker.it.handover.Handover;
import io.peerbroker.tck.ContainerServer;
import io.peerbroker.tck.ServerSettings;
import java.net.URI;

/**
 * A web application of the {@link OpenLiberty} in this JVM, with the broker's servlet at {@code
 * /broker/*}. The next test's application follows it in the same container.
 */
record OpenLibertyServer(OpenLiberty container, Handover handover) implements ContainerServer {

  static OpenLibertyServer start(ServerSettings settings) throws Exception {
    Handover handover = Handover.give(settings);
    OpenLiberty container = OpenLiberty.running();
    container.startApplication();
    return new OpenLibertyServer(container, handover);
  }

  @Override
  public URI base() {
    return URI.create("http://127.0.0.1:" + container.port() + "/broker");
  }

  @Override
  public void shutDownBroker() {
    handover.shutDownBroker();
  }

  @Override
  public void stopApplication() {
    container.stopApplication();
  }

  /** The application first: the container's own stop cuts the connections before it. */
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
