package io.peerbroker.it;

import io.peerbroker.tck.ContainerKit;
import io.peerbroker.tck.ContainerServer;
import io.peerbroker.tck.ServerSettings;
import java.util.Map;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The broker in Quarkus. */
@Execution(ExecutionMode.CONCURRENT)
final class QuarkusIT extends ContainerKit {

  @Override
  protected ContainerServer start(ServerSettings settings) throws Exception {
    return QuarkusServer.start(settings);
  }

  @Override
  protected Map<String, String> exceptions() {
    String query = "Quarkus refuses such a query itself, with an empty 400";
    return Map.of(
        "aMalformedQueryChangesNothing",
        query,
        "malformedQueriesAreRefused",
        query,
        "brokenBodiesLeaveNothing",
        "Quarkus does not report that a body broke off: it is given up at its timeout",
        "refusedBodiesAreCutOff",
        "Quarkus reads no body of a GET, so none is cut off, and sends an empty answer at its end",
        "bodiesWithoutContentAreCutOff",
        "Quarkus reports nothing of a body but its content",
        "bodiesMayComeInChunks",
        "Quarkus sends no 100 (Continue) for a body that is read as it comes",
        "aHalfCloseIsNoEnd",
        "Vert.x takes the end of what a client says for the end of the client");
  }
}
