package io.peerbroker.it;

import io.peerbroker.it.common.SharedContainer;
import io.peerbroker.tck.ServerSettings;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/**
 * The Open Liberty that the build has unpacked to {@code target/wlp}, running in this JVM by its
 * API for embedders, which the build puts on the class path. Its start is slow, so there is one for
 * all tests, with few threads and a short write timeout, as some of them need; the web application
 * is started and stopped for each.
 */
final class OpenLiberty implements SharedContainer {

  private static final Duration BOUND = Duration.ofSeconds(90);
  private static final Path INSTALLED = Path.of("target", "wlp").toAbsolutePath();
  private static final Path USER = Path.of("target", "liberty").toAbsolutePath();
  private static final Path DESCRIPTOR =
      Path.of("src/test/webapp/WEB-INF/web.xml").toAbsolutePath();

  /**
   * The part of the web application that the build has unpacked: all that it does not share with
   * the test.
   */
  private static final Path CLASSES = Path.of("target", "application").toAbsolutePath();

  /** As many as the kit's tests with few threads want. */
  private static final int THREADS = 16;

  private static @Nullable OpenLiberty running;

  private final int port;
  private final Object server;

  private OpenLiberty(int port, Object server) {
    this.port = port;
    this.server = server;
  }

  /** Returns the container, which the first call starts. */
  static OpenLiberty running() throws Exception {
    OpenLiberty container = running;
    if (container == null) {
      container = start();
      running = container;
    }
    return container;
  }

  /** Stops the container, if there is one. */
  static void stopRunning() {
    OpenLiberty container = running;
    if (container != null) {
      container.stop();
    }
  }

  @Override
  public URI base() {
    return URI.create("http://127.0.0.1:" + port + "/broker");
  }

  /** Stops the container; the next test starts it again. */
  @Override
  public void stop() {
    running = null;
    try {
      // Without the 30 s that it gives to requests: a stream does not end by itself.
      await(server, "stop", "--force");
    } catch (Exception e) {
      throw new AssertionError("The container did not stop", e);
    }
  }

  private static OpenLiberty start() throws Exception {
    int port = freePort();
    Path directory = Files.createDirectories(USER.resolve("servers/kit/apps")).getParent();
    Files.writeString(directory.resolve("apps/kit.war.xml"), application());
    Files.writeString(directory.resolve("server.xml"), configuration(port));
    // The rest of the web application, and all of the container, is loaded apart from the test. The
    // application's loader asks the system's, too, which has the test's copies: hence parentLast.
    Files.writeString(
        directory.resolve("bootstrap.properties"),
        """
        org.osgi.framework.bootdelegation=\
        io.peerbroker.core,io.peerbroker.tck,io.peerbroker.it.handover,com.google.gson,com.google.gson.*
        com.ibm.ws.logging.console.log.level=OFF
        """);
    Class<?> type = Class.forName("com.ibm.wsspi.kernel.embeddable.ServerBuilder");
    Object builder = type.getConstructor().newInstance();
    type.getMethod("setName", String.class).invoke(builder, "kit");
    type.getMethod("setInstallDir", File.class).invoke(builder, INSTALLED.toFile());
    type.getMethod("setUserDir", File.class).invoke(builder, USER.toFile());
    Object server = type.getMethod("build").invoke(builder);
    await(server, "start");
    return new OpenLiberty(port, server);
  }

  private static void await(Object server, String action, String... arguments) throws Exception {
    Class<?> type = Class.forName("com.ibm.wsspi.kernel.embeddable.Server");
    Future<?> future =
        (Future<?>) type.getMethod(action, String[].class).invoke(server, (Object) arguments);
    Object result = future.get(BOUND.toSeconds(), TimeUnit.SECONDS);
    Class<?> results = Class.forName("com.ibm.wsspi.kernel.embeddable.Server$Result");
    if (!(boolean) results.getMethod("successful").invoke(result)) {
      Throwable why = (Throwable) results.getMethod("getException").invoke(result);
      throw new AssertionError("Open Liberty does not " + action, why);
    }
  }

  private static String configuration(int port) {
    return """
        <server>
          <featureManager><feature>servlet-6.0</feature></featureManager>
          <httpEndpoint id="defaultHttpEndpoint" host="127.0.0.1" httpPort="%d" httpsPort="-1">
            <tcpOptions sendBufferSize="%d"/>
            <httpOptions writeTimeout="5s"/>
          </httpEndpoint>
          <executor coreThreads="%3$d" maxThreads="%3$d"/>
          <config updateTrigger="disabled"/>
          <applicationMonitor updateTrigger="disabled" dropinsEnabled="false"/>
          <webApplication id="kit" name="kit" location="kit.war" contextRoot="/" autoStart="false">
            <classloader delegation="parentLast"/>
          </webApplication>
        </server>
        """
        .formatted(port, ServerSettings.SEND_BUFFER, THREADS);
  }

  /** The web application, as the paths of what it is made of. */
  private static String application() {
    return """
        <archive>
          <file targetInArchive="/WEB-INF/web.xml" sourceOnDisk="%s"/>
          <dir targetInArchive="/WEB-INF/classes" sourceOnDisk="%s"/>
        </archive>
        """
        .formatted(DESCRIPTOR, CLASSES);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  @Override
  public void startApplication() {
    change("start", "STARTED");
  }

  /** Stops the application, if it is running. */
  @Override
  public void stopApplication() {
    if (running == this) {
      change("stop", "STOPPED");
    }
  }

  private static void change(String action, String state) {
    MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
    try {
      ObjectName name =
          new ObjectName(
              "WebSphere:service=com.ibm.websphere.application.ApplicationMBean,name=kit");
      Awaitility.await().atMost(BOUND).until(() -> beans.isRegistered(name));
      beans.invoke(name, action, new Object[0], new String[0]);
      Awaitility.await().atMost(BOUND).until(() -> beans.getAttribute(name, "State").equals(state));
    } catch (JMException e) {
      throw new AssertionError("The application does not " + action, e);
    }
  }
}
