package io.peerbroker.core;

import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * The ICE servers that one client may use, and for how long.
 *
 * @param servers in the order in which the client gets them; none where the client must connect
 *     directly
 * @param ttl when the credentials run out, from now on, in whole seconds; zero if they do not
 */
public record IceConfiguration(List<IceServer> servers, Duration ttl) {

  private static final IceConfiguration NONE = new IceConfiguration(List.of(), Duration.ZERO);

  /**
   * Checks the parts.
   *
   * @throws IllegalArgumentException for a time that is negative or has a fraction of a second
   */
  public IceConfiguration {
    servers = List.copyOf(servers);
    Objects.requireNonNull(ttl, "ttl");
    if (ttl.isNegative() || !ttl.equals(Duration.ofSeconds(ttl.toSeconds()))) {
      throw new IllegalArgumentException("ttl must be whole seconds, not " + ttl);
    }
  }

  /** Returns the approximate bytes that it takes. */
  int size() {
    int size = 0;
    for (IceServer server : servers) {
      size += 64;
      for (String url : server.urls()) {
        size += 48 + url.length();
      }
      if (server.username() != null && server.credential() != null) {
        size += 96 + server.username().length() + server.credential().length();
      }
    }
    return size;
  }

  /** Returns the configuration without servers. */
  public static IceConfiguration none() {
    return NONE;
  }
}
