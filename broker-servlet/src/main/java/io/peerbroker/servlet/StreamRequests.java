package io.peerbroker.servlet;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.peerbroker.core.AccessPolicy;
import io.peerbroker.core.Attachment;
import io.peerbroker.core.Broker;
import io.peerbroker.core.Caller;
import io.peerbroker.core.ChannelOptions;
import io.peerbroker.core.Gateway;
import io.peerbroker.core.Page;
import io.peerbroker.core.PageReader;
import io.peerbroker.core.Refusal;
import io.peerbroker.core.TagFilter;
import io.peerbroker.core.Transport;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The requests with GET: channels, list streams, and pages of the list. */
final class StreamRequests {

  private static final long MANY_SECONDS = 1_000_000_000;
  private static final String EVENT_STREAM = AcceptHeader.EVENT_STREAM + Reply.UTF_8;

  /**
   * The last but one is not for the broker, but possibly for the access policy (RFC 6750, section
   * 2.3).
   */
  private static final Set<String> LIST_PARAMETERS =
      Set.of("filter", "limit", "after", "access_token", "heartbeat");

  /** The second: otherwise nginx would hold events back until its buffer is full. */
  private static final Map<String, String> STREAM_HEADERS =
      Map.of("Cache-Control", "no-store, no-transform", "X-Accel-Buffering", "no");

  private final Broker broker;
  private final Gateway gateway;
  private final HttpSettings settings;

  private final Set<SseTransport> streams;

  /** The streams' connections on containers that may block inside a write. */
  private final ConnectionWriters connections;

  /**
   * @param streams the set that holds each stream while its response is open
   */
  StreamRequests(Broker broker, HttpSettings settings, Set<SseTransport> streams) {
    this.streams = streams;
    this.broker = broker;
    this.settings = settings;
    gateway = broker.gateway();
    connections = new ConnectionWriters(gateway.timer());
  }

  /** Opens a channel, or goes on with one. */
  void channel(Exchange exchange) throws IOException {
    exchange.requireNoBody();
    if (!new AcceptHeader(exchange.request.getHeaders("Accept"))
        .allows(AcceptHeader.EVENT_STREAM)) {
      throw notAcceptable(AcceptHeader.EVENT_STREAM);
    }
    QueryString query = new QueryString(exchange.request.getQueryString());
    String inHeader = exchange.request.getHeader("Last-Event-ID");
    ChannelOptions options = options(query, inHeader);
    boolean visible = wantsVisibleHeartbeat(query);
    Caller opening = opening(exchange);
    stream(
        exchange,
        visible,
        () -> gateway.policy().open(opening, options),
        opener -> {
          if (options.lastEventId() != null) {
            // Its channel may have to be searched for, and be found after this thread has returned.
            exchange.startAsync();
          }
          return broker.forCaller(opening).gateway().openChannel(options, opener);
        });
  }

  /** Opens a channel, or goes on with one, on a WebSocket. */
  void socket(Exchange exchange, SocketUpgrade sockets) throws IOException {
    exchange.requireNoBody();
    HttpServletRequest request = exchange.request;
    if (!SocketUpgrade.isHandshake(request)) {
      Reply reply =
          new Problem(
                  426,
                  "upgrade_required",
                  "This path is for WebSockets over HTTP/1.1 (RFC 6455, section 4.1). If you asked"
                      + " for one, a proxy has not passed on the headers Connection and Upgrade.")
              .reply();
      // HTTP/2 has neither header.
      exchange.answer(
          request.getProtocol().startsWith("HTTP/1")
              ? reply
                  .with("Upgrade", "websocket")
                  .with("Connection", "Upgrade")
                  .with("Sec-WebSocket-Version", "13")
              : reply);
      return;
    }
    if (!settings.admits(request)) {
      throw new Problem(
          403,
          "denied",
          "WebSockets are for pages of this origin, and of those in the setting allowedOrigins.");
    }
    ChannelOptions options = options(new QueryString(request.getQueryString()), null);
    Caller acting = exchange.caller(gateway.policy());
    // One object, where both are the same: it may be large.
    Caller opening =
        gateway.policy() == AccessPolicy.allowAll()
            ? Caller.of(request.getUserPrincipal())
            : acting;
    SocketUpgrade.Handshake handshake =
        new SocketUpgrade.Handshake(request, exchange.response, opening, acting, options);
    exchange.act(
        () -> {
          try {
            sockets.upgrade(handshake);
          } catch (IOException gone) {
            throw new UncheckedIOException(gone);
          }
        });
  }

  private static ChannelOptions options(QueryString query, @Nullable String lastEventIdInHeader) {
    String inQuery = query.value("lastEventId", Refusal.Code.INVALID_REQUEST);
    String lastEventId =
        lastEventIdInHeader == null || lastEventIdInHeader.isEmpty()
            ? inQuery
            : lastEventIdInHeader;
    ChannelOptions asked =
        ChannelOptions.none()
            .withResume(seconds(query, "resume"))
            .withLease(seconds(query, "lease"));
    return lastEventId == null ? asked : asked.after(lastEventId);
  }

