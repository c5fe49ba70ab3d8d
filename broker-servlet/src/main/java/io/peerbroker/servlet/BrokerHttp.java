package io.peerbroker.servlet;

import io.peerbroker.core.Answer;
import io.peerbroker.core.Broker;
import io.peerbroker.core.Gateway;
import io.peerbroker.core.RefusedException;
import io.peerbroker.core.Request;
import io.peerbroker.json.JsonAnswers;
import io.peerbroker.json.JsonMembers;
import io.peerbroker.json.JsonRequests;
import io.peerbroker.json.JsonWriter;
import io.peerbroker.json.RequestPath;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The broker over HTTP and server-sent events, for applications with a servlet of their own: hand
 * each request to {@link #handle}.
 *
 * <p>{@link BrokerServlet} is the servlet for all others. Safe for use by many threads; no thread
 * is held by an open stream, by a client that reads slowly, or by a body that comes slowly.
 */
public final class BrokerHttp implements AutoCloseable {

  /** The usual answer to a message. */
  private static final Reply SENT =
      Reply.json(200, "{\"delivery\":\"sent\"}".getBytes(StandardCharsets.US_ASCII));

  private final Broker broker;
  private final Gateway gateway;
  private final HttpSettings settings;
  private final Cors cors;
  private final ClientFiles clientFiles;
  private final StreamRequests streamRequests;
  private final JsonRequests requests;
  private final DirectAnswers direct = new DirectAnswers();

  /** Null where no WebSockets are served. */
  private final @Nullable SocketUpgrade sockets;

  /** Every stream whose response is open. */
  final Set<SseTransport> streams = ConcurrentHashMap.newKeySet();

  /** Serves a broker, which its owner must close. */
  public BrokerHttp(Broker broker, HttpSettings settings) {
    this.broker = Objects.requireNonNull(broker, "broker");
    gateway = broker.gateway();
    this.settings = Objects.requireNonNull(settings, "settings");
    cors = new Cors(settings);
    clientFiles = ClientFiles.of(settings);
    streamRequests = new StreamRequests(broker, settings, streams);
    sockets = sockets(broker, settings);
    requests = new JsonRequests(settings.heartbeat().multipliedBy(2));
  }

  private static @Nullable SocketUpgrade sockets(Broker broker, HttpSettings settings) {
    if (!settings.serveSockets()) {
      return null;
    }
    try {
      // The provider is beside this class, whatever the thread's class loader is.
      return ServiceLoader.load(SocketUpgrade.Provider.class, BrokerHttp.class.getClassLoader())
          .findFirst()
          .map(provider -> provider.of(broker, settings))
          .orElse(null);
    } catch (LinkageError | ServiceConfigurationError missing) {
      Log.LOG.log(
          System.Logger.Level.WARNING,
          "No WebSockets are served: broker-websocket is there, but jakarta.websocket is not",
          missing);
      return null;
    }
  }

  /**
   * Serves a request, at once or later: when this returns, its answer may still be under way
   * asynchronously.
   *
   * <p>The path is read below the servlet that the container has mapped the request to.
   * Asynchronous requests must be on for that servlet and every filter before it.
   *
   * @throws RuntimeException an exception of a request or response wrapper of the application; the
   *     broker's own failures are answered
   */
  public void handle(HttpServletRequest request, HttpServletResponse response) {
    handle(request, response, null);
  }

  /**
   * As {@link #handle(HttpServletRequest, HttpServletResponse)}, for callers that are no servlet of
   * their own, such as a controller of Spring MVC.
   *
   * @param path the path below the broker's, percent-decoded, like {@code /channel}; null for the
   *     path below the servlet
   */
  public void handle(
      HttpServletRequest request, HttpServletResponse response, @Nullable String path) {
    Objects.requireNonNull(request, "request");
    Objects.requireNonNull(response, "response");
    Exchange exchange = new Exchange(request, response, settings, direct, gateway.timer());
    cors.apply(request, response);
    RefusedException.untraced(
        () -> {
          try {
            route(exchange, path);
          } catch (Problem | RefusedException refused) {
            exchange.answer(refused);
          } catch (IOException gone) {
            exchange.answer(gone);
          }
        });
  }

  private void route(Exchange exchange, @Nullable String path) throws IOException {
    Endpoint.Route route =
        Endpoint.Route.of(exchange.request, path, clientFiles.paths(), sockets != null);
    Endpoint endpoint = route.endpoint();
    String method = exchange.request.getMethod();
    if (method.equals("OPTIONS")) {
      Reply reply = Reply.noContent().with("Allow", endpoint.allow());
      exchange.answer(cors.preflight(exchange.request, exchange.response, reply, endpoint.allow()));
      return;
    }
    if (!endpoint.takes(method)) {
      Problem problem =
          new Problem(405, "method_not_allowed", "This path takes " + endpoint.allow() + ".");
      exchange.answer(problem.reply().with("Allow", endpoint.allow()));
      return;
    }
    switch (endpoint) {
      case CHANNEL -> streamRequests.channel(exchange);
      case LIST -> streamRequests.list(exchange);
      case CLIENT -> {
        exchange.requireNoBody();
        exchange.answer(clientFiles.answer(route.path(), exchange.request));
      }
      case SOCKET -> streamRequests.socket(exchange, Objects.requireNonNull(sockets));
      case POST -> {
        RequestPath posted = Objects.requireNonNull(route.request());
        ContentType.require(exchange.request, posted.action());
        // Before anything is done: its answer may have to come later.
        exchange.requireAsync();
        // Made here, while the request is sure to exist: its body may come later.
        Gateway acting = broker.forCaller(exchange.caller(gateway.policy())).gateway();
        BodyReader.read(
            exchange,
            settings,
            gateway.timer(),
            body ->
                exchange.act(
                    () ->
                        perform(
                            acting,
                            exchange,
                            posted,
                            JsonMembers.of(body, gateway.limits().maxJsonDepth()))));
      }
    }
  }

  /** Performs the request of a body, and writes the answer. */
  private void perform(Gateway acting, Exchange exchange, RequestPath path, JsonMembers members) {
    Request request = requests.read(path, members);
    boolean several = JsonAnswers.isForSeveral(request, members);
    CompletionStage<Answer> stage = acting.perform(request);
    CompletableFuture<Answer> answer = stage.toCompletableFuture();
    if (!answer.isDone()) {
      exchange.answerLater();
    }
    var unused =
        answer
            .thenAccept(given -> exchange.answer(reply(given, several)))
            // Also if the answer could not be written: the stage would keep that to itself.
            .exceptionally(
                thrown -> {
                  exchange.answer(thrown);
                  return null;
                });
  }

  private static Reply reply(Answer answer, boolean several) {
    if (answer instanceof Answer.Refused refused) {
      return Problem.of(refused.refusal()).reply();
    }
    if (JsonAnswers.isSent(answer, several)) {
      return SENT;
    }
    JsonWriter out = new JsonWriter(64);
    JsonAnswers.write(answer, several, out);
    return Reply.json(answer instanceof Answer.SessionOpened ? 201 : 200, out.toBytes());
  }

  /**
   * Cuts every stream that is still open. Closing the broker first notifies the streams; this ends
   * the rest when the servlet goes.
   */
  @Override
  public void close() {
    streams.forEach(SseTransport::abort);
    if (sockets != null) {
      sockets.close();
    }
  }
}
