package io.peerbroker.examples;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.proc.SingleKeyJWSKeySelector;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import io.peerbroker.core.AccessPolicy;
import io.peerbroker.core.Broker;
import io.peerbroker.core.Caller;
import io.peerbroker.core.Channel;
import io.peerbroker.core.ChannelOptions;
import io.peerbroker.core.Scope;
import io.peerbroker.core.Session;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.core.SessionUpdate;
import io.peerbroker.core.TagFilter;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.servlet.HttpCaller;
import java.security.SecureRandom;
import java.text.ParseException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Date;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.jspecify.annotations.Nullable;

/**
 * Visitors show a signed token (a JWT, RFC 7519), and EventSource can set no header: how does the
 * broker check it, and keep one tenant's sessions from another's sight?
 *
 * <p>The application's login signs a token that names the visitor's tenant. A page puts it into the
 * query of its streams, {@code new EventSource('/broker/channel?access_token=…')}, and into a
 * header where it can: {@code fetch('/broker/session', {method: 'POST', headers: {Authorization:
 * 'Bearer …', 'Content-Type': 'application/json'}, body})}. The tenant becomes a tag that only this
 * policy sets, and that every list requires.
 *
 * <p>A query is written into access logs, by proxies too, and a reader of the log has the token. So
 * let a token live for a minute: it is looked at when a stream begins, and a stream that has begun
 * stays. And log paths without queries ({@code $uri} in place of {@code $request} in an nginx's
 * {@code log_format}). An EventSource that comes back by itself comes with the token that it had;
 * if that is too old, it is refused and gives up. The page then asks for another token and makes
 * another EventSource, with the event id it has seen as {@code lastEventId} in the query, which is
 * as good as a key, and one more reason to keep queries out of logs.
 *
 * <p>Messages need no token: a {@code POST} carries the key of its channel, which only an admitted
 * client has received. To ask for one there too, override {@link AccessPolicy#send}.
 */
public final class TokenInQuery implements AccessPolicy {

  private static final String ISSUER = "https://login.example.org";
  private static final String AUDIENCE = "broker";
  private static final String TENANT = "tenant";
  private static final String TAG = TENANT + ":";
  private static final String BEARER = "Bearer ";

