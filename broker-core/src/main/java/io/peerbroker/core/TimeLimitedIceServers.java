package io.peerbroker.core;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** TURN servers with credentials of the "TURN REST API" (draft-uberti-behave-turn-rest-00). */
final class TimeLimitedIceServers implements IceServers {

  private static final String HMAC = "HmacSHA1";
  private static final Duration SHORTEST = Duration.ofMinutes(1);
  private static final Duration LONGEST = Duration.ofDays(30);

  private final SecretKeySpec secret;
  private final Duration ttl;
  private final List<String> turn = new ArrayList<>();
  private final List<String> stun = new ArrayList<>();
  private final InstantSource clock;
  private final Ids ids = new Ids();

  TimeLimitedIceServers(String secret, Duration ttl, List<String> urls, InstantSource clock) {
    if (secret.isEmpty()) {
      throw new IllegalArgumentException("The TURN server's secret must not be empty.");
    }
    if (ttl.compareTo(SHORTEST) < 0
        || ttl.compareTo(LONGEST) > 0
        || !ttl.equals(Duration.ofSeconds(ttl.toSeconds()))) {
      throw new IllegalArgumentException(
          "ttl must be whole seconds, from 1 minute to 30 days, not " + ttl);
    }
    for (String url : urls) {
      IceServer.checkUrl(url);
      (IceServer.isTurn(url) ? turn : stun).add(url);
    }
    if (turn.isEmpty()) {
      throw new IllegalArgumentException(
          "Credentials are for TURN servers; give a URL like turn:example.org:3478.");
    }
    this.secret = new SecretKeySpec(secret.getBytes(UTF_8), HMAC);
    this.ttl = ttl;
    this.clock = Objects.requireNonNull(clock, "clock");
  }

  @Override
  public IceConfiguration forCaller(Caller caller) {
    // The random word tells callers apart for the TURN server's quotas, and names none of them.
    String username = clock.instant().plus(ttl).getEpochSecond() + ":" + ids.delivery();
    List<IceServer> servers = new ArrayList<>();
    if (!stun.isEmpty()) {
      servers.add(new IceServer(stun, null, null));
    }
    servers.add(new IceServer(turn, username, credential(username)));
    return new IceConfiguration(servers, ttl);
  }

  /** Returns the credential of a username. */
  String credential(String username) {
    try {
      // A Mac is not safe for use by many threads.
      Mac mac = Mac.getInstance(HMAC);
      mac.init(secret);
      return Base64.getEncoder().encodeToString(mac.doFinal(username.getBytes(UTF_8)));
    } catch (GeneralSecurityException missing) {
      // Every Java platform has it.
      throw new IllegalStateException(missing);
    }
  }

  /** Shows the URLs alone. */
  @Override
  public String toString() {
    return "IceServers[" + turn + ", " + stun + "]";
  }
}
