package io.peerbroker.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.Gson;
import io.peerbroker.core.Broker;
import io.peerbroker.json.JsonRequests;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.tck.SseStream;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import java.io.File;
import java.lang.ref.WeakReference;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.apache.catalina.Context;
import org.apache.catalina.WebResourceSet;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.core.StandardWrapper;
import org.apache.catalina.startup.Tomcat;
import org.apache.catalina.webresources.DirResourceSet;
import org.apache.catalina.webresources.JarResourceSet;
import org.apache.catalina.webresources.StandardRoot;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** A web application with the broker in it, deployed again and again in a Tomcat that stays. */
@Isolated("It hears what is said of all Tomcats of the process.")
final class RedeploymentTest {

  private static final int DEPLOYMENTS = 20;
  private static final Duration BOUND = Duration.ofSeconds(60);

  /** Tomcat logs here what a stopped application has left: threads, thread-locals. */
  private final Logger loaders =
      Logger.getLogger("org.apache.catalina.loader.WebappClassLoaderBase");

  private final Queue<String> complaints = new ConcurrentLinkedQueue<>();
  private final Handler handler =
      new Handler() {
        @Override
        public void publish(LogRecord told) {
          // It also warns of threads of its own: one was about to look after the application, one
          // was just reporting that a client had gone. Both end by themselves.
          if (told.getMessage().contains("peerbroker")
              && !told.getMessage().contains("is still processing a request")) {
            complaints.add(told.getMessage());
          }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };

  private final Tomcat tomcat = new Tomcat();

  @BeforeEach
  void start() throws Exception {
    loaders.setLevel(Level.WARNING);
    loaders.addHandler(handler);
    Connector connector = new Connector();
    connector.setPort(0);
    connector.setProperty("address", "127.0.0.1");
    tomcat.setBaseDir("target/tomcat");
    tomcat.setConnector(connector);
    tomcat.start();
  }

  @AfterEach
  void stop() throws Exception {
    tomcat.stop();
    tomcat.destroy();
    loaders.removeHandler(handler);
    loaders.setLevel(null);
  }

  @Test
  @DisplayName("A redeployed application leaves no thread and no class of the broker's behind.")
  void nothingOfTheOldOneStays() throws Exception {
    List<WeakReference<ClassLoader>> gone = new ArrayList<>();
    for (int i = 0; i < DEPLOYMENTS; i++) {
      Context context =
          deploy(List.of(BrokerServlet.class, JsonRequests.class, Broker.class, Gson.class), null);
      gone.add(useAndUndeploy(context));
    }
    assertGone(gone);
  }

  @Test
  @DisplayName("A broker that outlives an application keeps no class of the application's.")
  void aBrokerOfTheServersKeepsNoneOfThem() throws Exception {
    List<WeakReference<ClassLoader>> gone = new ArrayList<>();
    try (Broker shared = Broker.create()) {
      for (int i = 0; i < DEPLOYMENTS / 4; i++) {
        gone.add(useAndUndeploy(deploy(List.of(BrokerServlet.class, JsonRequests.class), shared)));
      }
      assertGone(gone);
    }
  }

  private void assertGone(List<WeakReference<ClassLoader>> gone) {
    assertThat(complaints).as("of Tomcat, about what it finds after the stop").isEmpty();
    await()
        .atMost(BOUND)
        .untilAsserted(
            () -> {
              System.gc();
              assertThat(gone)
                  .as("class loaders of old deployments")
                  .allMatch(ref -> ref.refersTo(null));
            });
  }

  /** Returns the class loader of an application that has had streams of every kind, and is gone. */
  private WeakReference<ClassLoader> useAndUndeploy(Context context) throws Exception {
    ClassLoader loader = context.getLoader().getClassLoader();
    assertThat(loader.loadClass(BrokerServlet.class.getName())).isNotEqualTo(BrokerServlet.class);
    URI base = URI.create("http://127.0.0.1:" + tomcat.getConnector().getLocalPort() + "/app");
    List<SseStream> streams = new ArrayList<>();
    try (WireClient client = new WireClient(base)) {
      WireChannel channel = client.openChannelAt("/channel?resume=1");
      streams.add(channel.stream());
      streams.add(client.watch(""));
      String sid = channel.listSession("");
      assertThat(channel.send(sid, "1").status()).isEqualTo(200);
      assertThat(channel.awaitMessage().get("message").getAsInt()).isEqualTo(1);
      assertThat(client.get("/nowhere").status()).isEqualTo(404);
      // A client that has gone and could come back: its grace has not run out yet
      client.openChannelAt("/channel?resume=1").stream().reset();
      tomcat.getHost().removeChild(context);
      streams.forEach(SseStream::awaitEnd);
    }
    return new WeakReference<>(loader);
  }

  /**
   * @param own a class of each jar or directory that is the application's own
   * @param shared the broker that the server gives to its applications, if any
   */
  private Context deploy(List<Class<?>> own, @Nullable Broker shared) throws Exception {
    StandardContext context = new StandardContext();
    context.setPath("");
    // Streams end with the broker: each deployment would wait the usual 2 s for them
    context.setUnloadDelay(100);
    context.addLifecycleListener(new Tomcat.FixContextListener());
    StandardRoot resources = new StandardRoot(context);
    for (Class<?> of : own) {
      resources.addPreResources(classes(resources, of));
    }
    context.setResources(resources);
    StandardWrapper servlet = new StandardWrapper();
    servlet.setName("broker");
    servlet.setServletClass(BrokerServlet.class.getName());
    context.addChild(servlet);
    servlet.setAsyncSupported(true);
    servlet.setLoadOnStartup(0);
    servlet.addMapping("/app/*");
    if (shared != null) {
      context.addServletContainerInitializer(
          (classes, started) -> started.setAttribute(BrokerServlet.BROKER_ATTRIBUTE, shared),
          Set.of());
    }
    // Which starts it
    tomcat.getHost().addChild(context);
    return context;
  }

  /** The jar or directory that a class of the test's is from, as classes of the application's. */
  private static WebResourceSet classes(StandardRoot resources, Class<?> of)
      throws URISyntaxException {
    File from = Path.of(of.getProtectionDomain().getCodeSource().getLocation().toURI()).toFile();
    String at = "/WEB-INF/classes";
    return from.isDirectory()
        ? new DirResourceSet(resources, at, from.getPath(), "/")
        : new JarResourceSet(resources, at, from.getPath(), "/");
  }
}
