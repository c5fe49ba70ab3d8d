package io.peerbroker.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;
import io.peerbroker.core.Broker;
import io.peerbroker.tck.EventStreamParser.Event;
import io.peerbroker.tck.SseStream;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireResponse;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Tokens good and bad, over real sockets; the clock alone is moved by hand. */
class TokenInQueryTest {

  private static final String STREAM = "Accept: text/event-stream";
  private static final byte[] SECRET = secret(1);

  private final AtomicReference<Instant> clock =
      new AtomicReference<>(Instant.parse("2026-11-22T12:00:00Z"));
  private final Broker broker = TokenInQuery.broker(new TokenInQuery(SECRET, clock::get));
  private final ServletContextHandler site = TokenInQuery.site(broker);
  private WireClient client;

  @BeforeEach
  void start() throws Exception {
    var server = new JettyServer("127.0.0.1", 0, Duration.ofSeconds(15), site);
    client = new WireClient(URI.create(server.start() + "broker"));
  }

  @AfterEach
  void stop() throws Exception {
    broker.close();
    client.close();
    site.getServer().stop();
  }

  private static byte[] secret(int fill) {
    byte[] secret = new byte[32];
    Arrays.fill(secret, (byte) fill);
    return secret;
  }

  private String token(String tenant) throws Exception {
    return TokenInQuery.token(SECRET, tenant, Duration.ofMinutes(1), clock::get);
  }

  private String bearer(String tenant) throws Exception {
    return "Authorization: Bearer " + token(tenant);
  }

  private String query(String tenant) throws Exception {
    return "?access_token=" + token(tenant);
  }

  private JWTClaimsSet.Builder goodClaims() {
    return new JWTClaimsSet.Builder()
        .issuer("https://login.example.org")
        .audience("broker")
        .expirationTime(Date.from(clock.get().plusSeconds(60)))
        .claim("tenant", "red");
  }

  private static String signed(JWTClaimsSet.Builder claims, JWSAlgorithm algorithm, byte[] secret)
      throws Exception {
    var token = new SignedJWT(new JWSHeader(algorithm), claims.build());
    token.sign(new MACSigner(secret));
    return token.serialize();
  }

  private static String signed(JWTClaimsSet.Builder claims) throws Exception {
    return signed(claims, JWSAlgorithm.HS256, SECRET);
  }

  private String host(WireChannel channel, String tags, String tenant) throws Exception {
    String body =
        "{\"cid\":\"%s\",\"key\":\"%s\",\"list\":true,\"tags\":[%s]}"
            .formatted(channel.cid(), channel.key(), tags);
    WireResponse hosted = client.postJson("/session", body, bearer(tenant));
    assertThat(hosted.status()).as(hosted.body()).isEqualTo(201);
    return hosted.member("sid");
  }

  private WireResponse update(WireChannel channel, String sid, String tags, String... headers) {
    String body =
        "{\"cid\":\"%s\",\"key\":\"%s\",\"values\":{\"tags\":[%s]}}"
            .formatted(channel.cid(), channel.key(), tags);
    return client.postJson("/session/" + sid + "/update", body, headers);
  }

  private JsonArray list(String tenant) throws Exception {
    return client.get("/list" + query(tenant)).json().getAsJsonArray();
  }

  private static void assertDenied(WireResponse response) {
    assertThat(response.status()).as(response.body()).isEqualTo(403);
    assertThat(response.member("code")).isEqualTo("denied");
  }

  @Test
  void tenantsWhoseTagsWouldBeOneAreRefused() throws Exception {
    WireChannel red = client.openChannel(bearer("red"));
    host(red, "", "red");
    for (String name :
        List.of("red ", " red", "red\u2003", "red\n", "red,blue", "", "x".repeat(51))) {
      assertDenied(client.get("/list" + query(name)));
      assertDenied(client.get("/channel" + query(name), STREAM));
    }
    assertThat(list("Red")).isEmpty();
    assertThat(list("red")).hasSize(1);
  }

  @Test
  void tokensAreTakenFromTheQueryAndFromTheHeader() throws Exception {
    WireChannel byQuery = client.openChannelAt("/channel" + query("red"));
    WireChannel byHeader = client.openChannel(bearer("red"));
    host(byQuery, "\"a\"", "red");
    assertThat(client.get("/list", bearer("red")).json().getAsJsonArray()).hasSize(1);
    // A message goes by the key alone.
    assertThat(byHeader.send(byQuery.cid(), "1").status()).isEqualTo(200);
    assertThat(byQuery.awaitMessage().get("message").getAsInt()).isEqualTo(1);
  }

  @Test
  void withoutATokenNothingIsOpenedListedOrHosted() throws Exception {
    assertDenied(client.get("/channel", STREAM));
    assertDenied(client.get("/list"));
    assertDenied(client.get("/list", STREAM));
    assertDenied(client.get("/list", "Authorization: Basic cmVkOnJlZA=="));
    WireChannel channel = client.openChannelAt("/channel" + query("red"));
    assertDenied(channel.postSession("\"list\":true"));
    String sid = host(channel, "", "red");
    assertDenied(update(channel, sid, "\"a\""));
    assertThat(list("red").toString()).contains("\"tags\":[\"tenant:red\"]");
  }

