package io.peerbroker.servlet;

import io.peerbroker.core.Caller;
import io.peerbroker.core.Refusal;
import io.peerbroker.core.RefusedException;
import jakarta.servlet.http.HttpServletRequest;
import java.security.Principal;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Whoever sent a request: what an {@link io.peerbroker.core.AccessPolicy} is told about callers
 * that come through the servlet.
 *
 * <p>A copy of what the request said while it was alive, at most 16 KiB of it, since containers use
 * requests again; so it can be kept, and a watch is asked about with the headers that it was opened
 * with. Immutable. Made only where the broker has a policy.
 */
public final class HttpCaller implements Caller {

  private final @Nullable Principal principal;
  private final String remoteAddress;
  private final @Nullable String query;
  private final Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);

  /**
   * How many characters the query and the headers may have together: as many as most containers let
   * in, but some are more generous, and watches keep them.
   */
  private static final int MAX_CHARS = 16 << 10;

  private HttpCaller(HttpServletRequest request) {
    principal = request.getUserPrincipal();
    String address = request.getRemoteAddr();
    // Containers answer null where the connection has gone meanwhile.
    remoteAddress = address == null ? "" : address;
    query = request.getQueryString();
    int chars = query == null ? 0 : query.length();
    Enumeration<String> names = request.getHeaderNames();
    if (names != null) {
      for (String name : Collections.list(names)) {
        List<String> values = List.copyOf(Collections.list(request.getHeaders(name)));
        for (String value : values) {
          chars += name.length() + value.length();
        }
        headers.put(name, values);
      }
    }
    if (chars > MAX_CHARS) {
      throw new RefusedException(
          Refusal.of(
              Refusal.Code.TOO_LARGE,
              "The query and the headers may have at most "
                  + MAX_CHARS
                  + " characters together, where a policy is asked."));
    }
  }

  /**
   * The sender of a request: for servlets of the application's own that use the broker for whoever
   * asks them. To be called on a thread that is serving the request.
   *
   * @throws RefusedException {@code too_large} for a query and headers of more than 16,384
   *     characters together
   */
  public static HttpCaller of(HttpServletRequest request) {
    return new HttpCaller(Objects.requireNonNull(request, "request"));
  }

  /**
   * Who has logged in, as the container or a filter before the broker says ({@code
   * getUserPrincipal}); null where nobody has. It is the one of this request: for a watch it does
   * not change when that login ends, so a policy that is asked again about it ({@link
   * io.peerbroker.core.Broker#recheck()}) has to look whether the login still stands.
   */
  @Override
  public @Nullable Principal principal() {
    return principal;
  }

  /**
   * The address that the connection comes from, as the container writes it; empty where it does not
   * know. Behind a proxy it is the proxy's, unless the container has been told to believe that.
   */
  public String remoteAddress() {
    return remoteAddress;
  }

  /** The value of a header, the first where there are several, or null; in any letter case. */
  public @Nullable String header(String name) {
    List<String> values = headers(name);
    return values.isEmpty() ? null : values.get(0);
  }

  /** All values of a header, one for each line; in any letter case. Unmodifiable. */
  public List<String> headers(String name) {
    return headers.getOrDefault(Objects.requireNonNull(name, "name"), List.of());
  }

  /**
   * The value of a parameter of the query, decoded as a form's (percent-encoded UTF-8, {@code +}
   * for a space), or null where it is absent.
   *
   * <p>EventSource can set no header, so a token for it has to come as a cookie or here. Queries
   * get into the logs of proxies and servers: what comes here should be good for a short time or
   * once. {@code /list} takes no parameters that it does not know but {@code access_token} (RFC
   * 6750).
   *
   * @throws io.peerbroker.core.RefusedException {@code invalid_request} for one that is given twice
   *     or badly encoded; a policy may let it pass through
   */
  public @Nullable String queryParameter(String name) {
    return new QueryString(query)
        .value(Objects.requireNonNull(name, "name"), Refusal.Code.INVALID_REQUEST);
  }

  /**
   * The value of a cookie as it was sent, or null; the first where there are several, which is the
   * one with the longest path (RFC 6265, section 5.4).
   *
   * <p>Read from the header, since containers differ about cookies that are oddly written, some
   * refuse the request.
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
   * The origin of the page that asks (RFC 6454), as browsers send it; null where they send none, as
   * most do for what stays within one origin, and other programs do.
   */
  public @Nullable String origin() {
    return header("Origin");
  }

  /** The address alone, and whether anybody has logged in: all else may be secret. */
  @Override
  public String toString() {
    return "HttpCaller[" + remoteAddress + (principal == null ? "]" : ", logged in]");
  }
}
