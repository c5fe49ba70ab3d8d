package io.peerbroker.tck;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The client against a server that sends what the test asks for, well-formed or not. */
final class WireClientTest {

  private static final String STREAM =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

  private final BlockingQueue<String> asked = new LinkedBlockingQueue<>();
  private ServerSocket server;
  private WireClient client;

  @BeforeEach
  void start() throws IOException {
    server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    String address = server.getInetAddress().getHostAddress();
    client = new WireClient(URI.create("http://" + address + ":" + server.getLocalPort() + "/at"));
  }

  @AfterEach
  void stop() throws IOException {
    client.close();
    server.close();
  }

  @Test
  void sendsWhatItIsToldAndReadsABodyOfAGivenLength() throws InterruptedException {
    answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nä!", false);
    WireResponse response = client.get("/list?filter=%41", "Accept: */*");
    assertThat(response.body()).isEqualTo("ä!");
    assertThat(asked.take())
        .startsWith("GET /at/list?filter=%41 HTTP/1.1\r\nHost: ")
        .endsWith("\r\nConnection: close\r\nAccept: */*\r\n\r\n");
  }

  @Test
  void readsChunksAndTrailers() {
    String chunks = "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nT: x\r\n\r\n";
    answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, false);
    assertThat(client.get("/").body()).isEqualTo("abc0123456789");
  }

  @Test
  void readsNoBodyToHead() {
    answer(
        "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 20\r\nAllow: POST,\tGET\r\n\r\n",
        false);
    WireResponse response = client.request("HEAD", "/session");
    assertThat(response.status()).isEqualTo(405);
    assertThat(response.headerList("allow")).containsExactly("post", "get");
  }

  @Test
  void refusesWhatHttpDoesNotAllow() {
    assertRefused("HTTP/1.1 200\r\n\r\n");
    assertRefused("HTTP/1.1 200 OK\n\n");
    assertRefused("HTTP/1.1 200 OK\r\nName : value\r\n\r\n");
    assertRefused("HTTP/1.1 200 OK\r\nName: a\r\n folded\r\n\r\n");
    assertRefused("HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\na");
    assertRefused(
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assertRefused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n");
    assertRefused("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc");
  }

  @Test
  void readsAStreamAsItComes() {
    answer(
        STREAM + "1c\r\n:hi\n\nevent: a\ndata: {}\n\ndata\r\n4\r\n: 1\n\r\n1\r\n\n\r\n0\r\n\r\n",
        false);
    SseStream stream = client.openStream("/channel");
    assertThat(stream.await("message").data()).isEqualTo("1");
    assertThat(stream.events()).hasSize(2);
    assertThat(stream.comments()).containsExactly("hi");
    assertThat(stream.awaitEnd()).isEqualTo(SseStream.End.COMPLETE);
    assertThatThrownBy(stream::next).isInstanceOf(AssertionError.class);
  }

  @Test
  void tellsAStreamThatWasCutFromOneThatWasReset() {
    answer(STREAM + "2\r\n:\n\r\n", false);
    assertThat(client.openStream("/channel").awaitEnd()).isEqualTo(SseStream.End.CUT);
    answer(STREAM + "2\r\n:\n\r\n", true);
    SseStream stream = client.openStream("/channel");
    assertThat(stream.awaitEnd()).isEqualTo(SseStream.End.RESET);
  }

  private void assertRefused(String response) {
    answer(response, false);
    assertThatThrownBy(() -> client.get("/")).hasCauseInstanceOf(IOException.class);
  }

  /** Takes one connection, reads one request's head, and answers; ends with FIN or RST. */
  private void answer(String response, boolean reset) {
    Thread thread =
        new Thread(
            () -> {
              try (Socket socket = server.accept()) {
                asked.add(readHead(socket.getInputStream()));
                socket.getOutputStream().write(response.getBytes(UTF_8));
                if (reset) {
                  socket.setSoLinger(true, 0);
                }
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    thread.setDaemon(true);
    thread.start();
  }

  private static String readHead(InputStream in) throws IOException {
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      head.append((char) in.read());
    }
    return head.toString();
  }
}
