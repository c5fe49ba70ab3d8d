package io.peerbroker.websocket;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.json.JsonRequests;
import io.peerbroker.servlet.HttpSettings;
import io.peerbroker.servlet.SocketUpgrade;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;

/**
 * The WebSockets of a broker. Each begins as a request to the servlet, so no endpoint is registered
 * with the container, which would serve it ahead of the servlet's filters.
 */
final class WebSockets implements SocketUpgrade {

  /** The name of this protocol (RFC 6455, section 1.9). */
  static final String PROTOCOL = "peerbroker.v1";

  /** How many connections are closed at the same time when all are. */
  private static final int CLOSERS = 16;

  /** For how long {@link #close} waits for that. */
  private static final Duration CLOSE_WITHIN = Duration.ofSeconds(5);

  private final Broker broker;
  private final HttpSettings settings;
  private final JsonRequests requests;

  /** Every WebSocket whose connection is yet to be closed. */
  private final Set<WebSocketTransport> open = ConcurrentHashMap.newKeySet();

  WebSockets(Broker broker, HttpSettings settings) {
    this.broker = broker;
    this.settings = settings;
    requests = new JsonRequests(settings.heartbeat().multipliedBy(2));
  }

  @Override
  public void upgrade(Handshake handshake) throws IOException {
    HttpServletRequest request = handshake.request();
    Upgrades.requireContainer(request);
    WebSocketTransport transport =
        new WebSocketTransport(
            broker.forCaller(handshake.acting()).gateway(), settings, requests, open);
    CompletableFuture<Channel> opened =
        broker
            .forCaller(handshake.opening())
            .gateway()
            .openChannel(handshake.options(), transport::attach)
            .toCompletableFuture();
    if (opened.isCompletedExceptionally() && request.getHeader("Origin") == null) {
      // Not a browser, which would show its page nothing of a refused handshake.
      transport.abort();
      throw refusal(opened);
    }
    // Before the client can send anything.
    var unused = opened.whenComplete(transport::opened);
    boolean upgraded = false;
    try {
      Upgrades.upgrade(
          request, handshake.response(), List.of(PROTOCOL), new WebSocketEndpoint(transport));
      // Containers answer a handshake that they decline by themselves.
      upgraded = transport.isConnected() || handshake.response().getStatus() == 101;
    } finally {
      if (!upgraded) {
        transport.abort();
      }
    }
  }

  private static RuntimeException refusal(CompletableFuture<Channel> opened) {
    try {
      opened.join();
      throw new AssertionError("It has failed");
    } catch (RuntimeException failed) {
      return failed.getCause() instanceof RuntimeException cause ? cause : failed;
    }
  }

  @Override
  public void close() {
    Queue<WebSocketTransport> left = new ConcurrentLinkedQueue<>(open);
    // Tomcat's close waits a little for each client that takes nothing.
    List<Thread> closers =
        Stream.generate(() -> closer(left)).limit(Math.min(CLOSERS, left.size())).toList();
    closers.forEach(Thread::start);
    long deadline = System.nanoTime() + CLOSE_WITHIN.toNanos();
    try {
      for (Thread closer : closers) {
        closer.join(Math.max(1, (deadline - System.nanoTime()) / 1_000_000));
      }
    } catch (InterruptedException interrupted) {
      // They go on without this thread.
      Thread.currentThread().interrupt();
    }
  }

  private static Thread closer(Queue<WebSocketTransport> left) {
    Runnable loop =
        () -> {
          for (var next = left.poll(); next != null; next = left.poll()) {
            next.closeNow();
          }
        };
    // Inherits nothing of the thread that stops the application.
    Thread thread = new Thread(null, loop, "peerbroker-close", 0, false);
    thread.setDaemon(true);
    return thread;
  }
}