  /**
   * The valid names of tenants: texts that a tag keeps unchanged. Of "red" and "red ", with a space
   * behind it, a tag makes one, and one would see the other's sessions.
   */
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,50}");

  private final DefaultJWTProcessor<SecurityContext> tokens = new DefaultJWTProcessor<>();

  /**
   * A policy that believes tokens signed with a secret, which it shares with the login.
   *
   * @param secret at least 256 bits. A third party's login signs with a private key instead (ES256,
   *     say), and the policy has the public one
   */
  TokenInQuery(byte[] secret, InstantSource clock) {
    // The one algorithm that is meant. The maker of a token chooses the one that it names: "none",
    // or one by which a public key is taken for a secret.
    tokens.setJWSKeySelector(new SingleKeyJWSKeySelector<>(JWSAlgorithm.HS256, key(secret)));
    var claims =
        new DefaultJWTClaimsVerifier<SecurityContext>(
            AUDIENCE, new JWTClaimsSet.Builder().issuer(ISSUER).build(), Set.of("exp", TENANT)) {
          @Override
          protected Date currentTime() {
            return Date.from(clock.instant());
          }
        };
    // By default a token lives a minute longer than it says, for clocks that differ.
    claims.setMaxClockSkew(5);
    tokens.setJWTClaimsSetVerifier(claims);
  }

  private static SecretKey key(byte[] secret) {
    return new SecretKeySpec(secret, "HmacSHA256");
  }

  /** Returns the token that the login gives to a visitor after authentication. */
  static String token(byte[] secret, String tenant, Duration life, InstantSource clock)
      throws JOSEException {
    var claims =
        new JWTClaimsSet.Builder()
            .issuer(ISSUER)
            .audience(AUDIENCE)
            .expirationTime(Date.from(clock.instant().plus(life)))
            .claim(TENANT, tenant)
            .build();
    var token = new SignedJWT(new JWSHeader(JWSAlgorithm.HS256), claims);
    token.sign(new MACSigner(secret));
    return token.serialize();
  }

  @Override
  public void open(Caller caller, ChannelOptions options) {
    tenantTag(caller);
  }

  @Override
  public SessionSpec host(Caller caller, Channel channel, SessionSpec spec) {
    return spec.withTags(withTenant(spec.tags(), tenantTag(caller)));
  }

  @Override
  public SessionUpdate update(Caller caller, Session session, SessionUpdate update) {
    String tenantTag = tenantTag(caller);
    List<String> tags = update.tags();
    return tags == null ? update : update.withTags(withTenant(tags, tenantTag));
  }

  /**
   * A page may send back the tags that it has read: the policy sets the ones that the page can't.
   */
  private static List<String> withTenant(List<String> tags, String tenantTag) {
    return Stream.concat(tags.stream().filter(tag -> !tag.startsWith(TAG)), Stream.of(tenantTag))
        .toList();
  }

  /** A watch keeps its token: at {@link Broker#recheck()} one with an old token ends. */
  @Override
  public Scope scope(Caller caller, TagFilter filter) {
    return Scope.tagged(tenantTag(caller));
  }

  /**
   * Returns the tag of the tenant that a caller's token names; a caller without a valid token is
   * refused.
   */
  private String tenantTag(Caller caller) {
    String token = caller instanceof HttpCaller http ? tokenOf(http) : null;
    if (token == null) {
      throw AccessPolicy.denied(
          "A token must be shown, as a bearer in Authorization or as access_token in the query.");
    }
    try {
      String tenant = tokens.process(token, null).getStringClaim(TENANT);
      if (tenant != null && NAME.matcher(tenant).matches()) {
        return TAG + tenant;
      }
    } catch (ParseException | BadJOSEException | JOSEException notGood) {
      // The exact fault would help only a forger.
    }
    throw AccessPolicy.denied("The token is none of ours, or too old: the login has new ones.");
  }

  private static @Nullable String tokenOf(HttpCaller caller) {
    String header = caller.header("Authorization");
    return header != null && header.regionMatches(true, 0, BEARER, 0, BEARER.length())
        ? header.substring(BEARER.length()).strip()
        : caller.queryParameter("access_token");
  }

  /**
   * Runs a broker with two tenants until the process is terminated, and says how to see one's list.
   *
   * @param args the port; 8080 if there is none
   */
  public static void main(String[] args) throws Exception {
    Program.run(
        program -> {
          byte[] secret = new byte[32];
          new SecureRandom().nextBytes(secret);
          InstantSource clock = InstantSource.system();
          Broker broker = broker(new TokenInQuery(secret, clock));
          int port = args.length > 0 ? Integer.parseInt(args[0]) : 8080;
          var server = new JettyServer("127.0.0.1", port, Duration.ofSeconds(15), site(broker));
          program.serve(
              server,
              broker::close,
              address -> {
                System.out.println("listening on " + address);
                for (String tenant : List.of("red", "blue")) {
                  // An hour, to try it by hand.
                  String token = token(secret, tenant, Duration.ofHours(1), clock);
                  System.out.println(tenant + ": " + address + "broker/list?access_token=" + token);
                }
              });
        });
  }

  static Broker broker(AccessPolicy policy) {
    // With the key, so that knowing a channel's id is not enough to host on it.
    return Broker.builder().requireSessionKey(true).accessPolicy(policy).build();
  }

  /** The broker at {@code /broker}, and nothing else. */
  static ServletContextHandler site(Broker broker) {
    var site = new ServletContextHandler("/");
    var servlet = new ServletHolder(new BrokerServlet(broker));
    servlet.setAsyncSupported(true);
    site.addServlet(servlet, "/broker/*");
    return site;
  }
}
