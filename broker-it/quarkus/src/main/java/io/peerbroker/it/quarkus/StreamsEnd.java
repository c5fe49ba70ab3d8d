package io.peerbroker.it.quarkus;

import io.peerbroker.it.handover.Handover;
import io.quarkus.runtime.ShutdownDelayInitiatedEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

/**
 * Closes the broker when the application begins to stop. Quarkus closes its connections before it
 * destroys its servlets, so that no stream could be told any more.
 */
@ApplicationScoped
public class StreamsEnd {

  /** For the container. */
  public StreamsEnd() {}

  void onStop(@Observes ShutdownDelayInitiatedEvent stopping) {
    Handover.shutDownBroker();
  }
}
