package io.peerbroker.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * The servers that {@code relay} compares.
 *
 * <p>{@code -bare} is the yardstick of the broker in the same container: {@link BareRelayServlet}.
 */
enum RelayServer {
  /** The broker of broker-examples, as its users run it. */
  RUNNABLE(Wire.BROKER, "/broker", "jetty12-bare"),
  /** The same server; streams and senders are WebSockets. */
  RUNNABLE_WEBSOCKET(Wire.WEBSOCKET, "/broker", "runnable"),
  /** The same server, in the place of PeerJS's. */
  RUNNABLE_PEERJS(Wire.PEER, "/peerjs", "peer"),

  JETTY11(Wire.BROKER, "", "jetty11-bare"),
  JETTY11_BARE(Wire.BARE, "", "jetty11-bare"),
  JETTY12(Wire.BROKER, "", "jetty12-bare"),
  JETTY12_BARE(Wire.BARE, "", "jetty12-bare"),
  TOMCAT10(Wire.BROKER, "", "tomcat10-bare"),
  TOMCAT10_BARE(Wire.BARE, "", "tomcat10-bare"),
  UNDERTOW(Wire.BROKER, "", "undertow-bare"),
  UNDERTOW_BARE(Wire.BARE, "", "undertow-bare"),

  /** The server of PeerJS, on Node.js: every message parsed, and written to a WebSocket. */
  PEER(Wire.PEER, "", ""),

  /** The server of signalhub, on Node.js: broadcasts over server-sent events, checks nothing. */
  SIGNALHUB(Wire.SIGNALHUB, "", ""),

  /** The module Nchan in nginx, in C: broadcasts over server-sent events, checks nothing. */
  NCHAN(Wire.NCHAN, "", "");

  private static final String PEER_VERSION = "1.0.2";
  private static final String SIGNALHUB_VERSION = "4.9.0";

  private final Wire wire;
  private final String mount;
  private final String yardstick;

  RelayServer(Wire wire, String mount, String yardstick) {
    this.wire = wire;
    this.mount = mount;
    this.yardstick = yardstick;
  }

  /** Returns the server that a command line names. */
  static RelayServer named(String name) {
    return Arrays.stream(values())
        .filter(server -> server.title().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "Not a server that relay knows: %s. The servers are %s."
                        .formatted(
                            name, Arrays.stream(values()).map(RelayServer::title).toList())));
  }

  /** Returns its name in the command line and in the tables. */
  String title() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Returns whether a JVM runs it. */
  boolean isJvm() {
    return this != PEER && this != SIGNALHUB && this != NCHAN;
  }

  /** Returns what clients speak with it. */
  Wire wire() {
    return wire;
  }

  /** Returns the path at which it is mounted, without a slash at the end. */
  String mount() {
    return mount;
  }

  /** Returns the server to compare it with: its yardstick if that runs too, else the first. */
  RelayServer yardstick(List<RelayServer> servers) {
    return servers.stream()
        .filter(server -> server.title().equals(yardstick))
        .findFirst()
        .orElse(servers.get(0));
  }

  /**
   * Returns the command that starts it on a port of the loopback.
   *
   * @param streams how many streams it must take
   * @param java the program of a JVM, with the options that all servers have
   * @param files what they run from
   */
  List<String> command(int port, int streams, List<String> java, ServerFiles files)
      throws IOException {
    return switch (this) {
      case PEER ->
          List.of(
              "node",
              files.npm("peer", PEER_VERSION).resolve("dist/bin/peerjs.js").toString(),
              "--host=127.0.0.1",
              "--port=" + port,
              "--concurrent_limit=1000000",
              "--alive_timeout=3600000");
      case SIGNALHUB ->
          List.of(
              "node",
              files.npm("signalhub", SIGNALHUB_VERSION).resolve("bin.js").toString(),
              "listen",
              "--host=127.0.0.1",
              "--port=" + port,
              "--quiet");
      case NCHAN -> List.of("nginx", "-e", "stderr", "-c", files.nchan(port, streams).toString());
      case RUNNABLE, RUNNABLE_WEBSOCKET, RUNNABLE_PEERJS -> runnable(port, streams, java, files);
      case JETTY11, JETTY12, TOMCAT10, UNDERTOW -> embedded("broker", port, streams, java, files);
      case JETTY11_BARE, JETTY12_BARE, TOMCAT10_BARE, UNDERTOW_BARE ->
          embedded("bare", port, streams, java, files);
    };
  }

  private static List<String> runnable(
      int port, int streams, List<String> java, ServerFiles files) {
    Path jar = files.runnable();
    if (!Files.exists(jar)) {
      throw new IllegalStateException(
          "There is no %s. Build it: mvn -B -q -DskipTests package -pl broker-examples -am"
              .formatted(jar));
    }
    List<String> command = new ArrayList<>(java);
    // Streams that nothing is sent to must not disturb the server that is measured: no
    // heartbeats.
    command.addAll(
        List.of(
            "-jar",
            jar.toString(),
            "--port=" + port,
            "--no-demo",
            "--peerjs-path=" + RUNNABLE_PEERJS.mount,
            "--peerjs-alive-timeout=60m",
            "--max-channels=" + Math.max(20_000, 2 * streams),
            "--message-rate=1000000",
            "--heartbeat=60m",
            "--idle-timeout=60m"));
    return command;
  }

  private List<String> embedded(
      String servlet, int port, int streams, List<String> java, ServerFiles files) {
    String container = title().replace("-bare", "");
    List<String> command = new ArrayList<>(java);
    command.addAll(
        List.of(
            "-cp",
            files.classPath(container),
            EmbeddedServer.class.getName(),
            container,
            servlet,
            "" + port,
            "" + streams));
    return command;
  }
}