  /** Also without a policy the channel belongs to its login, by which the application finds it. */
  private Caller opening(Exchange exchange) {
    return gateway.policy() == AccessPolicy.allowAll()
        ? Caller.of(exchange.request.getUserPrincipal())
        : exchange.caller(gateway.policy());
  }

  /**
   * Returns a time in seconds, as {@code resume} and {@code lease} have it; zero if none is given.
   */
  private static Duration seconds(QueryString query, String name) {
    String value = query.value(name, Refusal.Code.INVALID_REQUEST);
    if (value == null) {
      return Duration.ZERO;
    }
    if (!isNatural(value)) {
      throw Problem.invalidRequest(
          "The parameter '" + name + "' must be a number of seconds, 0 or more.");
    }
    // Times above every grant are equal, even with more digits than a long has.
    String digits = value.replaceFirst("^0+", "");
    return Duration.ofSeconds(
        digits.isEmpty() ? 0 : digits.length() > 9 ? MANY_SECONDS : Long.parseLong(digits));
  }

  /** Whether a stream's heartbeats must be events, which pages can see, and not comments. */
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

  /** Shows the list, as a page or as a stream. */
  void list(Exchange exchange) throws IOException {
    exchange.requireNoBody();
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
    Caller caller = exchange.caller(gateway.policy());
    Gateway acting = broker.forCaller(caller).gateway();
    if (events > json) {
      stream(
          exchange,
          visible,
          () -> gateway.policy().scope(caller, filter),
          opener -> CompletableFuture.completedStage(acting.watch(filter, opener)));
    } else {
      page(acting, exchange, query, text, filter);
    }
  }

  private void page(
      Gateway acting, Exchange exchange, QueryString query, @Nullable String text, TagFilter filter)
      throws IOException {
    String limitText = query.value("limit", Refusal.Code.INVALID_REQUEST);
    String after = query.value("after", Refusal.Code.INVALID_REQUEST);
    int limit = limitText == null ? Page.DEFAULT_LIMIT : limit(limitText);
    exchange.requireAsync();
    exchange.act(
        () -> {
          PageReader page = acting.readPage(filter, limit, after);
          String next =
              page.next() == null
                  ? null
                  : "<" + nextPage(text, limitText, page.next()) + ">; rel=\"next\"";
          if (exchange.isHead()) {
            Reply reply = Reply.head(Reply.JSON);
            exchange.answer(next == null ? reply : reply.with("Link", next));
          } else {
            begin(page, next, exchange);
          }
        });
  }

  private void begin(PageReader page, @Nullable String next, Exchange exchange) {
    HttpServletResponse response = exchange.response;
    response.setHeader("Cache-Control", "no-store");
    response.setContentType(Reply.JSON);
    if (next != null) {
      response.setHeader("Link", next);
    }
    try {
      ListPageWriter.begin(page, settings.writeTimeout(), gateway.timer(), exchange.handOver());
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private static int limit(String text) {
    // Longer ones are out of range in any case.
    return isNatural(text) && text.length() < 9 ? Integer.parseInt(text) : -1;
  }

  private static String nextPage(@Nullable String filter, @Nullable String limit, String after) {
    return "?"
        + (filter == null ? "" : "filter=" + URLEncoder.encode(filter, UTF_8) + "&")
        + (limit == null ? "" : "limit=" + limit + "&")
        + "after="
        + URLEncoder.encode(after, UTF_8);
  }

  /** Opens a channel or a watch whose events go down a stream. */
  private interface StreamSource {
    CompletionStage<?> open(Transport.Opener opener);
  }

  /**
   * Begins a stream as the answer.
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
    // Checked first, so that no channel is opened if there can be no stream.
    exchange.requireAsync();
    if (exchange.isHead()) {
      exchange.act(
          () -> {
            permission.run();
            Reply reply = Reply.head(EVENT_STREAM);
            for (var header : STREAM_HEADERS.entrySet()) {
              reply = reply.with(header.getKey(), header.getValue());
            }
            exchange.answer(reply);
          });
      return;
    }
    exchange.act(
        () -> {
          CompletionStage<?> opened =
              source.open(attachment -> begin(attachment, visible, exchange));
          if (!opened.toCompletableFuture().isDone()) {
            exchange.leave();
          }
          var unused =
              opened.whenComplete(
                  (stream, thrown) -> {
                    if (thrown != null) {
                      exchange.answer(thrown);
                    }
                  });
        });
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
          exchange.handOver());
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private static void streamHeaders(HttpServletResponse response) {
    response.setContentType(EVENT_STREAM);
    STREAM_HEADERS.forEach(response::setHeader);
    // An idle stream keeps its buffer: 32 KiB on Jetty by default.
    response.setBufferSize(4_096);
  }

  private static Problem notAcceptable(String types) {
    return new Problem(
        406, "not_acceptable", "This path gives " + types + ", which Accept rules out.");
  }
}
