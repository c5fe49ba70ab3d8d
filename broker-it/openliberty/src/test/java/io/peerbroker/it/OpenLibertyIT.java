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

  /** Most send to a reader that stalls, and wait for the answer. */
  @Override
  protected Map<String, String> exceptions() {
    String blocks = "Open Liberty's write waits for a reader that stalls, on its sender's thread";
    Map<String, String> exceptions =
        Stream.of(
                "aStalledReaderIsItsSendersTrouble",
                "aPauseLosesNothing",
                "whateverEndsAStreamFreesItOnce",
                "freshRequestsDespiteStalledReaders",
                "unreadAnswersHoldNoThread",
                "aGivenUpReadersConnectionEnds",
                "shutdownDrains",
                "shutdownTellsEveryStream",
                "aStalledStreamIsGivenUp",
                "aStalledStreamHasAGrace",
                "aStalledStreamIsSuperseded",
                "aFullQueueRefusesTheSender",
                "aQueueIsBoundedInEvents",
                "allQueuesTogetherAreBounded",
                "queuesHaveShares",
                "aListThatDoesNotKeepUpIsClosed")
            .collect(Collectors.toMap(test -> test, test -> blocks));
    exceptions.put(
        "refusedBodiesAreCutOff", "Open Liberty sends an empty answer when the exchange ends");
    exceptions.put(
        "bodiesWithoutContentAreCutOff", "Open Liberty reports nothing of a body but its content");
    exceptions.put(
        "aWholeBodyLeavesTheConnectionOpen", "Open Liberty closes the connection after a 404");
    exceptions.put(
        "hostilePathsLeadNowhere", "Open Liberty takes ;jsessionid=1 off the path by itself");
    return exceptions;
  }
}
