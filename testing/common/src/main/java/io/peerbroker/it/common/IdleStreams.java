package io.peerbroker.it.common;

import io.peerbroker.tck.ContainerServer;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * Measures the cost of an idle stream in a container. It is not a test: each container has a
 * program of its own that calls this.
 *
 * <p>The clients run in a JVM of their own, so that the figures are the server's alone. For Tomcat
 * 10.1, say:
 *
 * <pre>{@code
 * mvn -B test-compile dependency:build-classpath -Dmdep.outputFile=target/cp.txt -pl testing/containers/tomcat10 -am
 * cd testing/containers/tomcat10
 * java -Xmx1g -cp target/test-classes:$(cat target/cp.txt) io.peerbroker.it.common.IdleStreams io.peerbroker.it.Tomcat10Server
 * }</pre>
 */
public final class IdleStreams {

  private static final int STREAMS = 2_000;
  private static final int HEARTBEAT_SECONDS = 15;

  private IdleStreams() {}

  /** Starts the server whose class is named, or is the client of the one whose address is given. */
  public static void main(String[] args) throws Exception {
    if (args[0].startsWith("http:")) {
      open(URI.create(args[0]));
      return;
    }
    var start = Class.forName(args[0]).getDeclaredMethod("start", ServerSettings.class);
    start.setAccessible(true);
    ServerSettings settings =
        ServerSettings.of("heartbeat", HEARTBEAT_SECONDS + "s").and("maxChannels", STREAMS + 1);
    try (ContainerServer server = (ContainerServer) start.invoke(null, settings);
        WireClient client = new WireClient(server.base())) {
      for (int i = 0; i < 200; i++) {
        client.openChannel().close();
      }
      long heap = heap();
      long own = own();
      long direct = direct();
      Process clients =
          new ProcessBuilder(
                  System.getProperty("java.home") + "/bin/java",
                  "-cp",
                  System.getProperty("java.class.path"),
                  IdleStreams.class.getName(),
                  server.base().toString())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      try {
        if (clients.getInputStream().read() != '.') {
          throw new IllegalStateException("The clients have failed");
        }
        System.out.printf(
            "%s: %d streams, each %d bytes of heap, %d of them of the broker's classes, and %d of direct buffers%n",
            args[0],
            STREAMS,
            (heap() - heap) / STREAMS,
            (own() - own) / STREAMS,
            (direct() - direct) / STREAMS);
      } finally {
        clients.destroy();
        clients.waitFor();
      }
    }
  }

  /** Opens the streams, reports that once each has had a heartbeat, and waits for its end. */
  private static void open(URI base) throws Exception {
    WireClient client = new WireClient(base);
    List<WireChannel> channels = new ArrayList<>();
    for (int i = 0; i < STREAMS; i++) {
      channels.add(
          client.openChannel(
              "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
              "Accept-Language: en-GB,en;q=0.9",
              "Cache-Control: no-cache"));
    }
    for (WireChannel channel : channels) {
      channel.stream().awaitComments(1);
    }
    System.out.print('.');
    System.out.flush();
    System.in.read();
  }

  /** Returns the bytes in use after a collection. */
  private static long heap() {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 5; i++) {
      System.gc();
      least = Math.min(least, ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
    }
    return least;
  }

  /**
   * Returns the size of the objects of the broker's own classes, without the JDK's objects that
   * they hold.
   */
  private static long own() throws JMException {
    Object histogram =
        ManagementFactory.getPlatformMBeanServer()
            .invoke(
                new ObjectName("com.sun.management:type=DiagnosticCommand"),
                "gcClassHistogram",
                new Object[] {new String[0]},
                new String[] {String[].class.getName()});
    return histogram
        .toString()
        .lines()
        .map(line -> line.strip().split("\\s+"))
        .filter(fields -> fields.length > 3 && fields[3].startsWith("io.peerbroker."))
        .mapToLong(fields -> Long.parseLong(fields[2]))
        .sum();
  }

  private static long direct() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }
}
