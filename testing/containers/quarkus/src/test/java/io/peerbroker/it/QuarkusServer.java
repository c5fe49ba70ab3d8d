package io.peerbroker.it;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.peerbroker.it.handover.Handover;
import io.peerbroker.tck.ContainerServer;
import io.peerbroker.tck.ServerSettings;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.MalformedURLException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A Quarkus application with the broker's servlet at {@code /broker/*}: the one that the build has
 * left in {@code target/quarkus-app}, in this JVM.
 *
 * <p>Quarkus keeps its application in static fields, so each start has a class loader of its own.
 */
record QuarkusServer(Loader loader, Object application, Handover handover, URI base)
    implements ContainerServer {

  /** Loads all of Quarkus and the application itself; the shared classes come from the test. */
  private static final class Loader extends URLClassLoader {

    private static final List<String> SHARED =
        List.of("java.", "io.peerbroker.core.", "io.peerbroker.tck.", "io.peerbroker.it.handover.");

    Loader(URL[] jars) {
      super(jars, QuarkusServer.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (SHARED.stream().anyMatch(name::startsWith)) {
        return super.loadClass(name, resolve);
      }
      synchronized (getClassLoadingLock(name)) {
        Class<?> loaded = findLoadedClass(name);
        if (loaded == null) {
          try {
            loaded = findClass(name);
          } catch (ClassNotFoundException elsewhere) {
            loaded = super.loadClass(name, resolve);
          }
        }
        return loaded;
      }
    }

    @Override
    public URL getResource(String name) {
      URL own = findResource(name);
      return own == null ? super.getResource(name) : own;
    }
  }

  private static final ReentrantLock STARTING = new ReentrantLock();

  /** Below those that the system gives to clients, which other tests open meanwhile. */
  @GuardedBy("STARTING")
  private static int nextPort = 20_000;

  /** The end of the connection of a reader that was given up. */
  private static final String IDLE_TIMEOUT = "20s";

  static {
    // The first logger of the JVM reports that JBoss's log manager is not used. That must not be
    // the broker's logger, which the kit expects to be silent.
    System.getLogger("org.jboss.logmanager");
    // A jar that is cached is shared by all loaders, and the first that closes takes it from the
    // one that starts.
    URLConnection.setDefaultUseCaches("jar", false);
  }

  /** One start at a time: they take their settings from the same places. */
  static QuarkusServer start(ServerSettings settings) throws Exception {
    Loader loader = new Loader(jars());
    STARTING.lock();
    try {
      Handover handover = Handover.give(settings);
      boolean few = settings.threads() > 0;
      set("quarkus.http.host", "127.0.0.1");
      int port = freePort();
      set("quarkus.http.port", "" + port);
      set("quarkus.thread-pool.max-threads", few ? "" + settings.threads() : null);
      set("send.buffer", few ? "" + ServerSettings.SEND_BUFFER : null);
      set("quarkus.http.idle-timeout", idleTimeout(settings));
      Object application =
          inside(
              loader,
              () ->
                  loader
                      .loadClass("io.quarkus.runner.ApplicationImpl")
                      .getConstructor()
                      .newInstance());
      inside(
          loader,
          () ->
              application
                  .getClass()
                  .getMethod("start", String[].class)
                  .invoke(application, (Object) new String[0]));
      return new QuarkusServer(
          loader, application, handover, URI.create("http://127.0.0.1:" + port + "/broker"));
    } finally {
      STARTING.unlock();
    }
  }

  @GuardedBy("STARTING")
  private static int freePort() throws IOException {
    while (true) {
      try (ServerSocket socket = new ServerSocket(nextPort, 1, InetAddress.getLoopbackAddress())) {
        return socket.getLocalPort();
      } catch (BindException taken) {
        // Used by another process
      } finally {
        nextPort++;
      }
    }
  }

  private static @Nullable String idleTimeout(ServerSettings settings) {
    if (!settings.clientTimeout().isZero()) {
      return settings.clientTimeout().toMillis() + "ms";
    }
    return settings.threads() > 0 ? IDLE_TIMEOUT : null;
  }

  private static void set(String property, @Nullable String value) {
    if (value == null) {
      System.clearProperty(property);
    } else {
      System.setProperty(property, value);
    }
  }

  private static URL[] jars() throws IOException {
    Path root = Path.of("target", "quarkus-app");
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .filter(file -> file.toString().endsWith(".jar"))
          .filter(file -> !file.endsWith("quarkus-run.jar"))
          .sorted()
          .map(QuarkusServer::url)
          .toArray(URL[]::new);
    }
  }

  private static URL url(Path file) {
    try {
      return file.toUri().toURL();
    } catch (MalformedURLException impossible) {
      throw new AssertionError(impossible);
    }
  }

  @FunctionalInterface
  private interface Step {
    Object run() throws ReflectiveOperationException;
  }

  private static Object inside(Loader loader, Step step) {
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(loader);
    try {
      return step.run();
    } catch (InvocationTargetException failed) {
      throw new AssertionError("Quarkus has failed", failed.getCause());
    } catch (ReflectiveOperationException other) {
      throw new LinkageError("Another Quarkus than this class was written for", other);
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  /** Returns how many bytes of buffers are in use which no garbage collection would free. */
  long bytesLostUnlessReleased() {
    Object bytes =
        inside(
            loader,
            () -> {
              Object pool = allocator("Pooled");
              Object metric =
                  call(allocator("Unpooled"), "ByteBufAllocatorMetricProvider", "metric");
              return (long) call(pool, "PooledByteBufAllocator", "pinnedDirectMemory")
                  + (long) call(pool, "PooledByteBufAllocator", "pinnedHeapMemory")
                  + (long) call(metric, "ByteBufAllocatorMetric", "usedDirectMemory");
            });
    return (long) bytes;
  }

  private Object allocator(String kind) throws ReflectiveOperationException {
    return loader
        .loadClass("io.netty.buffer." + kind + "ByteBufAllocator")
        .getField("DEFAULT")
        .get(null);
  }

  private Object call(Object target, String type, String method)
      throws ReflectiveOperationException {
    return loader.loadClass("io.netty.buffer." + type).getMethod(method).invoke(target);
  }

  @Override
  public void shutDownBroker() {
    handover.shutDownBroker();
  }

  @Override
  public void stopApplication() {
    inside(loader, () -> application.getClass().getMethod("stop").invoke(application));
  }

  /** The two are one. */
  @Override
  public void stopContainer() {
    stopApplication();
  }

  @Override
  public void close() {
    shutDownBroker();
    stopApplication();
    try {
      loader.close();
    } catch (IOException e) {
      throw new AssertionError("The application's jars stay open", e);
    }
  }
}
