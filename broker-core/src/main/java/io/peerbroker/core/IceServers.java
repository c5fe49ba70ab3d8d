package io.peerbroker.core;

import java.time.Duration;
import java.time.InstantSource;
import java.util.List;

/**
 * The application's decision which STUN and TURN servers a client may use: set with {@link
 * BrokerBuilder#iceServers}. Each client gets its servers when it opens a channel, and again
 * whenever it asks.
 *
 * <p>Two clients whose networks permit no direct connection need a TURN server between them, which
 * relays everything that they send. It costs its operator bandwidth, so it must be opened to nobody
 * but the clients of the application: {@link #timeLimited} gives them credentials that run out.
 *
 * <p>It is called on the caller's thread, outside all locks, by many threads at once, and must not
 * block: fetch what needs the network in advance. A {@link RefusedException} refuses the operation;
 * any other exception is a fault, which the caller sees as {@code internal}.
 */
@FunctionalInterface
public interface IceServers {

  /**
   * Returns the servers for a caller, with credentials that are good from now on.
   *
   * @param caller as for an {@link AccessPolicy}; {@link Caller#trusted()} for the application
   */
  IceConfiguration forCaller(Caller caller);

  /** Returns no servers, for any caller: the default. */
  static IceServers none() {
    return caller -> IceConfiguration.none();
  }

  /**
   * Returns the same servers for every caller. Credentials among them are in the hands of all
   * clients, for good: {@link #timeLimited} is better.
   */
  static IceServers of(IceServer... servers) {
    IceConfiguration all = new IceConfiguration(List.of(servers), Duration.ZERO);
    return caller -> all;
  }

  /**
   * Returns TURN servers with credentials that run out, made anew for each caller from a secret
   * that the TURN server shares (the "TURN REST API", draft-uberti-behave-turn-rest-00; coturn's
   * {@code use-auth-secret}): the username is the time at which it runs out, in seconds since 1970,
   * a colon and a random word; the credential is the Base64 of the HMAC-SHA1 of that username.
   *
   * @param secret coturn's {@code static-auth-secret}
   * @param ttl for how long the credentials are good, 1 minute to 30 days. A relay that is in use
   *     when they run out may end then, so take more than a call lasts
   * @param urls of TURN servers; those of STUN servers among them get no credentials
   * @throws IllegalArgumentException for an empty secret, a time out of range, no URL, or one that
   *     is not in the form that {@link IceServer} takes
   */
  static IceServers timeLimited(String secret, Duration ttl, String... urls) {
    return new TimeLimitedIceServers(secret, ttl, List.of(urls), InstantSource.system());
  }
}
