package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.AccessPolicy;
import io.peerbroker.core.Broker;
import io.peerbroker.core.Caller;
import io.peerbroker.core.Channel;
import io.peerbroker.core.ChannelOptions;
import io.peerbroker.core.Message;
import io.peerbroker.core.Scope;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.core.SessionUpdate;
import io.peerbroker.core.TagFilter;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.SseStream;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireConnection;
import io.peerbroker.tck.WireResponse;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import java.security.Principal;
import java.util.Collection;
import java.util.EnumSet;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.eclipse.jetty.servlet.FilterHolder;
import org.eclipse.jetty.servlet.ServletHolder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** An application that knows its users, and decides by that what each may do. */
final class AdmissionTest {

  /** The callers that the policy has seen. */
  private final Queue<HttpCaller> callers = new ConcurrentLinkedQueue<>();

  /**
   * The users, who may do everything; the sessions that they may not see; and the user with another
   * scope.
   */
  private final Set<String> users = ConcurrentHashMap.newKeySet();

  private final Set<String> hidden = ConcurrentHashMap.newKeySet();
  private volatile TagFilter filter = TagFilter.all();

  private final Broker broker = Broker.builder().accessPolicy(new Policy()).build();
  private final JettyServer server;
  private final WireClient client;

  AdmissionTest() throws Exception {
    server =
        JettyServer.start(new ServletHolder(new BrokerServlet(broker)), ServerSettings.DEFAULTS);
    Filter login =
        (request, response, chain) ->
            chain.doFilter(new Login((HttpServletRequest) request), response);
    FilterHolder holder = new FilterHolder(login);
    holder.setAsyncSupported(true);
    server.context().addFilter(holder, "/*", EnumSet.of(DispatcherType.REQUEST));
    client = new WireClient(server.base());
    users.add("ada");
  }

  @AfterEach
  void stop() {
    client.close();
    broker.close();
    server.close();
  }

  /** As a filter of a security framework does: the user is in a header that the proxy has set. */
  private static final class Login extends HttpServletRequestWrapper {

    Login(HttpServletRequest request) {
      super(request);
    }

    @Override
    public Principal getUserPrincipal() {
      String user = getHeader("X-User");
      return user == null ? null : () -> user;
    }
  }

  private final class Policy implements AccessPolicy {

    private void check(Caller caller) {
      callers.add((HttpCaller) caller);
      Principal user = caller.principal();
      if (user == null || !users.contains(user.getName())) {
        throw AccessPolicy.denied("Log in first.");
      }
    }

    @Override
    public void open(Caller caller, ChannelOptions options) {
      check(caller);
    }

    @Override
    public SessionSpec host(Caller caller, Channel channel, SessionSpec spec) {
      check(caller);
      return spec;
    }

    @Override
    public void send(Caller caller, Message message) {
      check(caller);
    }

    @Override
    public Scope scope(Caller caller, TagFilter asked) {
      check(caller);
      return Scope.of(filter).where(session -> session.tags().stream().noneMatch(hidden::contains));
    }
  }

  private static void assertDenied(WireResponse response) {
    assertThat(response.status()).isEqualTo(403);
    assertThat(response.mediaType()).isEqualTo("application/problem+json");
    assertThat(response.member("code")).isEqualTo("denied");
    assertThat(response.member("detail")).isEqualTo("Log in first.");
  }

  @Test
  void whoHasLoggedInIsLetIn() {
    assertDenied(client.get("/list"));
    assertDenied(client.get("/list", "X-User: eve"));
    assertThat(client.get("/list", "X-User: ada").status()).isEqualTo(200);
    WireChannel channel = client.openChannel("X-User: ada");
    assertDenied(channel.send(channel.cid(), "1"));
    // Rights are those of the request's sender, not of the channel's opener.
    users.clear();
    WireResponse late =
        client.postJson("/send/" + channel.cid(), channel.sendBody("1"), "X-User: ada");
    assertDenied(late);
    assertThat(channel.ping().status()).isEqualTo(200);
    assertThat(channel.close().status()).isEqualTo(200);
  }

  @Test
  void aPolicyIsToldWhatTheRequestSaid() {
    client
        .openChannelAt(
            "/channel?access_token=a%2Bb&resume=0",
            "X-User: ada", "Origin: https://app.example", "Cookie: sid=\"x\"; other=y")
        .close();
    HttpCaller caller = callers.remove();
    assertThat(caller.principal().getName()).isEqualTo("ada");
    assertThat(caller.remoteAddress()).isEqualTo("127.0.0.1");
    assertThat(caller.header("accept")).isEqualTo("text/event-stream");
    assertThat(caller.queryParameter("access_token")).isEqualTo("a+b");
    assertThat(caller.cookie("other")).isEqualTo("y");
    assertThat(caller.cookie("sid")).isEqualTo("\"x\"");
    assertThat(caller.origin()).isEqualTo("https://app.example");
    assertThat(caller).hasToString("HttpCaller[127.0.0.1, logged in]");
  }

