package io.peerbroker.servlet;

import io.peerbroker.core.Caller;
import io.peerbroker.core.Refusal;
import io.peerbroker.core.RefusedException;
import jakarta.servlet.http.HttpServletRequest;
import java.security.Principal;
import java.util.Collections;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The sender of a request: what an {@link io.peerbroker.core.AccessPolicy} learns about callers
 * that come through the servlet.
 *
 * <p>A copy of the request's data, at most 16 KiB, since containers reuse requests. So it can be
 * kept, and a watch is rechecked with the headers that it was opened with. Immutable. Made only if
 * the broker has a policy.
 */
public final class HttpCaller implements Caller {

  private final @Nullable Principal principal;
  private final String remoteAddress;
  private final @Nullable String query;
  private final Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);

  /**
   * How many characters the query and the headers may have together: as many as most containers
   * accept. Some accept more, and watches keep them.
   */
  private static final int MAX_CHARS = 16 << 10;

  private HttpCaller(
      @Nullable Principal principal,
      @Nullable String remoteAddress,
      @Nullable String query,
      Map<String, List<String>> headers) {
    this.principal = principal;
    // Containers return null if the connection has gone meanwhile.
    this.remoteAddress = remoteAddress == null ? "" : remoteAddress;
    this.query = query;
    int chars = query == null ? 0 : query.length();
    for (Map.Entry<String, List<String>> header : headers.entrySet()) {
      List<String> values = List.copyOf(header.getValue());
      for (String value : values) {
        chars += header.getKey().length() + value.length();
      }
      this.headers.put(header.getKey(), values);
    }
    if (chars > MAX_CHARS) {
      throw RefusedException.of(
          Refusal.Code.TOO_LARGE,
          "The query and the headers may have at most "
              + MAX_CHARS
              + " characters together, where a policy is asked.");
    }
  }

  /**
   * Returns the sender of a request, for the application's own servlets that use the broker for
   * their callers. Must be called on a thread that is serving the request.
   *
   * @throws RefusedException {@code too_large} for a query and headers of more than 16,384
   *     characters together
   */
  public static HttpCaller of(HttpServletRequest request) {
    Objects.requireNonNull(request, "request");
    Map<String, List<String>> headers = new LinkedHashMap<>();
    Enumeration<String> names = request.getHeaderNames();
    if (names != null) {
      for (String name : Collections.list(names)) {
        headers.put(name, Collections.list(request.getHeaders(name)));
      }
    }
    return of(
        request.getUserPrincipal(), request.getRemoteAddr(), request.getQueryString(), headers);
  }

  /**
   * Returns the sender of a request that is not a servlet's, such as the handshake of a WebSocket.
   *
   * @param principal the logged-in user, or null
   * @param remoteAddress the address that the connection comes from; null if it is not known
   * @param query the query as it was sent, without its question mark, or null
   * @param headers the values of each header; names in any letter case
   * @throws RefusedException {@code too_large} for a query and headers of more than 16,384
   *     characters together
   */
  public static HttpCaller of(
      @Nullable Principal principal,
      @Nullable String remoteAddress,
      @Nullable String query,
      Map<String, List<String>> headers) {
    return new HttpCaller(
        principal, remoteAddress, query, Objects.requireNonNull(headers, "headers"));
  }

  /**
   * Returns the logged-in user, as the container or a filter before the broker reports it ({@code
   * getUserPrincipal}); null if there is none. It is the user of this request: for a watch it does
   * not change when that login ends, so a policy that is asked about it again ({@link
   * io.peerbroker.core.Broker#recheck()}) has to check whether the login still stands.
   */
  @Override
  public @Nullable Principal principal() {
    return principal;
  }

  /**
   * Returns the address that the connection comes from, as the container writes it; empty if it is
   * not known. Behind a proxy it is the proxy's, unless the container is configured to trust the
   * proxy's headers.
   */
  public String remoteAddress() {
    return remoteAddress;
  }

  /**
   * Returns the value of a header, the first if there are several, or null; the name in any letter
   * case.
   */
  public @Nullable String header(String name) {
    List<String> values = headers(name);
    return values.isEmpty() ? null : values.get(0);
  }

  /** Returns all values of a header, one for each line; the name in any letter case. */
  public List<String> headers(String name) {
    return headers.getOrDefault(Objects.requireNonNull(name, "name"), List.of());
  }

  /**
   * Returns the value of a parameter of the query, decoded as a form's (percent-encoded UTF-8,
   * {@code +} for a space), or null if it is absent.
   *
   * <p>EventSource can set no header, so its token has to come as a cookie or here. Queries get
   * into the logs of proxies and servers: a token in a query should be good for a short time, or
   * once. {@code /list} takes no parameters that it does not know but {@code access_token} (RFC
   * 6750).
   *
   * @throws io.peerbroker.core.RefusedException {@code invalid_request} for a parameter that is
   *     given twice or badly encoded; a policy may let it pass through
   */
  public @Nullable String queryParameter(String name) {
    return new QueryString(query)
        .value(Objects.requireNonNull(name, "name"), Refusal.Code.INVALID_REQUEST);
  }

  /**
   * Returns the value of a cookie as it was sent, or null; the first if there are several, which is
   * the one with the longest path (RFC 6265, section 5.4).
   *
   * <p>Read from the header, since containers differ about oddly written cookies: some refuse the
   * request.
   */
  public @Nullable String cookie(String name) {
    Objects.requireNonNull(name, "name");
    for (String line : headers("Cookie")) {
      for (int start = 0; start < line.length(); ) {
        int semicolon = line.indexOf(';', start);
        int end = semicolon < 0 ? line.length() : semicolon;
        int equals = line.indexOf('=', start);
        if (equals >= 0 && equals < end && line.substring(start, equals).strip().equals(name)) {
          return line.substring(equals + 1, end).strip();
        }
        start = end + 1;
      }
    }
    return null;
  }

  /**
   * Returns the origin of the page that asks (RFC 6454), as browsers send it; null if there is
   * none. Most browsers send none within one origin, and other programs none at all.
   */
  public @Nullable String origin() {
    return header("Origin");
  }

  /** The address, and whether there is a login: all else may be secret. */
  @Override
  public String toString() {
    return "HttpCaller[" + remoteAddress + (principal == null ? "]" : ", logged in]");
  }
}
