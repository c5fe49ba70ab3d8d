package io.peerbroker.peerjs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.peerbroker.core.AccessPolicy;
import io.peerbroker.core.Broker;
import io.peerbroker.core.Caller;
import io.peerbroker.core.Channel;
import io.peerbroker.core.ChannelOptions;
import io.peerbroker.core.Json;
import io.peerbroker.core.Message;
import io.peerbroker.core.Scope;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.core.TagFilter;
import io.peerbroker.servlet.HttpCaller;
import io.peerbroker.servlet.HttpSettings;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireResponse;
import io.peerbroker.tck.WireSocket;
import java.net.URI;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What an application may decide, over real connections; the defaults are in PeerJsRules. */
final class PeerJsServletTest {

  private static final String OPEN = "{\"type\":\"OPEN\"}";
  private static final String ELSEWHERE = "Origin: https://elsewhere.example\r\n";

  private @Nullable JettyServer server;
  private @Nullable Broker broker;

  @AfterEach
  void close() {
    if (broker != null) {
      broker.close();
    }
    if (server != null) {
      server.close();
    }
  }

  private URI start(@Nullable Broker given, PeerJsSettings settings) throws Exception {
    broker = given;
    server =
        JettyServer.start(
            given == null ? new PeerJsServlet(settings) : new PeerJsServlet(given, settings));
    return server.base();
  }

  private static WireResponse fetch(URI base, String path, String... headers) {
    try (WireClient http = new WireClient(base)) {
      return http.get(path, headers);
    }
  }

  private static @Nullable String first(URI base, String query, String headers) {
    try (WireSocket socket = WireSocket.openAt(base, "/peerjs?" + query, headers)) {
      int status = socket.answer().status();
      return status == 101 ? socket.nextText() : "refused with " + status;
    }
  }

  @Test
  @DisplayName("A key that is set must be shown, and is not checked over HTTP.")
  void key() throws Exception {
    URI base = start(Broker.create(), PeerJsSettings.defaults().withKey("ours"));
    assertThat(first(base, "key=peerjs&id=ada&token=1", ""))
        .isEqualTo("{\"type\":\"ERROR\",\"payload\":{\"msg\":\"Invalid key provided\"}}");
    assertThat(first(base, "key=ours&id=ada&token=1", "")).isEqualTo(OPEN);
    assertThat(fetch(base, "/peerjs/id").status()).isEqualTo(200);
  }

  @Test
  @DisplayName("Origins in the list have answers and WebSockets, others have none.")
  void origins() throws Exception {
    HttpSettings http = HttpSettings.defaults().withAllowedOrigins("https://elsewhere.example");
    URI base = start(Broker.create(), PeerJsSettings.defaults().withHttp(http));
    WireResponse answer = fetch(base, "/peerjs/id", "Origin: https://elsewhere.example");
    assertThat(answer.header("Access-Control-Allow-Origin")).isEqualTo("https://elsewhere.example");
    assertThat(answer.headerList("Vary")).contains("origin");
    WireResponse other = fetch(base, "/peerjs/id", "Origin: https://other.example");
    assertThat(other.header("Access-Control-Allow-Origin")).isNull();
    assertThat(first(base, "key=peerjs&id=ada&token=1", ELSEWHERE)).isEqualTo(OPEN);
    assertThat(first(base, "key=peerjs&id=bob&token=1", "Origin: https://other.example\r\n"))
        .isEqualTo("refused with 403");
  }

  @Test
  @DisplayName("With a star, all origins have answers and WebSockets.")
  void star() throws Exception {
    HttpSettings http = HttpSettings.defaults().withAllowedOrigins("*");
    URI base = start(Broker.create(), PeerJsSettings.defaults().withHttp(http));
    WireResponse answer = fetch(base, "/", "Origin: https://elsewhere.example");
    assertThat(answer.header("Access-Control-Allow-Origin")).isEqualTo("*");
    assertThat(first(base, "key=peerjs&id=ada&token=1", ELSEWHERE)).isEqualTo(OPEN);
  }