  @Test
  void aBodyMayComeLaterThanItsCaller() {
    WireChannel channel = client.openChannel("X-User: ada");
    String body = channel.sendBody("1");
    try (WireConnection connection = client.connect()) {
      connection.write(
          client.head(
              "POST",
              "/send/" + channel.cid(),
              "X-User: ada",
              "Content-Type: application/json",
              "Content-Length: " + body.length()));
      connection.write(body.substring(0, 10));
      // The request is being served, and waits for the rest, when this one is answered.
      assertThat(channel.ping().status()).isEqualTo(200);
      connection.write(body.substring(10));
      assertThat(connection.readResponse(false).status()).isEqualTo(200);
    }
    assertThat(channel.awaitMessage().get("message").getAsInt()).isEqualTo(1);
  }

  @Test
  @Tag("A8")
  @DisplayName(
      "A session that becomes hidden is removed from a watch, and one that becomes "
          + "visible is added.")
  void whatMayBeSeenChanges() {
    WireChannel channel = client.openChannel("X-User: ada");
    String a = host(channel, "a");
    String b = host(channel, "b");
    SseStream stream = client.watch("", "X-User: ada");
    stream.await("ready");
    hidden.add("b");
    broker.recheck();
    assertThat(stream.await("remove").data()).contains(b);
    hidden.add("a");
    hidden.remove("b");
    broker.recheck();
    assertThat(stream.await("remove").data()).contains(a);
    assertThat(stream.await("add").data()).contains(b);
    // It shows at the next change even without that.
    hidden.add("b");
    assertThat(broker.findChannel(b).session(b).tags()).containsExactly("b");
    broker.findChannel(b).session(b).update(SessionUpdate.nothing().withTags("b", "c"));
    assertThat(stream.await("remove").data()).contains(b);
  }

  private String host(WireChannel channel, String tag) {
    return broker.findChannel(channel.cid()).openSession(SessionSpec.listed(tag)).id();
  }

  @Test
  @Tag("A8")
  @Tag("C17")
  @DisplayName("A watch whose caller may see another part of it ends with scope_changed.")
  void theScopeChanges() {
    WireChannel channel = client.openChannel("X-User: ada");
    host(channel, "a");
    String b = host(channel, "b");
    SseStream stream = client.watch("", "X-User: ada");
    stream.await("ready");
    filter = TagFilter.requiring("b");
    broker.recheck();
    assertThat(stream.await("close").data()).isEqualTo("{\"reason\":\"scope_changed\"}");
    stream.awaitEnd();
    SseStream back = client.watch("", "X-User: ada");
    assertThat(back.next().data()).contains(b);
    assertThat(back.next().name()).isEqualTo("ready");
    users.clear();
    broker.recheck();
    assertThat(back.await("close").data()).isEqualTo("{\"reason\":\"scope_changed\"}");
    assertDenied(client.get("/list", "Accept: text/event-stream", "X-User: ada"));
  }

  @Test
  @Tag("C27")
  @DisplayName(
      "A login's channels are found and revoked; without a policy nothing more is asked about it.")
  void aLoginsChannelsAreRevoked() throws Exception {
    try (Broker open = Broker.create();
        JettyServer free =
            JettyServer.start(new ServletHolder(new BrokerServlet(open)), ServerSettings.DEFAULTS);
        WireClient anybody = new WireClient(free.base())) {
      Filter nosy =
          (request, response, chain) ->
              chain.doFilter(
                  new HttpServletRequestWrapper((HttpServletRequest) request) {
                    @Override
                    public Principal getUserPrincipal() {
                      if (!getRequestURI().endsWith("/channel")) {
                        throw new AssertionError("A caller was made");
                      }
                      return () -> "ada";
                    }
                  },
                  response);
      FilterHolder holder = new FilterHolder(nosy);
      holder.setAsyncSupported(true);
      free.context().addFilter(holder, "/*", EnumSet.of(DispatcherType.REQUEST));
      WireChannel channel = anybody.openChannel();
      channel.listSession("\"a\"");
      assertThat(channel.send(channel.cid(), "1").status()).isEqualTo(200);
      anybody.watch("").await("ready");
      assertThat(anybody.get("/list").status()).isEqualTo(200);
      assertThat(open.channelsOf("ada")).extracting(Channel::id).containsExactly(channel.cid());
      assertThat(open.findChannel(channel.cid()).owner()).isEqualTo("ada");
      open.channelsOf("ada").forEach(Channel::revoke);
      assertThat(channel.stream().await("close").data()).isEqualTo("{\"reason\":\"revoked\"}");
      assertThat(channel.send(channel.cid(), "1").status()).isEqualTo(404);
    }
  }

  @Test
  void theApplicationsServletActsForItsCallers() {
    assertThat(callers).isEmpty();
    client.get("/list", "X-User: ada");
    HttpCaller ada = callers.remove();
    Collection<?> seen = broker.forCaller(ada).list(TagFilter.all()).sessions();
    assertThat(seen).isEmpty();
    assertThat(callers).containsExactly(ada);
  }
}
