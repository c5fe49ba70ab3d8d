package io.peerbroker.it;

import io.peerbroker.it.handover.Handover;
import io.peerbroker.tck.ContainerServer;
import io.peerbroker.tck.ServerSettings;
import java.net.URI;

/**
 * A web application of the {@link WildFly} in this JVM, with the broker's servlet at {@code
 * /kit/broker/*}. The next test's application follows it in the same container.
 */
record WildFlyServer(WildFly container, Handover handover) implements ContainerServer {

  static WildFlyServer start(ServerSettings settings) throws Exception {
    Handover handover = Handover.give(settings);
    WildFly container = WildFly.running();
    container.startApplication();
    return new WildFlyServer(container, handover);
  }

  @Override
  public URI base() {
    return URI.create("http://127.0.0.1:" + container.port() + "/kit/broker");
  }

  @Override
  public void shutDownBroker() {
    handover.shutDownBroker();
  }

  @Override
  public void stopApplication() {
    container.stopApplication();
  }

  /** The application first: the container's own stop closes its connections at the same time. */
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
