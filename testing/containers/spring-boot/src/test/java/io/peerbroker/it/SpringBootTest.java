package io.peerbroker.it;

import io.peerbroker.tck.ContainerKit;
import io.peerbroker.tck.ContainerServer;
import io.peerbroker.tck.ServerSettings;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The broker in Spring Boot, with the Tomcat that it embeds. */
@Execution(ExecutionMode.CONCURRENT)
final class SpringBootTest extends ContainerKit {

  @Override
  protected ContainerServer start(ServerSettings settings) throws Exception {
    return SpringBootServer.start(settings);
  }
}
