package io.peerbroker.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

import io.peerbroker.core.Broker;
import io.peerbroker.servlet.HttpSettings;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireResponse;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The filter before a real broker, over real sockets; its clock alone is moved by hand. */
class AddressLimitFilterTest {

  private static final int MANY = 1_000_000;

  private final Broker broker = Broker.create();
  private final AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 10);
  private ServletContextHandler site;
  private WireClient client;

  private void start(AddressLimitFilter filter) throws Exception {
    HttpSettings settings = HttpSettings.defaults().withHeartbeat(Duration.ofMillis(50));
    site = AddressLimitFilter.site(broker, settings, filter);
    var server = new JettyServer("127.0.0.1", 0, settings.heartbeat(), site);
    client = new WireClient(URI.create(server.start() + "broker"));
  }

  private AddressLimitFilter filter(
      int maxOpen, int perSecond, int burst, boolean behindProxy, int maxAddresses) {
    return new AddressLimitFilter(maxOpen, perSecond, burst, behindProxy, maxAddresses, clock::get);
  }

  @AfterEach
  void stop() throws Exception {
    broker.close();
    if (site != null) {
      client.close();
      site.getServer().stop();
    }
  }

  private int ask(String... headers) {
    return client.request("HEAD", "/list", headers).status();
  }

  private int askFrom(String addresses) {
    return ask("X-Forwarded-For: " + addresses);
  }

  @Test
  void aStreamThatEndsMakesRoomForItsAddress() throws Exception {
    start(filter(3, MANY, MANY, false, 10));
    WireChannel first = client.openChannel();
    client.openChannel();
    client.openChannel();
    WireResponse refused = client.get("/channel", "Accept: text/event-stream");
    assertThat(refused.status()).isEqualTo(429);
    assertThat(refused.member("code")).isEqualTo("rate_limited");
    assertThat(refused.mediaType()).isEqualTo("application/problem+json");
    assertThat(refused.header("Retry-After")).isEqualTo("1");
    assertThat(ask()).isEqualTo(429);
    // A connection that breaks, which the heartbeat notices.
    first.stream().reset();
    awaitPlaceFor(this::ask);
    await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> client.openStream("/channel"));
    assertThat(ask()).isEqualTo(429);
  }

  @Test
  void requestsThatAreOverTakeNoRoom() throws Exception {
    start(filter(3, MANY, MANY, false, 10));
    WireChannel channel = client.openChannel();
    for (int i = 0; i < 5; i++) {
      awaitPlaceFor(() -> client.get("/nowhere").status());
      awaitPlaceFor(() -> channel.send("x", "1").status());
      awaitPlaceFor(() -> client.get("/list").status());
    }
    client.openChannel();
    awaitPlaceFor(() -> ask());
  }

  /** A request is over a moment after its client has the answer. */
  private static void awaitPlaceFor(Callable<Integer> request) {
    await()
        .pollInSameThread()
        .atMost(Duration.ofSeconds(10))
        .until(request, status -> status != 429);
  }

  @Test
  void anAddressMakesSoManyRequestsASecond() throws Exception {
    start(filter(100, 10, 3, false, 10));
    for (int i = 0; i < 3; i++) {
      assertThat(ask()).isEqualTo(200);
    }
    assertThat(ask()).isEqualTo(429);
    clock.addAndGet(Duration.ofMillis(100).toNanos() - 1);
    assertThat(ask()).isEqualTo(429);
    clock.incrementAndGet();
    assertThat(ask()).isEqualTo(200);
    assertThat(ask()).isEqualTo(429);
    clock.addAndGet(Duration.ofHours(1).toNanos());
    for (int i = 0; i < 3; i++) {
      assertThat(ask()).isEqualTo(200);
    }
    assertThat(ask()).isEqualTo(429);
  }

  @Test
  void withoutAProxyNobodyIsBelievedAboutAddresses() throws Exception {
    start(filter(100, 1, 2, false, 10));
    assertThat(askFrom("192.0.2.1")).isEqualTo(200);
    assertThat(askFrom("192.0.2.2")).isEqualTo(200);
    assertThat(askFrom("192.0.2.3")).isEqualTo(429);
  }

  @Test
  void behindAProxyWhatItHasAppendedCounts() throws Exception {
    start(filter(100, 1, 1, true, 10));
    assertThat(askFrom("192.0.2.1")).isEqualTo(200);
    assertThat(askFrom("192.0.2.9, 192.0.2.1")).isEqualTo(429);
    assertThat(askFrom("192.0.2.9, 192.0.2.8, 192.0.2.1")).isEqualTo(429);
    assertThat(ask("X-Forwarded-For: 192.0.2.8", "X-Forwarded-For: 192.0.2.1")).isEqualTo(429);
    assertThat(askFrom("192.0.2.1, 192.0.2.2")).isEqualTo(200);
    assertThat(ask()).isEqualTo(200);
    assertThat(askFrom("192.0.2.7, ")).isEqualTo(429);
  }

  @Test
  void aNetworkOfIpv6CountsAsOneAddress() throws Exception {
    start(filter(100, 1, 1, true, 10));
    assertThat(askFrom("2001:db8:0:1::5")).isEqualTo(200);
    assertThat(askFrom("2001:db8::1:a:b:c:d")).isEqualTo(429);
    assertThat(askFrom("[2001:DB8:0:1:ffff::]")).isEqualTo(429);
    assertThat(askFrom("2001:db8:0:2::5")).isEqualTo(200);
    assertThat(askFrom("::ffff:192.0.2.1")).isEqualTo(200);
    assertThat(askFrom("::ffff:192.0.2.2")).isEqualTo(200);
    // The same clients, whichever way they are written.
    assertThat(askFrom("192.0.2.1")).isEqualTo(429);
    assertThat(askFrom("[::FFFF:c000:202]")).isEqualTo(429);
    assertThat(askFrom("192.0.2.2")).isEqualTo(429);
    // No addresses, and nothing to be looked up either.
    assertThat(askFrom("no:address")).isEqualTo(200);
    assertThat(askFrom("[")).isEqualTo(200);
    assertThat(askFrom("[:")).isEqualTo(200);
    assertThat(askFrom("x".repeat(4_000))).isEqualTo(200);
  }

  @Test
  void thoseForWhomThereIsNoRoomShareOneAllowance() throws Exception {
    start(filter(100, 1, 2, true, 2));
    assertThat(askFrom("192.0.2.1")).isEqualTo(200);
    assertThat(askFrom("192.0.2.2")).isEqualTo(200);
    assertThat(askFrom("192.0.2.3")).isEqualTo(200);
    assertThat(askFrom("192.0.2.4")).isEqualTo(200);
    assertThat(askFrom("192.0.2.5")).isEqualTo(429);
    assertThat(askFrom("192.0.2.1")).isEqualTo(200);
    // An address that has long been absent makes room.
    clock.addAndGet(Duration.ofSeconds(2).toNanos());
    assertThat(askFrom("192.0.2.6")).isEqualTo(200);
    assertThat(askFrom("192.0.2.7")).isEqualTo(200);
    assertThat(askFrom("192.0.2.6")).isEqualTo(200);
    assertThat(askFrom("192.0.2.6")).isEqualTo(429);
    assertThat(askFrom("192.0.2.7")).isEqualTo(200);
    assertThat(askFrom("192.0.2.7")).isEqualTo(429);
  }

  @Test
  void boundsThatMakeNoSenseAreRefused() {
    for (int[] wrong : new int[][] {{0, 1, 1}, {1, 0, 1}, {1, 1, 0}, {1, MANY + 1, 1}}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new AddressLimitFilter(wrong[0], wrong[1], wrong[2], false))
          .withMessageContaining("at least 1");
    }
  }
}
