package io.peerbroker.servlet;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.peerbroker.core.AccessPolicy;
import io.peerbroker.core.Attachment;
import io.peerbroker.core.Broker;
import io.peerbroker.core.Caller;
import io.peerbroker.core.Channel;
import io.peerbroker.core.ChannelOptions;
import io.peerbroker.core.Gateway;
import io.peerbroker.core.Json;
import io.peerbroker.core.Page;
import io.peerbroker.core.PageReader;
import io.peerbroker.core.Refusal;
import io.peerbroker.core.RefusedException;
import io.peerbroker.core.Session;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.core.SessionUpdate;
import io.peerbroker.core.TagFilter;
import io.peerbroker.core.Transport;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The broker over HTTP and server-sent events, for whoever has a servlet already: hand each request
 * to {@link #handle}.
 *
 * <p>{@link BrokerServlet} is the servlet for those who have none. Safe for use by many threads; no
 * thread is held by an open stream, by a client that reads slowly, or by a body that comes slowly.
 */
public final class BrokerHttp implements AutoCloseable {

  private static final Duration ROUTE_TIMEOUT = Duration.ofSeconds(30);
  private static final long MANY_SECONDS = 1_000_000_000;

  /** How many messages one body may carry. */
  private static final int MAX_MESSAGES = 64;

  /** The last is not the broker's, but may be the access policy's (RFC 6750, section 2.3). */
  private static final Set<String> LIST_PARAMETERS =
      Set.of("filter", "limit", "after", "access_token", "heartbeat");

  /** The second: nginx would hold events back until its buffer is full. */
  private static final Map<String, String> STREAM_HEADERS =
      Map.of("Cache-Control", "no-store, no-transform", "X-Accel-Buffering", "no");

  private static final Set<String> VALUES = Set.of("tags", "metadata", "list");

  private final Broker broker;
  private final Gateway gateway;
  private final HttpSettings settings;
  private final Cors cors;

  /** Every stream whose response is open. */
  final Set<SseTransport> streams = ConcurrentHashMap.newKeySet();

  /** Those of the streams' connections whose container may block inside a write. */
  private final ConnectionWriters connections;

  /** Serves a broker, which stays its owner's to close. */
  public BrokerHttp(Broker broker, HttpSettings settings) {
    this.broker = Objects.requireNonNull(broker, "broker");
    gateway = broker.gateway();
    this.settings = Objects.requireNonNull(settings, "settings");
    cors = new Cors(settings);
    connections = new ConnectionWriters(gateway.timer());
  }

  /**
   * Answers a request, at once or later: when this returns, an answer may still be under way
   * asynchronously.
   *
   * <p>The path is read below the servlet that the container has mapped the request to.
   * Asynchronous requests must be on for that servlet and every filter before it.
   *
   * @throws RuntimeException what the request or the response throws that the application has put
   *     in front; the broker's own failures are answered
   */
  public void handle(HttpServletRequest request, HttpServletResponse response) {
    handle(request, response, null);
  }

  /**
   * As {@link #handle(HttpServletRequest, HttpServletResponse)}, for whatever is not a servlet of
   * its own, as a controller of Spring MVC.
   *
   * @param path the path below the broker's, percent-decoded, like {@code /channel}; null for what
   *     lies below the servlet
   */
  public void handle(
      HttpServletRequest request, HttpServletResponse response, @Nullable String path) {
    Objects.requireNonNull(request, "request");
    Objects.requireNonNull(response, "response");
    Exchange exchange = new Exchange(request, response, settings, gateway.timer());
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
    Endpoint.Route route = Endpoint.Route.of(exchange.request, path);
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
      case CHANNEL -> channel(exchange);
      case LIST -> list(exchange);
      default -> {
        ContentType.requireJson(exchange.request);
        // Made here, as long as the request is sure to be there: its body may come later.
        Gateway acting = broker.forCaller(callerOf(exchange)).gateway();
        BodyReader.read(
            exchange,
            settings,
            gateway.timer(),
            body ->
                act(
                    exchange,
                    () ->
                        post(
                            acting,
                            exchange,
                            route,
                            JsonMembers.of(body, gateway.limits().maxJsonDepth()))));
      }
    }
  }

  /** Does what is asked for; a failure is the broker's, or its policy's, and so is its answer. */
  private static void act(Exchange exchange, Runnable deed) {
    try {
      RefusedException.untraced(deed);
    } catch (UncheckedIOException failed) {
      exchange.answer(Objects.requireNonNull(failed.getCause()));
    } catch (RuntimeException failed) {
      exchange.answer(failed);
    }
  }

  /** Refuses a body where none belongs, unless it has come whole: nothing here would read it. */
  private static void requireNoBody(Exchange exchange) throws IOException {
    if (!exchange.isBodyOver()) {
      throw Problem.invalidRequest("A GET has no body.");
    }
  }

  private Caller callerOf(Exchange exchange) {
    return gateway.policy() == AccessPolicy.allowAll()
        ? Caller.trusted()
        : HttpCaller.of(exchange.request);
  }

  private void channel(Exchange exchange) throws IOException {
    requireNoBody(exchange);
    if (!new AcceptHeader(exchange.request.getHeaders("Accept"))
        .allows(AcceptHeader.EVENT_STREAM)) {
      throw notAcceptable(AcceptHeader.EVENT_STREAM);
    }
    QueryString query = new QueryString(exchange.request.getQueryString());
    String inQuery = query.value("lastEventId", Refusal.Code.INVALID_REQUEST);
    String inHeader = exchange.request.getHeader("Last-Event-ID");
    String lastEventId = inHeader == null || inHeader.isEmpty() ? inQuery : inHeader;
    ChannelOptions asked =
        ChannelOptions.none()
            .withResume(seconds(query, "resume"))
            .withLease(seconds(query, "lease"));
    ChannelOptions options = lastEventId == null ? asked : asked.after(lastEventId);
    boolean visible = wantsVisibleHeartbeat(query);
    // Also without a policy the channel is its login's, for whoever looks for it.
    Caller caller =
        gateway.policy() == AccessPolicy.allowAll()
            ? Caller.of(exchange.request.getUserPrincipal())
            : callerOf(exchange);
    stream(
        exchange,
        visible,
        () -> gateway.policy().open(caller, options),
        opener -> opened(broker.forCaller(caller).gateway().openChannel(options, opener)));
  }

  /** Waits for nothing: this broker looks for no channel elsewhere. */
  private static Channel opened(CompletionStage<Channel> stage) {
    try {
      return stage.toCompletableFuture().join();
    } catch (CompletionException failed) {
      throw failed.getCause() instanceof RuntimeException cause ? cause : failed;
    }
  }

  /** A time in seconds, as {@code resume} and {@code lease} have it; zero where none is given. */
  private static Duration seconds(QueryString query, String name) {
    String value = query.value(name, Refusal.Code.INVALID_REQUEST);
    if (value == null) {
      return Duration.ZERO;
    }
    if (!isNatural(value)) {
      throw Problem.invalidRequest(
          "The parameter '" + name + "' must be a number of seconds, 0 or more.");
    }
    // More than anybody grants, and more digits than a long has, come to the same.
    String digits = value.replaceFirst("^0+", "");
    return Duration.ofSeconds(
        digits.isEmpty() ? 0 : digits.length() > 9 ? MANY_SECONDS : Long.parseLong(digits));
  }

  /** Whether a stream's heartbeats are to be events, which pages are told of, and not comments. */
  private static boolean wantsVisibleHeartbeat(QueryString query) {
    String value = query.value("heartbeat", Refusal.Code.INVALID_REQUEST);
    if (value != null && !value.equals("event")) {
      throw Problem.invalidRequest(
          "The parameter 'heartbeat' must be 'event', or absent for heartbeats that are comments.");
    }
    return value != null;
  }

  private static boolean isNatural(String text) {
    return !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
  }

  private void list(Exchange exchange) throws IOException {
    requireNoBody(exchange);
    AcceptHeader accept = new AcceptHeader(exchange.request.getHeaders("Accept"));
    double json = accept.quality(AcceptHeader.JSON);
    double events = accept.quality(AcceptHeader.EVENT_STREAM);
    if (json == 0 && events == 0) {
      throw notAcceptable(AcceptHeader.JSON + " or " + AcceptHeader.EVENT_STREAM);
    }
    QueryString query = new QueryString(exchange.request.getQueryString());
    String text = query.value("filter", Refusal.Code.INVALID_FILTER);
    TagFilter filter = TagFilter.parse(text == null ? "" : text);
    query.allowOnly(LIST_PARAMETERS);
    boolean visible = wantsVisibleHeartbeat(query);
    Caller caller = callerOf(exchange);
    if (events > json) {
      stream(
          exchange,
          visible,
          () -> gateway.policy().scope(caller, filter),
          opener -> broker.forCaller(caller).gateway().watch(filter, opener));
    } else {
      page(broker.forCaller(caller).gateway(), exchange, query, text, filter);
    }
  }

  private void page(
      Gateway acting, Exchange exchange, QueryString query, @Nullable String text, TagFilter filter)
      throws IOException {
    String limitText = query.value("limit", Refusal.Code.INVALID_REQUEST);
    String after = query.value("after", Refusal.Code.INVALID_REQUEST);
    int limit = limitText == null ? Page.DEFAULT_LIMIT : limit(limitText);
    act(
        exchange,
        () -> {
          PageReader page = acting.readPage(filter, limit, after);
          String next =
              page.next() == null
                  ? null
                  : "<" + nextPage(text, limitText, page.next()) + ">; rel=\"next\"";
          if (exchange.isHead()) {
            Reply reply = Reply.head(AcceptHeader.JSON);
            exchange.answer(next == null ? reply : reply.with("Link", next));
          } else {
            begin(page, next, exchange);
          }
        });
  }

  private void begin(PageReader page, @Nullable String next, Exchange exchange) {
    HttpServletResponse response = exchange.response;
    response.setHeader("Cache-Control", "no-store");
    Reply.setType(response, AcceptHeader.JSON);
    if (next != null) {
      response.setHeader("Link", next);
    }
    try {
      ListPageWriter.begin(page, settings.writeTimeout(), gateway.timer(), exchange.startAsync());
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private static int limit(String text) {
    // Longer ones are out of range whatever they say.
    return isNatural(text) && text.length() < 9 ? Integer.parseInt(text) : -1;
  }

  private static String nextPage(@Nullable String filter, @Nullable String limit, String after) {
    return "?"
        + (filter == null ? "" : "filter=" + URLEncoder.encode(filter, UTF_8) + "&")
        + (limit == null ? "" : "limit=" + limit + "&")
        + "after="
        + URLEncoder.encode(after, UTF_8);
  }

  /** What opens a channel or a watch whose events go down a stream. */
  private interface StreamSource {
    Object open(Transport.Opener opener);
  }

  /**
   * Answers with a stream.
   *
   * @param visible whether its heartbeats are events
   * @param permission refuses what the source would refuse, for a request that opens nothing
   */
  private void stream(
      Exchange exchange, boolean visible, Runnable permission, StreamSource source) {
    String mode = exchange.request.getHeader("Sec-Fetch-Mode");
    if (mode != null && (mode.equals("no-cors") || mode.equals("navigate"))) {
      throw new Problem(
          403,
          "denied",
          "A stream is opened by EventSource or fetch, not by an image or an address.");
    }
    if (exchange.isHead()) {
      act(
          exchange,
          () -> {
            permission.run();
            Reply reply = Reply.head(AcceptHeader.EVENT_STREAM);
            for (var header : STREAM_HEADERS.entrySet()) {
              reply = reply.with(header.getKey(), header.getValue());
            }
            exchange.answer(reply);
          });
      return;
    }
    // Asked first, so that no channel is opened where no stream can be.
    exchange.requireAsync();
    act(exchange, () -> source.open(attachment -> begin(attachment, visible, exchange)));
  }

  private SseTransport begin(Attachment attachment, boolean visible, Exchange exchange) {
    try {
      streamHeaders(exchange.response);
      return SseTransport.begin(
          attachment,
          settings,
          visible,
          gateway.limits().drainTimeout(),
          gateway.timer(),
          streams,
          connections,
          exchange.startAsync());
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private static void streamHeaders(HttpServletResponse response) {
    Reply.setType(response, AcceptHeader.EVENT_STREAM);
    STREAM_HEADERS.forEach(response::setHeader);
    // An idle stream keeps its buffer: 32 KiB on Jetty, if nobody says otherwise.
    response.setBufferSize(1_024);
  }

  private static Problem notAcceptable(String types) {
    return new Problem(
        406, "not_acceptable", "This path gives " + types + ", which Accept rules out.");
  }

  private void post(Gateway acting, Exchange exchange, Endpoint.Route route, JsonMembers members) {
    switch (route.endpoint()) {
      case PING -> {
        exchange.answer(Reply.json(200, connectionState(channelOf(acting, route.id(), members))));
      }
      case CLOSE_CHANNEL -> {
        channelOf(acting, route.id(), members).close();
        exchange.answer(Reply.json(200, "{}"));
      }
      case OPEN_SESSION -> openSession(acting, exchange, members);
      case UPDATE_SESSION -> {
        String cid = members.string("cid");
        members.string("key");
        SessionUpdate update = update(members.object("values", VALUES));
        gateway.limits().check(update);
        channelOf(acting, cid, members).session(route.id()).update(update);
        exchange.answer(Reply.json(200, "{}"));
      }
      case CLOSE_SESSION -> {
        channelOf(acting, members.string("cid"), members).session(route.id()).close();
        exchange.answer(Reply.json(200, "{}"));
      }
      case SEND -> send(acting, exchange, route.id(), members);
      case CHANNEL, LIST -> throw new IllegalStateException("Not a POST: " + route.endpoint());
    }
  }

  /** What a ping is answered: whether the channel has a stream, and how far that has come. */
  private static String connectionState(Channel channel) {
    String written = channel.lastConsumed();
    return "{\"stream\":"
        + channel.isAttached()
        + (written == null ? "}" : ",\"written\":" + Json.of(written) + "}");
  }

  private void openSession(Gateway acting, Exchange exchange, JsonMembers members) {
    String cid = members.string("cid");
    String key = members.optionalString("key");
    List<String> tags = members.optionalStrings("tags");
    Boolean listed = members.optionalBoolean("list");
    Json metadata = members.optionalJson("metadata");
    SessionSpec spec =
        new SessionSpec(
            tags == null ? List.of() : tags,
            listed != null && listed,
            metadata == null ? Json.NULL : metadata);
    gateway.limits().check(spec);
    String seen = members.optionalString("seen");
    Channel host = acting.claimHost(cid, key);
    if (key != null && seen != null) {
      confirm(host, seen);
    }
    Session session = host.openSession(spec);
    exchange.answer(Reply.json(201, "{\"sid\":\"" + session.id() + "\"}"));
  }

  private static SessionUpdate update(JsonMembers values) {
    return new SessionUpdate(
        values.optionalStrings("tags"),
        values.optionalBoolean("list"),
        values.optionalJson("metadata"));
  }

  /** The channel with this cid; a sid, which also stands for its channel, does not do here. */
  private Channel channelOf(Gateway acting, String cid, JsonMembers members) {
    Channel channel = claim(acting, cid, members);
    if (!channel.id().equals(cid)) {
      throw new RefusedException(
          Refusal.of(
              Refusal.Code.UNKNOWN_CHANNEL,
              "This is the id of a session; give that of its channel."));
    }
    return channel;
  }

  /** The channel that the body's key belongs to; what its reader says it has seen is noted. */
  private Channel claim(Gateway acting, String origin, JsonMembers members) {
    String key = members.string("key");
    String seen = members.optionalString("seen");
    Channel channel = acting.claim(origin, key);
    if (seen != null) {
      confirm(channel, seen);
    }
    return channel;
  }

  /** Notes what the reader has seen, and breaks the stream off where it shows to be dead. */
  private void confirm(Channel channel, String seen) {
    channel.confirm(seen, settings.heartbeat().multipliedBy(2));
  }

  private void send(Gateway acting, Exchange exchange, String target, JsonMembers members) {
    String origin = members.string("origin");
    members.string("key");
    List<Json> several = members.optionalElements("messages", MAX_MESSAGES);
    if (several != null && members.optionalJson("message") != null) {
      throw Problem.invalidRequest("The member 'message' stands beside 'messages'; give one.");
    }
    List<Json> messages = several == null ? List.of(members.json("message")) : several;
    messages.forEach(gateway.limits()::checkMessage);
    Channel channel = claim(acting, origin, members);
    CompletableFuture<Reply> answer =
        (several == null
                ? Deliveries.ofOne(channel, origin, target, messages.get(0))
                : Deliveries.ofAll(channel, origin, target, messages))
            .toCompletableFuture();
    CompletionStage<Reply> answered = answer;
    if (!answer.isDone()) {
      // A router of the application's takes its time, or for ever.
      exchange
          .answerLater()
          .after(
              ROUTE_TIMEOUT,
              () ->
                  answer.completeExceptionally(
                      new TimeoutException("The router has not answered")));
    }
    answered.whenComplete(
        (reply, thrown) -> {
          if (reply != null) {
            exchange.answer(reply);
          } else {
            exchange.answer(thrown);
          }
        });
  }

  /**
   * Cuts every stream that is still open. Whoever closes the broker first lets them be told; this
   * is for what is left when the servlet goes.
   */
  @Override
  public void close() {
    streams.forEach(SseTransport::abort);
  }
}
