package io.peerbroker.tck;

import static io.peerbroker.tck.WireChannel.data;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.tck.EventStreamParser.Event;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules of section R for clients that promise to be heard from. */
public abstract class LeaseRules extends ServerRules {

  private static final ServerSettings SHORT =
      ServerSettings.of("leaseBounds", "1s/300s").and("heartbeat", "200ms");

  /** How much later than its lease a silence may be noticed on a busy machine. */
  private static final Duration SLACK = Duration.ofSeconds(5);

  /** For subclasses. */
  protected LeaseRules() {}

  @Test
  @Tag("R12")
  @DisplayName("A lease is brought within 15 s and 300 s, and reported.")
  void aLeaseIsGranted() {
    assertThat(granted("lease=1")).isEqualTo(15);
    assertThat(granted("lease=090")).isEqualTo(90);
    assertThat(granted("lease=300")).isEqualTo(300);
    assertThat(granted("lease=301")).isEqualTo(300);
    assertThat(granted("lease=99999999999999999999")).isEqualTo(300);
    WireChannel both = client().openChannelAt("/channel?lease=90&resume=30");
    Event opened = both.stream().events().get(0);
    assertThat(data(opened).keySet())
        .containsExactlyInAnyOrder("cid", "key", "resume", "lease", "heartbeat");
  }

  @Test
  @Tag("R12")
  @DisplayName("The bounds can be set.")
  void theBoundsCanBeSet() {
    client(ServerSettings.of("leaseBounds", "20s/2m"));
    assertThat(granted("lease=1")).isEqualTo(20);
    assertThat(granted("lease=200")).isEqualTo(120);
  }

  @Test
  @Tag("R12")
  @Tag("C20")
  @DisplayName("A maximum of 0 turns the feature off.")
  void leasesCanBeTurnedOff() {
    client(ServerSettings.of("leaseBounds", "0s"));
    WireChannel channel = client().openChannelAt("/channel?lease=1");
    assertThat(data(channel.stream().events().get(0)).keySet())
        .containsExactlyInAnyOrder("cid", "key", "heartbeat");
  }

  @Test
  @Tag("R13")
  @DisplayName("Every request with the key renews the lease, and so does coming back.")
  void everyRequestCounts() {
    client(SHORT);
    WireChannel other = client().openChannel();
    List<Function<WireChannel, Supplier<WireResponse>>> kinds =
        List.of(
            channel -> channel::ping,
            channel -> () -> channel.send(other.cid(), "1"),
            channel -> () -> channel.postSession(""),
            channel -> {
              String sid = channel.createSession("");
              return () -> channel.update(sid, "\"tags\":[\"a\"]");
            },
            channel -> {
              String sid = channel.createSession("");
              return () -> channel.closeSession(sid);
            },
            channel -> () -> channel.comeBack().head());
    List<WireChannel> channels = new ArrayList<>();
    List<Supplier<WireResponse>> requests = new ArrayList<>();
    for (Function<WireChannel, Supplier<WireResponse>> kind : kinds) {
      WireChannel channel = client().openChannelAt("/channel?lease=2&resume=60");
      channels.add(channel);
      requests.add(kind.apply(channel));
    }
    // After two of these, the time before the request is longer ago than the lease.
    pause(other.stream());
    requests.forEach(request -> assertThat(request.get().status()).isIn(200, 201));
    pause(other.stream());
    channels.forEach(channel -> assertSent(other.send(channel.cid(), "1")));
  }

  @Test
  @Tag("R13")
  @DisplayName(
      "A request that is refused for its key does not count, nor does one for another channel.")
  void otherRequestsDoNotCount() {
    client(SHORT);
    WireChannel other = client().openChannel();
    WireChannel channel = client().openChannelAt("/channel?lease=2");
    String path = "/channel/" + channel.cid() + "/ping";
    String wrong = "{\"key\":\"" + other.key() + "\"}";
    await()
        .atMost(WireConnection.BOUND)
        .until(
            () -> {
              other.ping();
              return client().postJson(path, wrong).status() == 404;
            });
    channel.stream().awaitEnd();
  }

