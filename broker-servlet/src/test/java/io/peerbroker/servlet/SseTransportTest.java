package io.peerbroker.servlet;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.core.ChannelOptions;
import io.peerbroker.core.Json;
import io.peerbroker.test.FakeTimer;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.catalina.FakeStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Streams of one connection whose writes may block, on a container that behaves as a test demands.
 */
final class SseTransportTest {

  private static final HttpSettings SETTINGS =
      HttpSettings.defaults()
          .withHeartbeat(Duration.ofSeconds(15))
          .withWriteTimeout(Duration.ofSeconds(30));

  private final FakeTimer timer = new FakeTimer();
  private final Broker broker = Broker.builder().timer(timer).build();
  private final ConnectionWriters connections = new ConnectionWriters(timer);
  private final Set<SseTransport> open = ConcurrentHashMap.newKeySet();

  @AfterEach
  void close() {
    open.forEach(SseTransport::abort);
    assertThat(open).isEmpty();
    assertThat(connections.size()).isZero();
    broker.close();
  }

  /** A channel whose stream has been opened on the one connection. */
  private final class Client {
    final FakeStream out = new FakeStream();
    final AsyncContext async = mock(AsyncContext.class);
    final HttpServletRequest request = mock(HttpServletRequest.class);
    final Channel channel;
    private CompletableFuture<@Nullable Void> checked = new CompletableFuture<>();

    Client() throws IOException {
      this(broker, connections, () -> {});
    }

    /**
     * @param opened what happens when the stream has begun, and the broker does not have it yet
     */
    Client(Broker broker, ConnectionWriters connections, Runnable opened) throws IOException {
      HttpServletResponse response = mock(HttpServletResponse.class);
      when(request.getProtocol()).thenReturn("HTTP/2.0");
      when(request.getRemoteAddr()).thenReturn("192.0.2.1");
      when(request.getRemotePort()).thenReturn(50_000);
      when(async.getRequest()).thenReturn(request);
      when(async.getResponse()).thenReturn(response);
      when(response.getOutputStream()).thenReturn(out);
      channel =
          broker
              .gateway()
              .openChannel(
                  ChannelOptions.none(),
                  attachment -> {
                    try {
                      SseTransport stream =
                          SseTransport.begin(
                              attachment,
                              SETTINGS,
                              false,
                              broker.limits().drainTimeout(),
                              broker.gateway().timer(),
                              open,
                              connections,
                              async);
                      out.callBack();
                      opened.run();
                      return stream;
                    } catch (IOException failed) {
                      throw new UncheckedIOException(failed);
                    }
                  })
              .toCompletableFuture()
              .join();
    }

    /** Runs something inside the next write or flush; {@link #check} throws its exception. */
    void once(Runnable action) {
      CompletableFuture<@Nullable Void> done = new CompletableFuture<>();
      checked = done;
      out.inside =
          () -> {
            out.inside = () -> {};
            try {
              action.run();
              done.complete(null);
            } catch (Throwable thrown) {
              done.completeExceptionally(thrown);
            }
          };
    }

    void check() {
      assertThat(checked).isCompleted();
    }

    void send(String text) {
      channel.sendOrThrow(channel.id(), Json.of(text));
    }
  }

  @Test
  @DisplayName("A stream that always has more to write lets the next one have its turn.")
  void takesTurns() throws Exception {
    Client busy = new Client();
    Client other = new Client();
    timer.runDue();
    List<String> order = new ArrayList<>();
    busy.out.inside =
        () -> {
          // A message that comes as soon as the last one has been written.
          if (order.size() < 20) {
            order.add("busy");
            busy.send("x");
          }
        };
    other.out.inside = () -> order.add("other");
    busy.send("x");
    other.send("y");
    timer.runDue();
    assertThat(order.subList(0, 3)).contains("other");
  }

  @Test
  @DisplayName("A stream that is given up behind one that is stuck is completed after that one.")
  void givenUpInTheQueue() throws Exception {
    Client stuck = new Client();
    Client waiting = new Client();
    timer.runDue();
    stuck.once(
        () -> {
          waiting.send("y");
          timer.advance(SETTINGS.writeTimeout());
          assertThat(waiting.channel.isOpen()).as("not given up").isFalse();
          verify(waiting.async, never()).complete();
        });
    stuck.send("x");
    timer.runDue();
    stuck.check();
    verify(waiting.async).complete();
  }

  @Test
  @DisplayName("Streams that come and go while another is stuck are not kept.")
  void comeAndGo() throws Exception {
    Client stuck = new Client();
    timer.runDue();
    ConnectionWriter connection = connections.join(stuck.request);
    stuck.once(
        () -> {
          Set<SseTransport> before = Set.copyOf(open);
          for (int i = 0; i < 100; i++) {
            newClient().send("y");
          }
          open.stream().filter(stream -> !before.contains(stream)).forEach(SseTransport::abort);
          assertThat(connection.size()).isZero();
        });
    stuck.send("x");
    timer.runDue();
    stuck.check();
    connections.leave(connection);
  }

  private Client newClient() {
    try {
      return new Client();
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }

  @Test
  @DisplayName("A stream that is opened while the broker closes is notified, and ends.")
  void openedTooLate() throws Exception {
    Broker own = Broker.builder().drainTimeout(Duration.ofMillis(1)).build();
    Client late = new Client(own, new ConnectionWriters(own.gateway().timer()), own::close);
    assertThat(late.out.written).last().asString().contains("shutting_down");
    verify(late.async).complete();
  }

  @Test
  @Tag("C10")
  @DisplayName(
      "A pause of the process that is longer than the write timeout keeps no heartbeat back.")
  void heartbeatsAfterAPause() throws Exception {
    Client client = new Client();
    timer.runDue();
    client.out.ready = false;
    client.send("x");
    timer.runDue();
    timer.advance(Duration.ofSeconds(16));
    timer.pause(Duration.ofSeconds(54));
    timer.runDue();
    client.out.ready = true;
    client.out.callBack();
    client.out.written.clear();
    timer.advance(SETTINGS.heartbeat());
    assertThat(client.out.written).containsExactly(new String(SseEncoder.comment(), UTF_8));
  }
}
