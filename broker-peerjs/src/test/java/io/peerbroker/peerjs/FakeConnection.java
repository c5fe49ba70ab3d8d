package io.peerbroker.peerjs;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Caller;
import io.peerbroker.websocket.SocketEndpoint;
import jakarta.websocket.CloseReason;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.MessageHandler;
import jakarta.websocket.RemoteEndpoint;
import jakarta.websocket.SendHandler;
import jakarta.websocket.SendResult;
import jakarta.websocket.Session;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/** A client at its end of a connection, which takes each frame at once or when it is told to. */
final class FakeConnection {

  private final Endpoint endpoint;
  private final Session session;

  /** By the kind of their messages; none where the connection came too late. */
  private final Map<Class<?>, MessageHandler.Partial<?>> handlers = new HashMap<>();

  private final List<String> taken = new ArrayList<>();
  private final Queue<SendHandler> stalled = new ArrayDeque<>();
  private boolean stalls;
  private @Nullable CloseReason closed;

  private FakeConnection(PeerSocket socket) {
    endpoint = new SocketEndpoint(socket.connection());
    session = session();
  }

  /** Connects a client that asks for an id. */
  static FakeConnection enter(Peers peers, String id, String token) {
    PeerSocket socket = peers.connect(id, token);
    FakeConnection connection = new FakeConnection(socket);
    peers.enter(socket, Caller.of(null));
    connection.open();
    return connection;
  }

  private void open() {
    EndpointConfig config = fake(EndpointConfig.class, (name, arguments) -> null);
    endpoint.onOpen(session, config);
  }

  private Session session() {
    RemoteEndpoint.Async remote =
        fake(
            RemoteEndpoint.Async.class,
            (name, arguments) -> {
              if (name.equals("sendText")) {
                take((String) arguments[0], (SendHandler) arguments[1]);
              }
              return null;
            });
    HashMap<String, Object> properties = new HashMap<>();
    return fake(
        Session.class,
        (name, arguments) ->
            switch (name) {
              case "getAsyncRemote" -> remote;
              case "getUserProperties" -> properties;
              case "addMessageHandler" -> {
                handlers.put((Class<?>) arguments[0], (MessageHandler.Partial<?>) arguments[1]);
                yield null;
              }
              case "close" -> {
                closed = (CloseReason) arguments[0];
                yield null;
              }
              default -> null;
            });
  }

  private void take(String text, SendHandler handler) {
    assertThat(stalled).as("One frame at a time").isEmpty();
    taken.add(text);
    if (stalls) {
      stalled.add(handler);
    } else {
      handler.onResult(new SendResult());
    }
  }

  /** Takes nothing more: the next frame is on its way until {@link #resume}. */
  void stall() {
    stalls = true;
  }

  /** Takes what is on its way, and all that follows. */
  void resume() {
    stalls = false;
    Objects.requireNonNull(stalled.poll(), "Nothing is on its way").onResult(new SendResult());
  }

  @SuppressWarnings("unchecked") // registered for messages of this type
  private <T> void receive(Class<T> type, T part, boolean last) {
    MessageHandler.Partial<T> handler = (MessageHandler.Partial<T>) handlers.get(type);
    if (handler != null) {
      handler.onMessage(part, last);
    }
  }

  void send(String text) {
    receive(String.class, text, true);
  }

  /** Sends a part of a frame, and not the last. */
  void begin(String part) {
    receive(String.class, part, false);
  }

  void sendBinary() {
    receive(ByteBuffer.class, ByteBuffer.allocate(3), true);
  }

  /** The container reports a failure, after which it should close the connection. */
  void fail() {
    endpoint.onError(session, new IOException("too large for the container"));
  }

  void goAway() {
    endpoint.onClose(session, new CloseReason(CloseReason.CloseCodes.CLOSED_ABNORMALLY, ""));
  }

  /** Returns the frames that have come since the last call. */
  List<String> frames() {
    List<String> frames = List.copyOf(taken);
    taken.clear();
    return frames;
  }

  /** Returns the code that the connection was closed with; 0 if it is open. */
  int closeCode() {
    CloseReason reason = closed;
    return reason == null ? 0 : reason.getCloseCode().getCode();
  }

  private interface Call {
    @Nullable Object answer(String name, Object[] arguments);
  }

  private static <T> T fake(Class<T> type, Call call) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> call.answer(method.getName(), arguments)));
  }
}
