package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.peerbroker.core.Refusal.Code;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The STUN and TURN servers that clients get. */
final class IceServersTest {

  @RegisterExtension final BrokerLog log = new BrokerLog();

  private @Nullable Broker broker;

  @AfterEach
  void nothingIsLeft() {
    if (broker != null) {
      broker.close();
      LeakAssert.assertNone(broker);
    }
  }

  private Broker open(IceServers servers) {
    Broker opened = Broker.builder().timer(new ManualTimer()).iceServers(servers).build();
    broker = opened;
    return opened;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "stun:example.org",
        "stuns:example.org:5349",
        "turn:example.org",
        "turn:203.0.113.9:3478?transport=udp",
        "turns:[2001:db8::1]:443?transport=tcp"
      })
  void urls(String url) {
    assertThat(IceServer.turn("user", "word", url).urls()).containsExactly(url);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "example.org",
        "http:example.org",
        "Turn:example.org",
        "turn:",
        "turn:?transport=udp",
        "turn://example.org",
        "turn:user:word@example.org",
        "turn:example.org?transport=sctp",
        "stun:example.org?transport=udp",
        "turn:example.org\nx",
        "turn::::",
        "turn:example.org:99999",
        "turn:example.org:x",
        "turn:[2001:db8::1",
        "turn:example.org/x",
        "turn:example.org#x"
      })
  void otherUrls(String url) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> IceServer.turn("user", "word", url))
        .withMessageContaining("turn:example.org:3478?transport=udp");
  }

  @Test
  @DisplayName("A TURN server has a username and a credential, and no text shows them.")
  void credentials() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> IceServer.of("stun:a.example", "turn:a.example"))
        .withMessageContaining("turn:a.example");
    List<String> urls = List.of("stun:a.example");
    assertThatIllegalArgumentException().isThrownBy(() -> new IceServer(urls, "user", null));
    assertThatIllegalArgumentException().isThrownBy(() -> new IceServer(urls, null, "word"));
    assertThatIllegalArgumentException().isThrownBy(IceServer::of);
    IceServer server = IceServer.turn("USER", "WORD", "turn:a.example");
    IceConfiguration ice = new IceConfiguration(List.of(server), Duration.ZERO);
    Event opened = new Event.Opened("cid", "key", Duration.ZERO, Duration.ZERO, ice);
    Request ask = new Request.AskIceServers(Request.Actor.of("cid").withKey("KEY"));
    for (Object shown : List.of(server, ice, opened, new Answer.IceServersGiven(ice), ask)) {
      assertThat(shown.toString())
          .doesNotContain("USER")
          .doesNotContain("WORD")
          .doesNotContain("K");
    }
    assertThat(opened.size())
        .isGreaterThan(
            new Event.Opened("cid", "key", Duration.ZERO, Duration.ZERO, IceConfiguration.none())
                .size());
  }

  @Test
  @Tag("I4")
  @DisplayName("Credentials that run out are those of the TURN REST API.")
  void timeLimited() {
    Instant now = Instant.ofEpochSecond(1_800_000_000L);
    IceServers servers =
        new TimeLimitedIceServers(
            "north",
            Duration.ofDays(1),
            List.of("turn:a.example", "stun:b.example", "turns:a.example"),
            () -> now);
    IceConfiguration ice = servers.forCaller(Caller.trusted());
    assertThat(ice.ttl()).isEqualTo(Duration.ofDays(1));
    assertThat(ice.servers()).hasSize(2);
    assertThat(ice.servers().get(0)).isEqualTo(IceServer.of("stun:b.example"));
    IceServer turn = ice.servers().get(1);
    assertThat(turn.urls()).containsExactly("turn:a.example", "turns:a.example");
    assertThat(turn.username()).matches("1800086400:[0-9a-z]+");
    // Another word each time, so that a TURN server can tell callers apart.
    assertThat(servers.forCaller(Caller.trusted()).servers().get(1).username())
        .isNotEqualTo(turn.username());
    assertThat(servers.toString()).doesNotContain("north");
    // printf 1800086400:ada | openssl dgst -sha1 -hmac north -binary | base64
    assertThat(
            new TimeLimitedIceServers("north", Duration.ofDays(1), List.of("turn:a"), () -> now)
                .credential("1800086400:ada"))
        .isEqualTo("S/NvgtasJET+rxpreu2BwNJu+hM=");
  }

  @Test
  void timeLimitedNeeds() {
    Duration day = Duration.ofDays(1);
    for (Duration wrong : List.of(Duration.ZERO, Duration.ofDays(31), Duration.ofMillis(90_500))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> IceServers.timeLimited("s", wrong, "turn:a"))
          .withMessageContaining("1 minute to 30 days");
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> IceServers.timeLimited("", day, "turn:a"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> IceServers.timeLimited("s", day, "stun:a"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> IceServers.timeLimited("s", day, "turn:"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new IceConfiguration(List.of(), Duration.ofMillis(1)));
  }

  @Test
  @Tag("I1")
  @Tag("I2")
  @Tag("I3")
  @DisplayName("Each caller gets its own, in the first event and whenever it asks.")
  void forCallers() {
    IceConfiguration direct = IceConfiguration.none();
    IceConfiguration relay =
        new IceConfiguration(
            List.of(IceServer.turn("user", "word", "turn:a.example")), Duration.ofHours(1));
    Broker opened = open(caller -> caller == Caller.trusted() ? direct : relay);
    Broker view = opened.forCaller(Caller.of(null));
    assertThat(opened.iceServers()).isEqualTo(direct);
    assertThat(view.iceServers()).isEqualTo(relay);
    AtomicReference<@Nullable Event> first = new AtomicReference<>();
    Channel channel = openRemote(view.gateway(), first);
    assertThat(((Event.Opened) Objects.requireNonNull(first.get())).ice()).isEqualTo(relay);
    Request.Actor actor = Request.Actor.of(channel.id()).withKey(channel.key());
    assertThat(
            view.gateway().perform(new Request.AskIceServers(actor)).toCompletableFuture().join())
        .isEqualTo(new Answer.IceServersGiven(relay));
  }

  @Test
  @Tag("I3")
  @DisplayName("What is refused has not happened, and servers that fail reveal nothing.")
  void refusalsAndFailures() {
    AtomicReference<RuntimeException> thrown =
        new AtomicReference<>(AccessPolicy.denied("Not you."));
    Broker opened =
        open(
            caller -> {
              throw thrown.get();
            });
    Gateway gateway = opened.forCaller(Caller.of(null)).gateway();
    assertRefused(gateway, Code.DENIED);
    thrown.set(new IllegalStateException("a secret"));
    assertRefused(gateway, Code.INTERNAL);
    log.assertHas(thrown.get());
    assertThat(opened.stats().channels()).isZero();
    Channel own = opened.openChannel((channel, message) -> {});
    Request ask = new Request.AskIceServers(Request.Actor.of(own.id()).withKey(own.key()));
    thrown.set(AccessPolicy.denied("Not you."));
    assertThat(gateway.perform(ask).toCompletableFuture().join())
        .isInstanceOf(Answer.Refused.class);
    assertThatExceptionOfType(RefusedException.class)
        .isThrownBy(opened.forCaller(Caller.of(null))::iceServers);
    assertThatExceptionOfType(RefusedException.class).isThrownBy(opened::iceServers);
    // One for the channel that was not opened.
    assertThat(opened.stats().callsRefused()).containsEntry(Code.DENIED, 4L);
  }

  private static void assertRefused(Gateway gateway, Code code) {
    AtomicReference<@Nullable Event> first = new AtomicReference<>();
    assertThatExceptionOfType(CompletionException.class)
        .isThrownBy(() -> openRemote(gateway, first))
        .satisfies(
            failed -> {
              RefusedException refused = (RefusedException) failed.getCause();
              assertThat(refused.refusal().code()).isEqualTo(code);
              assertThat(refused.refusal().detail()).doesNotContain("secret");
            });
    assertThat(first.get()).isNull();
  }

  private static Channel openRemote(Gateway gateway, AtomicReference<@Nullable Event> first) {
    return gateway
        .openChannel(
            ChannelOptions.none(),
            attachment -> {
              Envelope envelope = attachment.poll();
              first.set(envelope == null ? null : envelope.event());
              return new ReceiverTransport(
                  attachment, Runnable::run, null, event -> {}, reason -> {});
            })
        .toCompletableFuture()
        .join();
  }
}
