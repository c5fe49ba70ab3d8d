package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.core.ChannelOptions;
import io.peerbroker.core.Gateway;
import io.peerbroker.core.Refusal;
import io.peerbroker.core.RefusedException;
import io.peerbroker.core.Transport;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.SseStream;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireConnection;
import io.peerbroker.tck.WireResponse;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.eclipse.jetty.servlet.ServletHolder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A resumed channel that is found only after the request's thread has returned. */
final class LateChannelTest {

  /** A requested channel, and the stage that its request waits for. */
  private record Asked(
      ChannelOptions options, Transport.Opener opener, CompletableFuture<Channel> channel) {}

  private final BlockingQueue<Asked> asked = new LinkedBlockingQueue<>();
  private final Broker broker = Broker.create();
  private JettyServer server;
  private WireClient client;

  @BeforeEach
  void start() throws Exception {
    Broker late =
        replacing(
            Broker.class,
            broker,
            "forCaller",
            arguments -> replacing(Broker.class, broker, "gateway", none -> gateway()));
    server = JettyServer.start(new ServletHolder(new BrokerServlet(late)), ServerSettings.DEFAULTS);
    client = new WireClient(server.base());
  }

  @SuppressWarnings("FutureReturnValueIgnored") // the request waits for it
  private Gateway gateway() {
    return replacing(
        Gateway.class,
        broker.gateway(),
        "openChannel",
        arguments -> {
          CompletableFuture<Channel> channel = new CompletableFuture<>();
          asked.add(
              new Asked((ChannelOptions) arguments[0], (Transport.Opener) arguments[1], channel));
          return channel;
        });
  }

  /** The same, except for one method. */
  private static <T> T replacing(
      Class<T> type, T original, String method, Function<Object[], Object> instead) {
    Object proxy =
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, called, arguments) -> {
              if (called.getName().equals(method)) {
                return instead.apply(arguments);
              }
              try {
                return called.invoke(original, arguments);
              } catch (InvocationTargetException failed) {
                throw failed.getCause();
              }
            });
    return type.cast(proxy);
  }

  @AfterEach
  void stop() throws Exception {
    client.close();
    server.close();
    broker.close();
  }

  /** The gateway's call for a client that comes back to a channel. */
  private Asked asked() throws InterruptedException {
    Asked channel = asked.poll(20, TimeUnit.SECONDS);
    assertThat(channel).isNotNull();
    assertThat(channel.options.lastEventId()).isEqualTo("c.s.1");
    return channel;
  }

  private static void onAnotherThread(Runnable task) throws InterruptedException {
    Thread thread = new Thread(task);
    thread.start();
    thread.join();
  }

  @Test
  @DisplayName("The stream begins when the channel is found.")
  void found() throws Exception {
    try (WireConnection connection = client.connect()) {
      CompletableFuture<SseStream> stream =
          CompletableFuture.supplyAsync(
              () -> client.openStream(connection, "/channel", "Last-Event-ID: c.s.1"));
      Asked channel = asked();
      assertThat(client.get("/list").status()).as("no thread waits").isEqualTo(200);
      onAnotherThread(
          () ->
              broker
                  .gateway()
                  .openChannel(ChannelOptions.none(), channel.opener)
                  .thenAccept(channel.channel::complete));
      assertThat(channel.channel).isCompleted();
      stream.get(20, TimeUnit.SECONDS).await("channel");
      assertThat(broker.stats().channels()).isEqualTo(1);
    }
  }

  @Test
  @DisplayName("The refusal is answered when it is known.")
  void refused() throws Exception {
    try (WireConnection connection = client.connect()) {
      connection.write(client.head("GET", "/channel", "Last-Event-ID: c.s.1"));
      Asked channel = asked();
      onAnotherThread(
          () ->
              channel.channel.completeExceptionally(
                  RefusedException.of(Refusal.Code.AT_CAPACITY, "There is no room.")));
      WireResponse response = connection.readResponse();
      assertThat(response.status()).isEqualTo(503);
      assertThat(response.member("code")).isEqualTo("at_capacity");
    }
  }

  @Test
  @DisplayName("A failure is the broker's.")
  void failed() throws Exception {
    try (WireConnection connection = client.connect()) {
      connection.write(client.head("GET", "/channel", "Last-Event-ID: c.s.1"));
      Asked channel = asked();
      onAnotherThread(() -> channel.channel.completeExceptionally(new IllegalStateException("x")));
      assertThat(connection.readResponse().status()).isEqualTo(500);
    }
  }
}
