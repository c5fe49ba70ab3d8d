package io.peerbroker.servlet;

import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How the broker behaves over HTTP; what concerns every transport is set on the broker itself.
 *
 * @param heartbeat after how much silence a stream carries a comment line
 * @param retry about how long a client waits before it comes back to a stream that broke; each
 *     stream tells a time of its own, from half of this to one and a half
 * @param writeTimeout after how long a stream is given up whose bytes the network has not taken
 * @param bodyTimeout within how long a request's body must be all there
 * @param maxBodyBytes how long a request's body may be
 * @param allowedOrigins the origins whose pages may use the broker from elsewhere (CORS), or {@code
 *     *} alone; none turns CORS off
 * @param allowedHeaders the request headers that those pages may set besides what every page may:
 *     {@code Cache-Control}, {@code Content-Type}, {@code Last-Event-ID} and {@code
 *     X-Requested-With}, which clients for event streams send, are always among them. In
 *     alphabetical order, whatever their letter case
 * @param context what surrounds an access policy that is asked on another thread than the
 *     request's; see {@link #withContext}
 */
public record HttpSettings(
    Duration heartbeat,
    Duration retry,
    Duration writeTimeout,
    Duration bodyTimeout,
    int maxBodyBytes,
    Set<String> allowedOrigins,
    Set<String> allowedHeaders,
    UnaryOperator<Runnable> context) {

  private static final Duration MIN = Duration.ofMillis(10);
  private static final Duration MAX = Duration.ofHours(24);
  private static final Set<String> NEEDED_HEADERS =
      Set.of("Cache-Control", "Content-Type", "Last-Event-ID", "X-Requested-With");

  /**
   * As browsers write one (WHATWG URL and HTML): a host may have characters that java.net.URI
   * allows in none, and be empty of meaning, as that of {@code app://-}.
   */
  private static final Pattern ORIGIN =
      Pattern.compile(
          "(?<scheme>[a-z][a-z0-9+.-]*)://(?:[a-z0-9._~-]+|\\[[0-9a-f:.]+])"
              + "(?::(?<port>0|[1-9][0-9]*))?");

  private static final Map<String, String> DEFAULT_PORTS = Map.of("http", "80", "https", "443");

  private static final HttpSettings DEFAULTS =
      new HttpSettings(
          Duration.ofSeconds(15),
          Duration.ofSeconds(2),
          Duration.ofSeconds(30),
          Duration.ofSeconds(10),
          64 << 10,
          Set.of(),
          Set.of(),
          UnaryOperator.identity());

  /**
   * Checks the settings.
   *
   * @throws IllegalArgumentException for a time that is not from 10 ms to 24 h, a size below 1,
   *     {@code *} among other origins, or an origin that is not written as a browser sends it
   *     ({@code https://example.org:8443}: lower case, no path, no default port), or a header's
   *     name that is none (RFC 9110, section 5.1)
   */
  public HttpSettings {
    check("heartbeat", heartbeat);
    check("retry", retry);
    check("writeTimeout", writeTimeout);
    check("bodyTimeout", bodyTimeout);
    if (maxBodyBytes < 1) {
      throw new IllegalArgumentException("maxBodyBytes must be at least 1, not " + maxBodyBytes);
    }
    allowedOrigins = copy("allowedOrigins", allowedOrigins);
    if (allowedOrigins.contains("*") && allowedOrigins.size() > 1) {
      throw new IllegalArgumentException(
          "allowedOrigins takes '*' alone or a list of origins, not both");
    }
    allowedOrigins.forEach(HttpSettings::checkOrigin);
    copy("allowedHeaders", allowedHeaders).forEach(HttpSettings::checkHeader);
    Objects.requireNonNull(context, "context");
    Set<String> headers = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
    headers.addAll(NEEDED_HEADERS);
    headers.addAll(allowedHeaders);
    allowedHeaders = Collections.unmodifiableSet(headers);
  }

  /**
   * Heartbeat 15 s, retry 2 s, write timeout 30 s, body timeout 10 s, bodies of 64 KiB, no CORS.
   */
  public static HttpSettings defaults() {
    return DEFAULTS;
  }

  /**
   * As {@link #defaults}, but bodies of 40 KiB: what belongs to {@link
   * io.peerbroker.core.BrokerBuilder#openToEverybody}, whose messages have at most 32 KiB. A body
   * that comes slowly is kept until it is all there, and nothing bounds how many do.
   */
  public static HttpSettings openToEverybody() {
    return DEFAULTS.withMaxBodyBytes(40 << 10);
  }

  /** The same with another heartbeat. */
  public HttpSettings withHeartbeat(Duration heartbeat) {
    return new HttpSettings(
        heartbeat,
        retry,
        writeTimeout,
        bodyTimeout,
        maxBodyBytes,
        allowedOrigins,
        allowedHeaders,
        context);
  }

  /** The same with another time after which clients come back. */
  public HttpSettings withRetry(Duration retry) {
    return new HttpSettings(
        heartbeat,
        retry,
        writeTimeout,
        bodyTimeout,
        maxBodyBytes,
        allowedOrigins,
        allowedHeaders,
        context);
  }

  /** The same with another write timeout. */
  public HttpSettings withWriteTimeout(Duration writeTimeout) {
    return new HttpSettings(
        heartbeat,
        retry,
        writeTimeout,
        bodyTimeout,
        maxBodyBytes,
        allowedOrigins,
        allowedHeaders,
        context);
  }

  /** The same with another body timeout. */
  public HttpSettings withBodyTimeout(Duration bodyTimeout) {
    return new HttpSettings(
        heartbeat,
        retry,
        writeTimeout,
        bodyTimeout,
        maxBodyBytes,
        allowedOrigins,
        allowedHeaders,
        context);
  }

  /** The same with another bound for bodies. */
  public HttpSettings withMaxBodyBytes(int maxBodyBytes) {
    return new HttpSettings(
        heartbeat,
        retry,
        writeTimeout,
        bodyTimeout,
        maxBodyBytes,
        allowedOrigins,
        allowedHeaders,
        context);
  }

  /** The same with other origins. */
  public HttpSettings withAllowedOrigins(String... origins) {
    return new HttpSettings(
        heartbeat,
        retry,
        writeTimeout,
        bodyTimeout,
        maxBodyBytes,
        new LinkedHashSet<>(Arrays.asList(Objects.requireNonNull(origins, "origins"))),
        allowedHeaders,
        context);
  }

  /**
   * The same, but pages of other origins may set these headers too: with {@code Authorization} they
   * can send a bearer token with {@code fetch} (EventSource sets no headers).
   */
  public HttpSettings withAllowedHeaders(String... headers) {
    return new HttpSettings(
        heartbeat,
        retry,
        writeTimeout,
        bodyTimeout,
        maxBodyBytes,
        allowedOrigins,
        new LinkedHashSet<>(Arrays.asList(Objects.requireNonNull(headers, "headers"))),
        context);
  }

  /**
   * The same with a context for the access policy. A body that comes slowly is handed on by another
   * thread than the request's own, on which whatever filters have left in thread-locals is missing.
   *
   * <p>With Spring Security, {@code withContext(DelegatingSecurityContextRunnable::new)} gives it
   * the request's {@code SecurityContext}; with Micrometer's context propagation, {@code task ->
   * ContextSnapshotFactory.builder().build().captureAll().wrap(task)} gives it all that is
   * registered there. What {@link HttpCaller} says needs none of this.
   *
   * @param context called on the request's thread with what is done once the body is there; returns
   *     what is run instead, once at most, on a thread of the container's, and must run what it was
   *     given on that thread
   */
  public HttpSettings withContext(UnaryOperator<Runnable> context) {
    return new HttpSettings(
        heartbeat,
        retry,
        writeTimeout,
        bodyTimeout,
        maxBodyBytes,
        allowedOrigins,
        allowedHeaders,
        context);
  }

  private static Set<String> copy(String name, Set<String> values) {
    Objects.requireNonNull(values, name);
    values.forEach(each -> Objects.requireNonNull(each, name));
    return Set.copyOf(values);
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
          "An allowed header is a name like Authorization (letters, digits and !#$%&'*+-.^_`|~), each by itself; not '"
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
        "An allowed origin is written as browsers send it, like https://example.org or http://localhost:8080"
            + " (lower case, no path, no default port); not "
            + origin);
  }
}
