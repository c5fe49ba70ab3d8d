package io.peerbroker.it;

import io.peerbroker.tck.ContainerKit;
import io.peerbroker.tck.ContainerServer;
import io.peerbroker.tck.ServerSettings;

/** The broker in Spring Boot, with the Tomcat that it embeds. */
final class SpringBootTest extends ContainerKit {

  @Override
  protected ContainerServer start(ServerSettings settings) throws Exception {
    return SpringBootServer.start(settings);
  }
}
