package io.peerbroker.it.clients;

import io.peerbroker.it.common.DocBlock;
import io.peerbroker.it.common.Needed;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/** Debian's coturn with the settings of docs/turn.md, on the loopback interface. */
final class Coturn implements AutoCloseable {

  static final String SECRET = "north";

  private static final Path PROGRAM = Path.of("/usr/bin/turnserver");

  private final Process process;
  private final Path directory;
  private final int port;

  private Coturn(Process process, Path directory, int port) {
    this.process = process;
    this.directory = directory;
    this.port = port;
  }

  static Coturn start(Path directory) throws IOException {
    Needed.require(Files.isExecutable(PROGRAM), PROGRAM.toString());
    int port = freePort();
    Path settings =
        Files.writeString(
            directory.resolve("turnserver.conf"),
            DocBlock.of("docs/turn.md", "coturn")
                .text()
                .replace("<a long random word>", SECRET)
                .replace("listening-port=3478", "listening-port=" + port)
                .replace(
                    "external-ip=203.0.113.9",
                    """
                    listening-ip=127.0.0.1
                    relay-ip=127.0.0.1
                    allow-loopback-peers
                    no-tls
                    no-dtls
                    no-cli
                    log-file=stdout
                    pidfile=%s
                    """
                        .formatted(directory.resolve("pid"))));
    Process process =
        new ProcessBuilder(PROGRAM.toString(), "-c", settings.toString())
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("log").toFile())
            .start();
    Coturn coturn = new Coturn(process, directory, port);
    try {
      Awaitility.await().atMost(10, TimeUnit.SECONDS).until(coturn::isListening);
    } catch (RuntimeException | Error failed) {
      coturn.close();
      throw failed;
    }
    return coturn;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private boolean isListening() {
    if (!process.isAlive()) {
      throw new IllegalStateException("coturn has ended: " + log());
    }
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException notYet) {
      return false;
    }
  }

  /** Returns its address as clients write it. */
  String url() {
    return "turn:127.0.0.1:" + port + "?transport=udp";
  }

  private String log() {
    try {
      return Files.readString(directory.resolve("log"));
    } catch (IOException none) {
      return "";
    }
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      process.destroyForcibly();
    }
  }
}
