package io.peerbroker.it.quarkus;

import io.peerbroker.it.handover.Handover;
import io.quarkus.runtime.ShutdownDelayInitiatedEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

/**
 * Closes the broker when the application begins to stop. Quarkus closes its connections before it
 * destroys its servlets, so that no stream could be notified any longer.
 */
@ApplicationScoped
public class StreamsEnd {

  private final Handover handover = Handover.latest();

  /** For the container. */
  public StreamsEnd() {}

  /** Makes the container construct this while the application starts. */
  void onStart(@Observes StartupEvent starting) {}

  void onStop(@Observes ShutdownDelayInitiatedEvent stopping) {
    handover.shutDownBroker();
  }
}
