package io.peerbroker.it;

import io.peerbroker.tck.ContainerKit;
import io.peerbroker.tck.ContainerServer;
import io.peerbroker.tck.ServerSettings;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The broker in Open Liberty. */
final class OpenLibertyIT extends ContainerKit {

  @Override
  protected ContainerServer start(ServerSettings settings) throws Exception {
    return OpenLibertyServer.start(settings);
  }

  /** The tests that send to a reader that stalls and wait for the answer. */
  @Override
  protected Map<String, String> exceptions() {
    String blocks = "Open Liberty's write waits for a reader that stalls, on its sender's thread";
    return Stream.of(
            "aStalledReaderIsItsSendersTrouble",
            "whateverEndsAStreamFreesItOnce",
            "freshRequestsDespiteStalledReaders",
            "aGivenUpReadersConnectionEnds",
            "shutdownDrains",
            "shutdownTellsEveryStream",
            "aStalledStreamIsGivenUp",
            "aFullQueueRefusesTheSender")
        .collect(Collectors.toMap(test -> test, test -> blocks));
  }
}
