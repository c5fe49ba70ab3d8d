package io.peerbroker.tck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.peerbroker.tck.FaultProxy.Way;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The proxy between two sockets that show its effects. */
final class FaultProxyTest {

  private static final byte[] BYTES = new byte[200];
  private static final int PROMPT = (int) WireConnection.BOUND.toMillis();
  private static final int LATER = 300;

  static {
    new Random(1).nextBytes(BYTES);
  }

  private ServerSocket listener;
  private FaultProxy proxy;
  private Socket client;
  private Socket server;

  @BeforeEach
  void start() throws IOException {
    listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    listener.setSoTimeout(PROMPT);
    listener.setReceiveBufferSize(16 * 1024);
    String address = listener.getInetAddress().getHostAddress();
    proxy =
        FaultProxy.before(URI.create("http://" + address + ":" + listener.getLocalPort() + "/at"));
    connect();
  }

  private void connect() throws IOException {
    client = new Socket(proxy.base().getHost(), proxy.base().getPort());
    client.setSoTimeout(PROMPT);
    server = listener.accept();
    server.setSoTimeout(PROMPT);
    server.setTcpNoDelay(true);
    await().atMost(WireConnection.BOUND).until(() -> proxy.open() == 1);
  }

  @AfterEach
  void stop() throws IOException {
    proxy.close();
    client.close();
    server.close();
    listener.close();
  }

  @Test
  void pass_handsOnBytesAndEnds() throws IOException {
    assertThat(proxy.base().getPath()).isEqualTo("/at");
    client.getOutputStream().write(BYTES);
    client.shutdownOutput();
    assertThat(server.getInputStream().readAllBytes()).isEqualTo(BYTES);
    server.getOutputStream().write(BYTES);
    server.shutdownOutput();
    assertThat(client.getInputStream().readAllBytes()).isEqualTo(BYTES);
    await().atMost(WireConnection.BOUND).until(() -> proxy.open() == 0);
    assertThat(proxy.accepted()).isEqualTo(1);
    assertThat(proxy.used()).isEqualTo(1);
  }

  @Test
  void used_isWhatClientsHaveSpokenOn() throws IOException {
    server.getOutputStream().write(BYTES);
    assertThat(client.getInputStream().readNBytes(BYTES.length)).isEqualTo(BYTES);
    assertThat(proxy.used()).isEqualTo(0);
    client.getOutputStream().write(1);
    assertThat(server.getInputStream().read()).isEqualTo(1);
    assertThat(proxy.used()).isEqualTo(1);
  }

  @Test
  void cutAfter_handsOnExactlySoMuch() throws IOException {
    for (int n = 0; n < BYTES.length; n += 7) {
      proxy.cutAfter(n);
      server.getOutputStream().write(BYTES);
      assertThat(client.getInputStream().readAllBytes()).startsWith(firstBytes(n)).hasSize(n);
      Socket cut = server;
      assertThatThrownBy(() -> cut.getInputStream().read()).isInstanceOf(SocketException.class);
      server.close();
      client.close();
      connect();
    }
    // One plan is for one connection.
    server.getOutputStream().write(BYTES);
    assertThat(client.getInputStream().readNBytes(BYTES.length)).isEqualTo(BYTES);
  }

  @Test
  void reset_isSeenOnBothSides() {
    proxy.reset();
    assertThatThrownBy(() -> client.getInputStream().read()).isInstanceOf(SocketException.class);
    assertThatThrownBy(() -> server.getInputStream().read()).isInstanceOf(SocketException.class);
  }

  @Test
  void end_isSeenOnBothSides() throws IOException {
    proxy.end();
    assertThat(client.getInputStream().read()).isEqualTo(-1);
    assertThat(server.getInputStream().read()).isEqualTo(-1);
  }