  @Test
  @DisplayName("Settings that cannot work are refused, with what to do, in whatever order.")
  void impossible() {
    PeerJsSettings defaults = PeerJsSettings.defaults();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> defaults.withKey(""))
        .withMessageContaining("leave withKey out");
    PeerJsSettings untagged = defaults.withDiscovery(true);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new PeerJsServlet(untagged))
        .withMessageContaining("withTag(");
    Broker own = Broker.create();
    broker = own;
    assertThatIllegalArgumentException().isThrownBy(() -> new PeerJsServlet(own, untagged));
    assertThat(new PeerJsServlet(own, untagged.withTag("peerjs"))).isNotNull();
  }

  @Test
  @DisplayName("Who decides about ids sees the handshake, also without an access policy.")
  void idPolicySeesHandshake() throws Exception {
    IdPolicy ids =
        (caller, id) -> {
          if (!"1".equals(((HttpCaller) caller).queryParameter("token"))) {
            throw AccessPolicy.denied("Another token, please.");
          }
        };
    URI base = start(Broker.create(), PeerJsSettings.defaults().withIds(ids));
    assertThat(first(base, "key=peerjs&id=ada&token=1", "")).isEqualTo(OPEN);
    assertThat(first(base, "key=peerjs&id=ada&token=2", "")).contains("Another token, please.");
  }

  @Test
  @DisplayName("A head that is too large for the policy is refused as that.")
  void largeHead() throws Exception {
    Broker own = Broker.builder().accessPolicy(new AccessPolicy() {}).build();
    URI base = start(own, PeerJsSettings.defaults().withTag("page").withDiscovery(true));
    String large = "X-Large: " + "x".repeat(17_000);
    WireResponse list = fetch(base, "/peerjs/peers", large);
    assertThat(list.status()).isEqualTo(413);
    assertThat(list.body()).contains("at most 16384 characters");
    assertThat(first(base, "key=peerjs&id=ada&token=1", large + "\r\n"))
        .isEqualTo("refused with 413");
    assertThat(first(base, "key=peerjs&id=ada&token=1", "")).isEqualTo(OPEN);
  }

  @Test
  @DisplayName("Ids may be listed: those of PeerJS clients that the caller may see.")
  void discovery() throws Exception {
    AccessPolicy policy =
        new AccessPolicy() {
          @Override
          public Scope scope(Caller caller, TagFilter filter) {
            String secret = ((HttpCaller) caller).queryParameter("secret");
            return secret == null ? Scope.all() : Scope.of(TagFilter.parse("none"));
          }
        };
    Broker own = Broker.builder().accessPolicy(policy).build();
    URI base = start(own, PeerJsSettings.defaults().withTag("page").withDiscovery(true));
    Channel other = own.openChannel((channel, message) -> {});
    var unused =
        other.openSession(
            SessionSpec.listed("page").withMetadata(Json.parse("{\"peerjs\":\"eve\"}")));
    try (WireSocket ada = WireSocket.openAt(base, "/peerjs?key=k&id=ada&token=1", "")) {
      assertThat(ada.nextText()).isEqualTo(OPEN);
      WireResponse list = fetch(base, "/peerjs/peers");
      assertThat(list.status()).isEqualTo(200);
      assertThat(list.body()).isEqualTo("[\"ada\"]");
      assertThat(fetch(base, "/peerjs/peers?secret=1").body()).isEqualTo("[]");
    }
  }

  @Test
  @DisplayName("The policy is asked about channels, sessions and messages, with the handshake.")
  void policy() throws Exception {
    AccessPolicy policy =
        new AccessPolicy() {
          @Override
          public void open(Caller caller, ChannelOptions options) {
            if ("stranger".equals(((HttpCaller) caller).queryParameter("token"))) {
              throw AccessPolicy.denied("No strangers.");
            }
          }

          @Override
          public SessionSpec host(Caller caller, Channel channel, SessionSpec spec) {
            if ("guest".equals(((HttpCaller) caller).queryParameter("token"))) {
              throw AccessPolicy.denied("No guests.");
            }
            return spec;
          }

          @Override
          public void send(Caller caller, Message message) {
            if (message.json().toString().contains("secret")) {
              throw AccessPolicy.denied("No secrets.");
            }
          }
        };
    URI base =
        start(
            Broker.builder().accessPolicy(policy).build(),
            PeerJsSettings.defaults().withTag("page"));
    assertThat(first(base, "key=peerjs&id=ada&token=guest", ""))
        .isEqualTo("{\"type\":\"ERROR\",\"payload\":{\"msg\":\"No guests.\"}}");
    assertThat(first(base, "key=peerjs&id=ada&token=stranger", ""))
        .isEqualTo("{\"type\":\"ERROR\",\"payload\":{\"msg\":\"No strangers.\"}}");
    try (WireSocket ada = WireSocket.openAt(base, "/peerjs?key=k&id=ada&token=1", "")) {
      assertThat(ada.nextText()).isEqualTo(OPEN);
      ada.send("{\"type\":\"OFFER\",\"dst\":\"ada\",\"payload\":\"secret\"}");
      assertThat(ada.nextText()).isEqualTo("{\"type\":\"EXPIRE\",\"src\":\"ada\",\"dst\":\"ada\"}");
      ada.send("{\"type\":\"OFFER\",\"dst\":\"ada\",\"payload\":1}");
      assertThat(ada.nextText()).contains("\"OFFER\"");
    }
  }

  @Test
  @DisplayName("A broker that is full tells a client so.")
  void full() throws Exception {
    URI base = start(Broker.builder().maxChannels(1).build(), PeerJsSettings.defaults());
    try (WireSocket ada = WireSocket.openAt(base, "/peerjs?key=k&id=ada&token=1", "")) {
      assertThat(ada.nextText()).isEqualTo(OPEN);
      assertThat(first(base, "key=peerjs&id=bob&token=1", "")).contains("ERROR", "full");
    }
  }

  @Test
  @DisplayName("Without a broker a request fails, and says what is missing.")
  void noBroker() throws Exception {
    URI base = start(null, PeerJsSettings.defaults());
    WireResponse failed = fetch(base, "/peerjs/id");
    assertThat(failed.status()).isEqualTo(500);
    assertThat(failed.body()).contains("There is no broker.");
  }
}
