package io.peerbroker.benchmarks;

import com.google.gson.Gson;
import io.peerbroker.core.Broker;
import io.peerbroker.json.JsonRequests;
import io.peerbroker.servlet.BrokerServlet;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Enumeration;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What the servers run from: class paths, and packages of npm. The class paths of Jetty 11 and of
 * Tomcat have nothing of the Jetty 12 that is on this program's own: the build puts their jars into
 * {@code target/servers}.
 */
final class ServerFiles {

  /** Where Debian's package libnginx-mod-nchan has it. */
  private static final Path NCHAN = Path.of("/usr/lib/nginx/modules/ngx_nchan_module.so");

  private static final Duration INSTALLATION = Duration.ofMinutes(4);

  /** Where this module is built. */
  private final Path target;

  /** The broker and this program, without a container. */
  private final String common;

  private final Path directory;

  /**
   * Finds them.
   *
   * @param directory where a jar may be made, and packages may be installed
   */
  ServerFiles(Path directory) throws IOException {
    Path own = location(ServerFiles.class);
    this.directory = directory;
    target = parent(own);
    common = Files.isDirectory(own) ? common() : extract(own, directory).toString();
  }

  /** Returns the jar of the runnable broker. */
  Path runnable() {
    return parent(parent(parent(target))).resolve("broker-examples/target/broker-server.jar");
  }

  /** Returns the class path of a broker, or a bare servlet, in a container. */
  String classPath(String container) {
    if (container.equals("jetty12")) {
      return System.getProperty("java.class.path");
    }
    Path jars = target.resolve("servers").resolve(container);
    if (!Files.isDirectory(jars)) {
      throw new IllegalStateException(
          "There is no %s. Build it: mvn -B -q -DskipTests package -pl testing/benchmarks -am"
              .formatted(jars));
    }
    return jars + "/*" + File.pathSeparator + common;
  }

  /** Installs a package of npm, and returns the folder in which it is. */
  Path npm(String name, String version) throws IOException {
    if (!Cores.isInstalled("npm")) {
      throw new IllegalStateException(name + " needs node and npm, which are not on the PATH");
    }
    Path folder = directory.resolve("npm-" + name);
    Path output = directory.resolve("npm-" + name + ".txt");
    Process npm =
        new ProcessBuilder(
                "npm",
                "install",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--prefix",
                folder.toString(),
                name + "@" + version)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      boolean ended = npm.waitFor(INSTALLATION.toSeconds(), TimeUnit.SECONDS);
      if (!ended || npm.exitValue() != 0) {
        throw new IOException(
            "npm has not installed %s %s: %s"
                .formatted(name, version, Files.readString(output).strip()));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("Interrupted", e);
    } finally {
      npm.descendants().forEach(ProcessHandle::destroyForcibly);
      npm.destroyForcibly();
    }
    return folder.resolve("node_modules").resolve(name);
  }

  /**
   * Writes the configuration of an nginx with Nchan, one process on a port, and returns its file.
   *
   * @param streams how many it must take
   */
  Path nchan(int port, int streams) throws IOException {
    if (!Cores.isInstalled("nginx") || !Files.exists(NCHAN)) {
      throw new IllegalStateException(
          "nchan needs nginx on the PATH and %s: apt-get install -y nginx libnginx-mod-nchan"
              .formatted(NCHAN));
    }
    return Files.writeString(
        directory.resolve("nchan.conf"),
        """
        load_module %1$s;
        daemon off;
        master_process off;
        pid %2$s/nchan.pid;
        events { worker_connections %3$d; }
        http {
          access_log off;
          client_body_temp_path %2$s/body;
          proxy_temp_path %2$s/proxy;
          fastcgi_temp_path %2$s/fastcgi;
          uwsgi_temp_path %2$s/uwsgi;
          scgi_temp_path %2$s/scgi;
          keepalive_requests 1000000000;
          nchan_shared_memory_size 1G;
          server {
            listen 127.0.0.1:%4$d backlog=1024;
            location ~ ^/sub/(\\d+)$ {
              nchan_subscriber eventsource;
              nchan_channel_id $1;
            }
            location ~ ^/pub/(\\d+)$ {
              nchan_publisher;
              nchan_channel_id $1;
              nchan_message_buffer_length 1;
              nchan_message_timeout 2s;
            }
          }
        }
        """
            .formatted(NCHAN, directory, 2 * streams + 1_000, port));
  }

  /** Where a build before packaging has each of them. */
  private static String common() {
    Set<Path> locations =
        Stream.of(
                ServerFiles.class,
                Broker.class,
                JsonRequests.class,
                BrokerServlet.class,
                Gson.class)
            .map(ServerFiles::location)
            .collect(Collectors.toCollection(LinkedHashSet::new));
    return locations.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
  }

  /** Copies from the jar that has everything, Jetty 12 as well. */
  private static Path extract(Path all, Path directory) throws IOException {
    Path extracted = directory.resolve("common.jar");
    try (JarFile from = new JarFile(all.toFile());
        JarOutputStream to = new JarOutputStream(Files.newOutputStream(extracted))) {
      for (Enumeration<JarEntry> entries = from.entries(); entries.hasMoreElements(); ) {
        JarEntry entry = entries.nextElement();
        if (entry.getName().matches("(io/peerbroker|com/google/gson)/.*[^/]")) {
          to.putNextEntry(new JarEntry(entry.getName()));
          from.getInputStream(entry).transferTo(to);
        }
      }
    }
    return extracted;
  }

  private static Path location(Class<?> of) {
    try {
      return Path.of(of.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Path parent(Path path) {
    Path parent = path.toAbsolutePath().getParent();
    if (parent == null) {
      throw new IllegalStateException("Nothing is above " + path);
    }
    return parent;
  }
}
