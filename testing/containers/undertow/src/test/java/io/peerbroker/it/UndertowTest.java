package io.peerbroker.it;

import io.peerbroker.tck.ContainerKit;
import io.peerbroker.tck.ContainerServer;
import io.peerbroker.tck.ServerSettings;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The broker in Undertow. */
@Execution(ExecutionMode.CONCURRENT)
final class UndertowTest extends ContainerKit {

  @Override
  protected ContainerServer start(ServerSettings settings) throws Exception {
    return UndertowServer.start(settings);
  }

  @Override
  protected Map<String, String> exceptions() {
    String query = "Undertow refuses such a query itself, with a 400 of its own form";
    Map<String, String> exceptions = new TreeMap<>();
    exceptions.put("aMalformedQueryChangesNothing", query);
    exceptions.put("malformedQueriesAreRefused", query);
    exceptions.put(
        "bodiesWithoutContentAreCutOff",
        "Undertow reports no byte of a body to the servlet but those of its content");
    return exceptions;
  }
}
