package io.peerbroker.core;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A STUN or TURN server with its credentials, in the form that an RTCPeerConnection takes (W3C
 * WebRTC, RTCIceServer).
 *
 * @param urls at least one: {@code stun:} and {@code stuns:} (RFC 7064), {@code turn:} and {@code
 *     turns:} (RFC 7065)
 * @param username for TURN; otherwise null
 * @param credential the password, not in {@link #toString()}; null if and only if there is no
 *     username
 */
public record IceServer(List<String> urls, @Nullable String username, @Nullable String credential) {

  /** Longer than any host name, with room for the rest. */
  private static final int MAX_URL = 512;

  private static final int MAX_PORT = 65_535;

  private static final Set<String> SCHEMES = Set.of("stun", "stuns", "turn", "turns");

  /**
   * Checks the parts.
   *
   * @throws IllegalArgumentException for no URL, for one that is not of the form {@code
   *     turn:host:port?transport=udp} (port and transport may be absent), for a {@code turn:} URL
   *     without credentials, and for a username without a credential or the other way round
   */
  public IceServer {
    urls = List.copyOf(urls);
    if (urls.isEmpty()) {
      throw new IllegalArgumentException("An ICE server needs a URL, like stun:example.org:3478.");
    }
    if ((username == null) != (credential == null)) {
      throw new IllegalArgumentException("An ICE server needs both a username and a credential.");
    }
    for (String url : urls) {
      checkUrl(url);
      if (username == null && isTurn(url)) {
        throw new IllegalArgumentException(
            "The TURN server " + url + " needs a username and a credential.");
      }
    }
  }

  /**
   * Returns a server without credentials: for STUN.
   *
   * @throws IllegalArgumentException as the constructor
   */
  public static IceServer of(String... urls) {
    return new IceServer(List.of(urls), null, null);
  }

  /**
   * Returns these URLs with a username and a password.
   *
   * @throws IllegalArgumentException as the constructor
   */
  public static IceServer turn(String username, String credential, String... urls) {
    return new IceServer(
        List.of(urls),
        Objects.requireNonNull(username, "username"),
        Objects.requireNonNull(credential, "credential"));
  }

  /** Returns whether a URL is that of a TURN server. */
  static boolean isTurn(String url) {
    return url.startsWith("turn:") || url.startsWith("turns:");
  }

  /** Refuses a URL that no browser would take. */
  static void checkUrl(String url) {
    int colon = url.indexOf(':');
    int query = url.indexOf('?');
    if (colon < 0
        || !SCHEMES.contains(url.substring(0, colon))
        || url.length() > MAX_URL
        || !isHostAndPort(url.substring(colon + 1, query < 0 ? url.length() : query))
        || (query >= 0 && !isTransport(url, query))) {
      throw new IllegalArgumentException(
          "An ICE server's URL must be like stun:example.org, turn:example.org:3478?transport=udp or"
              + " turns:example.org:5349, not "
              + url
              + ".");
    }
  }

  private static boolean isHostAndPort(String place) {
    try {
      URI uri = new URI("turn://" + place).parseServerAuthority();
      return place.equals(uri.getRawAuthority())
          && uri.getRawUserInfo() == null
          && uri.getPort() <= MAX_PORT;
    } catch (URISyntaxException wrong) {
      return false;
    }
  }

  /** STUN has no transport parameter (RFC 7064). */
  private static boolean isTransport(String url, int query) {
    String parameter = url.substring(query);
    return isTurn(url)
        && (parameter.equals("?transport=udp") || parameter.equals("?transport=tcp"));
  }

  /** Shows the URLs alone: a credential must not be logged. */
  @Override
  public String toString() {
    return "IceServer" + urls;
  }
}