  @Test
  void finish_endsOneWayOnly() throws IOException {
    proxy.finish();
    assertThat(server.getInputStream().read()).isEqualTo(-1);
    server.getOutputStream().write(BYTES);
    assertThat(client.getInputStream().readNBytes(BYTES.length)).isEqualTo(BYTES);
  }

  @Test
  void stall_takesNothingMoreAndLosesNothing() throws IOException {
    proxy.use(Way.STALL);
    byte[] much = new byte[64 * 1024];
    int[] written = new int[1];
    Thread writer =
        new Thread(
            () -> {
              try {
                for (int i = 0; i < 1_000; i++) {
                  server.getOutputStream().write(much);
                  written[0]++;
                }
                server.shutdownOutput();
              } catch (IOException over) {
                // the test has failed before
              }
            });
    writer.setDaemon(true);
    writer.start();
    assertNothingComes(client);
    await()
        .pollDelay(Duration.ofMillis(LATER))
        .untilAsserted(() -> assertThat(writer.isAlive()).isTrue());
    proxy.use(Way.PASS);
    assertThat(client.getInputStream().readAllBytes()).hasSize(1_000 * much.length);
    assertThat(written[0]).isEqualTo(1_000);
  }

  @Test
  void delay_keepsEveryPieceForSoLong() throws IOException {
    proxy.delay(Duration.ofMillis(LATER));
    long begin = System.nanoTime();
    server.getOutputStream().write(BYTES);
    assertThat(client.getInputStream().readNBytes(BYTES.length)).isEqualTo(BYTES);
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThan(Duration.ofMillis(LATER));
  }

  @Test
  void dribble_handsOnByteByByte() throws IOException {
    proxy.use(Way.DRIBBLE);
    proxy.delay(Duration.ofMillis(5));
    byte[] got = new byte[BYTES.length];
    long begin = System.nanoTime();
    server.getOutputStream().write(BYTES);
    int first = client.getInputStream().read(got);
    assertThat(first).isLessThan(BYTES.length / 2);
    assertThat(client.getInputStream().readNBytes(got, first, got.length - first))
        .isEqualTo(got.length - first);
    assertThat(got).isEqualTo(BYTES);
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThan(Duration.ofSeconds(1));
  }

  @Test
  void deaf_takesAndForgetsAndTellsNobody() throws IOException {
    proxy.use(Way.DEAF);
    server.getOutputStream().write(BYTES);
    client.getOutputStream().write(BYTES);
    await().atMost(WireConnection.BOUND).until(() -> proxy.forgotten() == BYTES.length);
    assertNothingComes(client);
    client.close();
    assertNothingComes(server);
    proxy.use(Way.PASS);
    assertNothingComes(server);
  }

  @Test
  void close_endsWhatThereIsAndTakesNoMore() throws IOException {
    proxy.use(Way.STALL);
    proxy.close();
    assertThat(client.getInputStream().read()).isEqualTo(-1);
    assertThat(server.getInputStream().read()).isEqualTo(-1);
    assertThat(proxy.open()).isEqualTo(0);
    // As long as its thread is still in accept, the system takes connections.
    await().atMost(WireConnection.BOUND).until(this::isRefused);
    await()
        .atMost(WireConnection.BOUND)
        .until(
            () ->
                Thread.getAllStackTraces().keySet().stream()
                    .noneMatch(thread -> thread.getName().startsWith("fault-proxy-")));
  }

  private boolean isRefused() {
    try (Socket taken = new Socket(proxy.base().getHost(), proxy.base().getPort())) {
      return !taken.isConnected();
    } catch (IOException refused) {
      return true;
    }
  }

  private static void assertNothingComes(Socket socket) throws IOException {
    socket.setSoTimeout(LATER);
    assertThatThrownBy(() -> socket.getInputStream().read())
        .isInstanceOf(SocketTimeoutException.class);
    socket.setSoTimeout(PROMPT);
  }

  private static byte[] firstBytes(int n) {
    return Arrays.copyOf(BYTES, n);
  }
}
