package io.peerbroker.servlet;

import jakarta.servlet.http.HttpServletRequest;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How the broker behaves over HTTP; what concerns every transport is set on the broker itself.
 *
 * <p>Starts from {@link #defaults()} or {@link #openToEverybody()}. Immutable; two are equal when
 * all their settings are. Later versions add settings.
 */
public final class HttpSettings {

  private static final Duration MIN = Duration.ofMillis(10);
  private static final Duration MAX = Duration.ofHours(24);
  private static final Set<String> NEEDED_HEADERS =
      Set.of("Cache-Control", "Content-Type", "Last-Event-ID", "X-Requested-With");

  /**
   * As browsers write an origin (WHATWG URL and HTML): its host may have characters that
   * java.net.URI rejects, and no meaning, as in {@code app://-}.
   */
  private static final Pattern ORIGIN =
      Pattern.compile(
          "(?<scheme>[a-z][a-z0-9+.-]*)://(?:[a-z0-9._~-]+|\\[[0-9a-f:.]+])"
              + "(?::(?<port>0|[1-9][0-9]*))?");

  private static final Map<String, String> DEFAULT_PORTS = Map.of("http", "80", "https", "443");

  private static final HttpSettings DEFAULTS = new HttpSettings(new Values());

  /** What a setter of one changes in a copy: the one place where a setting is declared. */
  private static final class Values implements Cloneable {

    Duration heartbeat = Duration.ofSeconds(15);
    Duration retry = Duration.ofSeconds(2);
    Duration writeTimeout = Duration.ofSeconds(30);
    Duration bodyTimeout = Duration.ofSeconds(10);
    int maxBodyBytes = 64 << 10;
    Set<String> allowedOrigins = Set.of();
    Set<String> allowedHeaders = withNeeded(Set.of());
    boolean serveClient = true;
    boolean serveSockets = true;
    UnaryOperator<Runnable> context = UnaryOperator.identity();

    Values copy() {
      try {
        return (Values) clone();
      } catch (CloneNotSupportedException e) {
        throw new AssertionError(e);
      }
    }

    /** Returns every setting by its name, in the order in which users read them. */
    Map<String, Object> byName() {
      Map<String, Object> all = new LinkedHashMap<>();
      all.put("heartbeat", heartbeat);
      all.put("retry", retry);
      all.put("writeTimeout", writeTimeout);
      all.put("bodyTimeout", bodyTimeout);
      all.put("maxBodyBytes", maxBodyBytes);
      all.put("allowedOrigins", allowedOrigins);
      all.put("allowedHeaders", allowedHeaders);
      all.put("serveClient", serveClient);
      all.put("serveSockets", serveSockets);
      all.put("context", context);
      return all;
    }
  }

  private final Values values;

  private HttpSettings(Values values) {
    this.values = values;
  }

  private HttpSettings with(Consumer<Values> change) {
    Values changed = values.copy();
    change.accept(changed);
    return new HttpSettings(changed);
  }

  /**
   * Heartbeat 15 s, retry 2 s, write timeout 30 s, body timeout 10 s, bodies of 64 KiB, no CORS,
   * and the client for browsers is served.
   */
  public static HttpSettings defaults() {
    return DEFAULTS;
  }

  /**
   * As {@link #defaults}, but bodies of 40 KiB: they belong to {@link
   * io.peerbroker.core.BrokerBuilder#openToEverybody}, whose messages have at most 32 KiB. A body
   * that comes slowly is kept until it is all there, and their number has no bound.
   */
  public static HttpSettings openToEverybody() {
    return DEFAULTS.withMaxBodyBytes(40 << 10);
  }

  /**
   * Returns these settings with another heartbeat: after so much silence a stream carries a comment
   * line.
   *
   * @param heartbeat 10 ms to 24 h
   * @throws IllegalArgumentException for another time
   */
  public HttpSettings withHeartbeat(Duration heartbeat) {
    check("heartbeat", heartbeat);
    return with(changed -> changed.heartbeat = heartbeat);
  }

  /**
   * Returns these settings with another time after which clients come back to a stream that broke.
   * Each stream names a time of its own, from half of this to one and a half.
   *
   * @param retry 10 ms to 24 h
   * @throws IllegalArgumentException for another time
   */
  public HttpSettings withRetry(Duration retry) {
    check("retry", retry);
    return with(changed -> changed.retry = retry);
  }

  /**
   * Returns these settings with another write timeout: a stream is given up when the network has
   * taken none of its bytes for so long.
   *
   * @param writeTimeout 10 ms to 24 h
   * @throws IllegalArgumentException for another time
   */
  public HttpSettings withWriteTimeout(Duration writeTimeout) {
    check("writeTimeout", writeTimeout);
    return with(changed -> changed.writeTimeout = writeTimeout);
  }

  /**
   * Returns these settings with another body timeout: a request's body must be there within it.
   *
   * @param bodyTimeout 10 ms to 24 h
   * @throws IllegalArgumentException for another time
   */
  public HttpSettings withBodyTimeout(Duration bodyTimeout) {
    check("bodyTimeout", bodyTimeout);
    return with(changed -> changed.bodyTimeout = bodyTimeout);
  }

  /**
   * Returns these settings with another bound for request bodies.
   *
   * @param maxBodyBytes at least 1
   * @throws IllegalArgumentException for less
   */
  public HttpSettings withMaxBodyBytes(int maxBodyBytes) {
    if (maxBodyBytes < 1) {
      throw new IllegalArgumentException("maxBodyBytes must be at least 1, not " + maxBodyBytes);
    }
    return with(changed -> changed.maxBodyBytes = maxBodyBytes);
  }

  /**
   * Returns these settings with the origins whose pages may use the broker from elsewhere (CORS).
   *
   * <p>WebSockets are for pages of the same origin, and of these; to {@code *}, only if the request
   * has no cookie, login or {@code Authorization}.
   *
   * @param origins written as browsers send them ({@code https://example.org:8443}: lower case, no
   *     path, no default port), or {@code *} alone; none turns CORS off
   * @throws IllegalArgumentException for an origin in another form, and for {@code *} among others
   */
  public HttpSettings withAllowedOrigins(String... origins) {
    Set<String> allowed = copy("allowedOrigins", Objects.requireNonNull(origins, "origins"));
    if (allowed.contains("*") && allowed.size() > 1) {
      throw new IllegalArgumentException(
          "allowedOrigins takes '*' alone or a list of origins, not both");
    }
    allowed.forEach(HttpSettings::checkOrigin);
    return with(changed -> changed.allowedOrigins = allowed);
  }

  /**
   * Returns these settings, in which pages of other origins may set these headers too: with {@code
   * Authorization} they can send a bearer token with {@code fetch} (EventSource sets no headers).
   * {@code Cache-Control}, {@code Content-Type}, {@code Last-Event-ID} and {@code
   * X-Requested-With}, which clients for event streams send, are always allowed.
   *
   * @throws IllegalArgumentException for what is not a header's name (RFC 9110, section 5.1)
   */
  public HttpSettings withAllowedHeaders(String... headers) {
    Set<String> allowed = copy("allowedHeaders", Objects.requireNonNull(headers, "headers"));
    allowed.forEach(HttpSettings::checkHeader);
    return with(changed -> changed.allowedHeaders = withNeeded(allowed));
  }

  /**
   * Returns these settings, in which the client for browsers is served at {@code /client.js} below
   * the broker, or is not. Pages that have it from elsewhere, such as a bundle, do not need it.
   *
   * @param serveClient true if it is served, as it is by default
   */
  public HttpSettings withServeClient(boolean serveClient) {
    return with(changed -> changed.serveClient = serveClient);
  }

  /**
   * Returns these settings, in which WebSockets are served at {@code /socket} below the broker if
   * the module {@code broker-websocket} is there, or are not.
   *
   * @param serveSockets true if they are served, as they are by default
   */
  public HttpSettings withServeSockets(boolean serveSockets) {
    return with(changed -> changed.serveSockets = serveSockets);
  }

  /**
   * Returns these settings with a context for the access policy. A body that comes slowly is handed
   * on by another thread than the request's own, which lacks the thread-locals that filters have
   * set.
   *
   * <p>With Spring Security, {@code withContext(DelegatingSecurityContextRunnable::new)} gives it
   * the request's {@code SecurityContext}; with Micrometer's context propagation, {@code task ->
   * ContextSnapshotFactory.builder().build().captureAll().wrap(task)} gives it all that is
   * registered there. {@link HttpCaller} needs none of this. The requests of a WebSocket have no
   * thread of their own, and so no context: for them a policy has the {@link HttpCaller} of the
   * handshake.
   *
   * @param context called on the request's thread with what is done once the body is there; returns
   *     what is run instead, once at most, on a thread of the container's, and must run what it was
   *     given on that thread
   */
  public HttpSettings withContext(UnaryOperator<Runnable> context) {
    Objects.requireNonNull(context, "context");
    return with(changed -> changed.context = context);
  }

  /** Returns after how much silence a stream carries a comment line. */
  public Duration heartbeat() {
    return values.heartbeat;
  }

  /** Returns about how long a client waits before it comes back to a stream that broke. */
  public Duration retry() {
    return values.retry;
  }

  /** Returns after how long a stream is given up whose bytes the network has not taken. */
  public Duration writeTimeout() {
    return values.writeTimeout;
  }

  /** Returns within how long a request's body must be there. */
  public Duration bodyTimeout() {
    return values.bodyTimeout;
  }

  /** Returns how many bytes a request's body may have. */
  public int maxBodyBytes() {
    return values.maxBodyBytes;
  }

  /** Returns the origins whose pages may use the broker from elsewhere; unmodifiable. */
  public Set<String> allowedOrigins() {
    return values.allowedOrigins;
  }

  /**
   * Returns the request headers that those pages may set, in alphabetical order whatever their
   * letter case; unmodifiable.
   */
  public Set<String> allowedHeaders() {
    return values.allowedHeaders;
  }

  /** Returns whether the client for browsers is served. */
  public boolean serveClient() {
    return values.serveClient;
  }

  /** Returns whether WebSockets are served, if the module for them is there. */
  public boolean serveSockets() {
    return values.serveSockets;
  }

  /**
   * Returns what surrounds an access policy that is asked on another thread: {@link #withContext}.
   */
  public UnaryOperator<Runnable> context() {
    return values.context;
  }

  /**
   * Returns whether the page that a request comes from may open a WebSocket: CORS does not protect
   * those (RFC 6455, section 10.2). For the application's own WebSockets beside the broker's.
   */
  public boolean admits(HttpServletRequest request) {
    Objects.requireNonNull(request, "request");
    String origin = request.getHeader("Origin");
    if (origin == null || allowedOrigins().contains(origin) || isOwn(origin, request)) {
      return true;
    }
    // As with CORS, a page that only the star admits is admitted without credentials.
    return allowedOrigins().contains("*")
        && request.getHeader("Cookie") == null
        && request.getHeader("Authorization") == null
        && request.getUserPrincipal() == null;
  }

  private static boolean isOwn(String origin, HttpServletRequest request) {
    String host = request.getHeader("Host");
    int slashes = origin.indexOf("://");
    if (host == null || slashes < 0) {
      return false;
    }
    String scheme = origin.substring(0, slashes);
    // Behind a proxy with TLS the request may seem to be without.
    if (scheme.equals("http") && request.isSecure()) {
      return false;
    }
    String port = ":" + DEFAULT_PORTS.getOrDefault(scheme, "");
    String named = host.endsWith(port) ? host.substring(0, host.length() - port.length()) : host;
    return DEFAULT_PORTS.containsKey(scheme)
        && origin.substring(slashes + "://".length()).equalsIgnoreCase(named);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof HttpSettings settings
        && values.byName().equals(settings.values.byName());
  }

  @Override
  public int hashCode() {
    return values.byName().hashCode();
  }

  /** Names every setting with its value. */
  @Override
  public String toString() {
    return "HttpSettings" + values.byName();
  }

  private static Set<String> withNeeded(Set<String> headers) {
    Set<String> all = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
    all.addAll(NEEDED_HEADERS);
    all.addAll(headers);
    return Collections.unmodifiableSet(all);
  }

  private static Set<String> copy(String name, String... values) {
    for (String each : values) {
      Objects.requireNonNull(each, name);
    }
    return Set.copyOf(List.of(values));
  }

  private static void check(String name, Duration value) {
    Objects.requireNonNull(value, name);
    if (value.compareTo(MIN) < 0 || value.compareTo(MAX) > 0) {
      throw new IllegalArgumentException(name + " must be from 10 ms to 24 h, not " + value);
    }
  }

  private static void checkHeader(String name) {
    // A token of RFC 9110; an asterisk is one too, but means every header to some browsers.
    boolean isToken = !name.isEmpty() && name.chars().allMatch(HttpSettings::isTokenChar);
    if (!isToken || name.equals("*")) {
      throw new IllegalArgumentException(
          "An allowed header is a name like Authorization (letters, digits and !#$%&'*+-.^_`|~),"
              + " each by itself; not '"
              + name
              + "'");
    }
  }

  private static boolean isTokenChar(int c) {
    return (c >= '0' && c <= '9')
        || (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || "!#$%&'*+-.^_`|~".indexOf(c) >= 0;
  }

  private static void checkOrigin(String origin) {
    if (origin.equals("*")) {
      return;
    }
    Matcher parts = ORIGIN.matcher(origin);
    if (!parts.matches()) {
      throw badOrigin(origin);
    }
    String port = parts.group("port");
    if (port != null
        && (port.length() > 5 || port.equals(DEFAULT_PORTS.get(parts.group("scheme"))))) {
      throw badOrigin(origin);
    }
  }

  private static IllegalArgumentException badOrigin(String origin) {
    return new IllegalArgumentException(
        "An allowed origin is written as browsers send it, like https://example.org or"
            + " http://localhost:8080 (lower case, no path, no default port); not "
            + origin);
  }
}
