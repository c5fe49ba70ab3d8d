package io.peerbroker.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.peerbroker.core.AccessPolicy;
import io.peerbroker.core.Broker;
import io.peerbroker.core.Caller;
import io.peerbroker.core.Channel;
import io.peerbroker.core.ChannelOptions;
import io.peerbroker.core.Message;
import io.peerbroker.core.Scope;
import io.peerbroker.core.Session;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.core.SessionUpdate;
import io.peerbroker.core.TagFilter;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.servlet.HttpCaller;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;

/**
 * The application knows its visitors by a cookie: how is a foreign page kept from using it?
 *
 * <p>A browser sends a cookie for any page that asks. So a foreign page can have the visitor's
 * browser open a channel, {@code new EventSource('https://shop.example.org/broker/channel',
 * {withCredentials: true})}, and the cookie goes along. CORS only keeps that page from reading the
 * answer; the channel is open all the same, in the visitor's name, and takes room. (A {@code POST}
 * of JSON it cannot even send, since the browser asks for permission first; it is checked here as
 * well, so that this does not hang on one setting.) A cookie with {@code SameSite=Lax} does not
 * help against pages of the same site, {@code blog.example.org} say, which may have another owner.
 *
 * <p>Browsers tell where a request comes from, in headers that no page can set: {@code
 * Sec-Fetch-Site} (W3C Fetch Metadata), on {@code https} and {@code localhost}, and {@code Origin}
 * (RFC 6454) on every {@code POST} and whatever crosses origins by CORS, as an EventSource does.
 * This policy goes by the first. It goes by the second if the first is missing or names another
 * origin, which may be one of the application's own.
 *
 * <p>A request with neither is refused. Over plain {@code http} no browser sends the first, and a
 * {@code GET} that a foreign page makes without CORS (a frame, an image, {@code fetch} with {@code
 * mode: 'no-cors'}) has no second one: it looks as one of the application's own pages would. So
 * browsers need {@code https} here, or {@code localhost}, and one of 2023 or later; a program sends
 * an {@code Origin}.
 */
public final class CookiesAndOrigin implements AccessPolicy {

  private static final String COOKIE = "session";

  private final Set<String> origins;
  private final Predicate<String> loggedIn;

  /**
   * A policy for an application with these origins.
   *
   * @param origins those of its own pages as browsers write them: {@code https://shop.example.org},
   *     no slash at the end. Told, not read from the request's {@code Host}, which a proxy may have
   *     changed. Those beside the broker's own need CORS as well, {@link
   *     io.peerbroker.servlet.HttpSettings#withAllowedOrigins}
   * @param loggedIn whether a value of the cookie is that of a login; called for each request, so
   *     quick, and by many threads
   */
  CookiesAndOrigin(Set<String> origins, Predicate<String> loggedIn) {
    this.origins = Set.copyOf(origins);
    this.loggedIn = loggedIn;
  }

  private void check(Caller caller) {
    if (!(caller instanceof HttpCaller http)) {
      throw AccessPolicy.denied("Only callers over HTTP have a cookie.");
    }
    if (!isOurs(http)) {
      throw AccessPolicy.denied("This page may not act for the visitors of another one.");
    }
    String cookie = http.cookie(COOKIE);
    if (cookie == null || !loggedIn.test(cookie)) {
      throw AccessPolicy.denied("One must have logged in.");
    }
  }

  private boolean isOurs(HttpCaller caller) {
    String site = caller.header("Sec-Fetch-Site");
    // "none": no page asks, but a user at the browser.
    if ("same-origin".equals(site) || "none".equals(site)) {
      return true;
    }
    String origin = caller.origin();
    return origin != null && origins.contains(origin);
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
  public SessionUpdate update(Caller caller, Session session, SessionUpdate update) {
    check(caller);
    return update;
  }

  @Override
  public void send(Caller caller, Message message) {
    check(caller);
  }

  @Override
  public Scope scope(Caller caller, TagFilter filter) {
    check(caller);
    return Scope.all();
  }

  /**
   * Runs a site whose visitors log in by a click, until the process is terminated.
   *
   * @param args the port; 8080 if there is none
   */
  public static void main(String[] args) throws Exception {
    Program.run(
        program -> {
          int port = args.length > 0 ? Integer.parseInt(args[0]) : 8080;
          Set<String> logins = ConcurrentHashMap.newKeySet();
          var policy = new CookiesAndOrigin(Set.of("http://127.0.0.1:" + port), logins::contains);
          Broker broker = Broker.builder().requireSessionKey(true).accessPolicy(policy).build();
          var server =
              new JettyServer("127.0.0.1", port, Duration.ofSeconds(15), site(broker, logins));
          program.serve(
              server, broker::close, address -> System.out.println("listening on " + address));
        });
  }

  /** The broker at {@code /broker}, and the application around it. */
  static ServletContextHandler site(Broker broker, Set<String> logins) {
    var site = new ServletContextHandler("/");
    site.addServlet(new ServletHolder(new FrontDoor(logins)), "/");
    var servlet = new ServletHolder(new BrokerServlet(broker));
    servlet.setAsyncSupported(true);
    site.addServlet(servlet, "/broker/*");
    return site;
  }

  /** Stands for the application and its login: it accepts every visitor. */
  private static final class FrontDoor extends HttpServlet {
    private static final long serialVersionUID = 1L;

    /** Logins are never forgotten here, so their number must have a bound. */
    private static final int MAX_LOGINS = 10_000;

    private final transient Set<String> logins;

    FrontDoor(Set<String> logins) {
      this.logins = logins;
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      response.setContentType("text/html;charset=UTF-8");
      response
          .getOutputStream()
          .write(
              """
              <!doctype html>
              <title>Cookies and Origin</title>
              <form method="post"><button>Log in</button></form>
              <pre></pre>
              <script>
                const say = (text) => document.querySelector('pre').append(text, '\\n');
                const events = new EventSource('/broker/channel');
                events.addEventListener('channel', () => say('The broker has let you in.'));
                events.onerror = () => say('The broker has not let you in, or has gone.');
              </script>
              """
                  .getBytes(UTF_8));
    }

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      if (logins.size() >= MAX_LOGINS) {
        response.sendError(503);
        return;
      }
      String login = UUID.randomUUID().toString();
      logins.add(login);
      // With https, Secure as well, and __Host- before its name.
      response.addHeader(
          "Set-Cookie", COOKIE + "=" + login + "; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600");
      response.sendRedirect("/");
    }
  }
}
