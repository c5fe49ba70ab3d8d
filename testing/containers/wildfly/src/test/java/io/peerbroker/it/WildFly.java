package io.peerbroker.it;

import io.peerbroker.it.common.SharedContainer;
import io.peerbroker.tck.ServerSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.jboss.as.controller.client.ModelControllerClient;
import org.jboss.dmr.ModelNode;
import org.jspecify.annotations.Nullable;
import org.wildfly.core.embedded.EmbeddedProcessFactory;
import org.wildfly.core.embedded.EmbeddedProcessStartException;
import org.wildfly.core.embedded.StandaloneServer;

/**
 * The WildFly that the build has unpacked, running in this JVM by its API for embedders. Its start
 * is slow, so there is one for all tests, with few threads, as some of them need; the web
 * application is deployed and undeployed for each.
 */
final class WildFly implements SharedContainer {

  private static final Path HOME = Path.of(System.getProperty("wildfly.home", "target/wildfly"));

  /** The part of the web application that the build has unpacked: all that it does not share. */
  private static final Path APPLICATION = Path.of("target", "kit.war").toAbsolutePath();

  private static final Path DESCRIPTOR = Path.of("src/test/webapp/WEB-INF/web.xml");

  private static final Path CONFIGURATION = Path.of("src/test/configuration/kit.xml");

  /** As many as the kit's tests with few threads want. */
  private static final int THREADS = 16;

  private static @Nullable WildFly running;

  private final int port;
  private final StandaloneServer server;

  private WildFly(int port, StandaloneServer server) {
    this.port = port;
    this.server = server;
  }

  /** Returns the container, which the first call starts. */
  static WildFly running() throws Exception {
    WildFly container = running;
    if (container == null) {
      container = start();
      running = container;
    }
    return container;
  }

  @Override
  public URI base() {
    return URI.create("http://127.0.0.1:" + port + "/kit/broker");
  }

  /** Stops the container, with the application in it; the next test starts it again. */
  @Override
  public void stop() {
    running = null;
    server.stop();
  }

  private static WildFly start() throws IOException, EmbeddedProcessStartException {
    Files.copy(
        DESCRIPTOR, APPLICATION.resolve("WEB-INF/web.xml"), StandardCopyOption.REPLACE_EXISTING);
    Files.copy(
        CONFIGURATION,
        HOME.resolve("standalone/configuration/kit.xml"),
        StandardCopyOption.REPLACE_EXISTING);
    int port = freePort();
    StandaloneServer server =
        EmbeddedProcessFactory.createStandaloneServer(
            HOME.toString(),
            HOME.resolve("modules").toString(),
            // The rest of the web application, and all of the container, is loaded apart from the
            // test.
            new String[] {
              "io.peerbroker.core",
              "io.peerbroker.tck",
              "io.peerbroker.it.handover",
              "com.google.gson"
            },
            new String[] {
              // The deployment is written to the file, and lost with it.
              "--read-only-server-config=kit.xml",
              "-Dkit.port=" + port,
              "-Dkit.threads=" + THREADS,
              "-Dkit.send-buffer=" + ServerSettings.SEND_BUFFER
            });
    server.start();
    WildFly container = new WildFly(port, server);
    ModelNode add = operation("add");
    ModelNode content = add.get("content").add();
    content.get("path").set(APPLICATION.toString());
    content.get("archive").set(false);
    container.execute(add);
    return container;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  @Override
  public void startApplication() {
    execute(operation("deploy"));
  }

  /** Stops the application, if the container is running. */
  @Override
  public void stopApplication() {
    if (running == this) {
      execute(operation("undeploy"));
    }
  }

  private static ModelNode operation(String name) {
    ModelNode operation = new ModelNode();
    operation.get("operation").set(name);
    operation.get("address").add("deployment", "kit.war");
    return operation;
  }

  private void execute(ModelNode operation) {
    try (ModelControllerClient client = server.getModelControllerClient()) {
      ModelNode result = client.execute(operation);
      if (!result.get("outcome").asString().equals("success")) {
        throw new AssertionError("WildFly has refused " + operation + ": " + result);
      }
    } catch (IOException e) {
      throw new AssertionError("WildFly does not " + operation, e);
    }
  }
}