  @Test
  @Tag("R14")
  @DisplayName("A ping does nothing, and needs the key.")
  void aPingNeedsTheKey() {
    for (String query : List.of("", "?resume=60&lease=60")) {
      WireChannel channel = client().openChannelAt("/channel" + query);
      String path = "/channel/" + channel.cid() + "/ping";
      String other = "{\"key\":\"" + client().openChannel().key() + "\"}";
      assertThat(channel.ping().status()).isEqualTo(200);
      assertRefused(client().postJson(path, "{}"), 400, "invalid_request", "key");
      assertRefused(client().postJson(path, other), 403, "wrong_key");
      String unknown = "/channel/00000000-0000-4000-8000-000000000000/ping";
      assertRefused(client().postJson(unknown, other), 404, "unknown_channel");
      String session = "/channel/" + channel.createSession("") + "/ping";
      String key = "{\"key\":\"" + channel.key() + "\"}";
      assertRefused(client().postJson(session, key), 404, "unknown_channel");
      assertSent(channel.send(channel.cid(), "1"));
      channel.awaitMessage();
      assertThat(channel.stream().events()).hasSize(2);
      channel.close();
      assertRefused(channel.ping(), 404, "unknown_channel");
    }
  }

  @Test
  @Tag("R15")
  @DisplayName("A silence longer than the lease closes a channel without a grant, on time.")
  void aSilenceClosesTheChannel() {
    client(SHORT);
    SseStream list = client().watch("");
    list.await("ready");
    WireChannel channel = client().openChannelAt("/channel?lease=2");
    WireChannel without = client().openChannel();
    String sid = channel.listSession("");
    String other = without.listSession("");
    assertThat(channel.ping().status()).isEqualTo(200);
    long heard = System.nanoTime();
    Event removed = list.await("remove");
    Duration silence = Duration.ofNanos(System.nanoTime() - heard);
    assertThat(data(removed).get("sid").getAsString()).isEqualTo(sid);
    // Heard a little before the answer was read here.
    assertThat(silence).isBetween(Duration.ofMillis(1_700), Duration.ofMillis(2_000).plus(SLACK));
    channel.stream().awaitEnd();
    assertThat(channel.stream().events()).hasSize(1);
    assertThat(listed("")).containsExactly(other);
  }

  @Test
  @Tag("R15")
  @Tag("R3")
  @DisplayName("A silence longer than the lease begins the grace, and the client comes back.")
  void aSilenceBeginsTheGrace() {
    client(SHORT);
    WireChannel sender = client().openChannel();
    WireChannel channel = client().openChannelAt("/channel?lease=1&resume=60");
    String sid = channel.listSession("");
    channel.stream().awaitEnd();
    assertThat(channel.stream().events()).as("no farewell").hasSize(1);
    awaitQueued(sender, sid, "1");
    assertThat(listed("")).containsExactly(sid);
    SseStream back = channel.comeBack();
    assertThat(data(back.next()).get("message").getAsInt()).isEqualTo(1);
    // The lease stands too.
    back.awaitEnd();
    awaitQueued(sender, sid, "2");
  }

  /**
   * Sends until no reader is left: the client may see the end of a stream before the broker does.
   */
  private static void awaitQueued(WireChannel sender, String sid, String message) {
    await()
        .atMost(WireConnection.BOUND)
        .until(() -> sender.send(sid, message).member("delivery").equals("queued"));
  }

  private long granted(String query) {
    WireChannel channel = client().openChannelAt("/channel?" + query);
    Event opened = channel.stream().events().get(0);
    assertThat(data(opened).keySet()).containsExactlyInAnyOrder("cid", "key", "lease", "heartbeat");
    return data(opened).get("lease").getAsLong();
  }

  /** Lets somewhat more than a second pass, on a stream with five heartbeats a second. */
  private static void pause(SseStream stream) {
    long begin = System.nanoTime();
    do {
      stream.awaitComments(stream.comments().size() + 1);
    } while (System.nanoTime() - begin < 1_100_000_000L);
  }
}
