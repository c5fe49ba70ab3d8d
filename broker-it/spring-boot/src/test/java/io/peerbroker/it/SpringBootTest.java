package io.peerbroker.it;

import io.peerbroker.tck.ContainerKit;
import io.peerbroker.tck.ContainerServer;
import io.peerbroker.tck.ServerSettings;
import java.util.Map;

/** The broker in Spring Boot, with the Tomcat that it embeds. */
final class SpringBootTest extends ContainerKit {

  @Override
  protected ContainerServer start(ServerSettings settings) throws Exception {
    return SpringBootServer.start(settings);
  }

  @Override
  protected Map<String, String> exceptions() {
    return Map.of(
        "aGivenUpReadersConnectionEnds",
        "the Tomcat of Spring Boot had ended one of six connections after 100 s");
  }
}