  @Test
  void badTokensAreRefusedForStreamsAndPosts() throws Exception {
    WireChannel channel = client.openChannelAt("/channel" + query("red"));
    String good = signed(goodClaims());
    assertThat(client.get("/list?access_token=" + good).status()).isEqualTo(200);
    String[] parts = good.split("\\.", -1);
    String otherClaims =
        Base64.getUrlEncoder()
            .withoutPadding()
            .encodeToString(
                goodClaims().claim("tenant", "blue").build().toString().getBytes(UTF_8));
    byte[] longSecret = Arrays.copyOf(SECRET, 64);
    List<String> bad =
        List.of(
            "",
            "x",
            "..",
            "a.b.c.d.e",
            new PlainJWT(goodClaims().build()).serialize(),
            parts[0] + "." + parts[1] + ".",
            parts[0] + "." + otherClaims + "." + parts[2],
            new PlainJWT(goodClaims().build()).serialize() + parts[2],
            signed(goodClaims(), JWSAlgorithm.HS256, secret(2)),
            signed(goodClaims(), JWSAlgorithm.HS512, longSecret),
            signed(goodClaims().issuer("https://elsewhere.example.org")),
            signed(goodClaims().issuer(null)),
            signed(goodClaims().audience("mail")),
            signed(goodClaims().audience(List.of())),
            signed(goodClaims().expirationTime(null)),
            signed(goodClaims().expirationTime(Date.from(clock.get().minusSeconds(6)))),
            signed(goodClaims().notBeforeTime(Date.from(clock.get().plusSeconds(6)))),
            signed(goodClaims().claim("tenant", null)),
            signed(goodClaims().claim("tenant", " ")),
            signed(goodClaims().claim("tenant", List.of("red"))));
    String body = "{\"cid\":\"%s\",\"key\":\"%s\"}".formatted(channel.cid(), channel.key());
    for (String token : bad) {
      assertDenied(client.get("/channel?access_token=" + token, STREAM));
      assertDenied(client.get("/list?access_token=" + token, STREAM));
      assertDenied(client.get("/list?access_token=" + token));
      WireResponse refused =
          client.postJson("/session", body, "Authorization: Bearer " + token + " ");
      assertDenied(refused);
      if (token.length() > 1) {
        assertThat(refused.body()).doesNotContain(token);
      }
    }
    assertThat(broker.stats().channels()).isEqualTo(1);
  }

  @Test
  @DisplayName("An expired token opens nothing more, and what it has opened stays.")
  void anExpiredTokenOpensNothingMore() throws Exception {
    String query = query("red");
    WireChannel channel = client.openChannelAt("/channel" + query);
    clock.set(clock.get().plusSeconds(66));
    assertDenied(client.get("/channel" + query, STREAM));
    assertThat(channel.send(channel.cid(), "1").status()).isEqualTo(200);
    assertThat(channel.awaitMessage().get("message").getAsInt()).isEqualTo(1);
  }

  @Test
  @DisplayName("A watch ends at the next recheck once its token has expired.")
  void aWatchEndsOnceItsTokenHasExpired() throws Exception {
    SseStream old = client.watch(query("red"));
    old.await("ready");
    clock.set(clock.get().plusSeconds(66));
    SseStream young = client.watch(query("red"));
    young.await("ready");
    broker.recheck();
    assertThat(old.await("close").data()).contains("scope_changed");
    host(client.openChannel(bearer("red")), "", "red");
    assertThat(young.next().name()).isEqualTo("add");
  }

  @Test
  void noTenantSeesAnothersSessions() throws Exception {
    WireChannel channel = client.openChannel(bearer("red"));
    WireChannel other = client.openChannel(bearer("blue"));
    SseStream stream = client.watch(query("red"));
    stream.await("ready");
    String ofBlue = host(other, "\"chess\"", "blue");
    update(other, ofBlue, "\"chess\",\"tenant:red\"", bearer("blue"));
    String ofRed = host(channel, "\"chess\"", "red");
    for (String filter : List.of("", "chess", "tenant:blue", "!tenant:red")) {
      String listed = client.get("/list" + query("red") + "&filter=" + filter).body();
      assertThat(listed).doesNotContain(ofBlue);
      assertThat(listed.contains(ofRed)).isEqualTo(!filter.contains(":"));
    }
    assertThat(WireChannel.data(stream.await("add")).get("sid").getAsString()).isEqualTo(ofRed);
    assertThat(stream.events().stream().map(Event::data)).noneMatch(data -> data.contains(ofBlue));
  }

  @Test
  void clientsSetNoTagOfATenant() throws Exception {
    WireChannel channel = client.openChannel(bearer("red"));
    // White space and escapes are gone before the policy looks.
    String tags = "\"a\",\"tenant:blue\",\"\u00a0 tenant:blue\",\"\\u0074enant:blue\"";
    String sid = host(channel, tags, "red");
    assertThat(list("red").toString()).contains("\"tags\":[\"a\",\"tenant:red\"]");
    assertThat(update(channel, sid, tags + ",\"b\"", bearer("red")).status()).isEqualTo(200);
    assertThat(list("red").toString()).contains("\"tags\":[\"a\",\"b\",\"tenant:red\"]");
    assertThat(update(channel, sid, "", bearer("red")).status()).isEqualTo(200);
    assertThat(list("red").toString()).contains("\"tags\":[\"tenant:red\"]");
    assertThat(list("blue")).isEmpty();
  }
}
