package io.peerbroker.peerjs;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.peerbroker.core.AccessPolicy;
import io.peerbroker.core.Broker;
import io.peerbroker.core.Caller;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Refusal;
import io.peerbroker.core.RefusedException;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.servlet.HttpCaller;
import io.peerbroker.servlet.SocketUpgrade;
import io.peerbroker.websocket.Upgrades;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Serves the npm package {@code peerjs}, as PeerServer does: mount it at any path ending in {@code
 * /*}, and give that path to each page's {@code Peer}.
 *
 * <p>Each client has a channel of the broker, under its bounds and its access policy, and the id
 * that it chose for as long as it is connected. A client that comes back with the id and the token
 * of one that is connected takes its place. Frames for an id that nobody has wait for a time
 * ({@link PeerJsSettings#withWaitTimeout}), at most 64 frames and 256 KiB of one sender, 16,384
 * frames and 16 MiB of all. What cannot be delivered is answered with {@code EXPIRE}, by which a
 * page has the error {@code peer-unavailable}.
 *
 * <p>A client's frames are messages of the broker, whose JSON is <code>
 * {"type":"OFFER","payload":{…}}</code>; the other types are {@code ANSWER}, {@code CANDIDATE},
 * {@code LEAVE} and {@code EXPIRE}. So other clients of the broker, and code in this JVM, can call
 * a PeerJS client: they send such messages to its session or its channel ({@link
 * PeerJsSettings#withTag}, {@link #findChannel}), and it sees the id of their channel or session as
 * theirs. It can also call them by that id if they are on this node: what a {@link
 * io.peerbroker.core.Router} knows of other nodes is not asked. Messages of another form do not
 * reach it.
 *
 * <p>The container must have its module for jakarta.websocket.
 */
public class PeerJsServlet extends HttpServlet {

  /** How many characters an id, and a token, may have. */
  public static final int MAX_ID = Peers.MAX_ID;

  private static final long serialVersionUID = 1L;

  /** What the package accepts as an id. */
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9]+(?:[ _-][A-Za-z0-9]+)*+");

  private static final byte[] ABOUT =
      """
      {"name":"PeerJS Server","description":"A server side element to broker connections between PeerJS clients.","website":"https://peerjs.com/"}\
      """
          .getBytes(UTF_8);

  private final transient @Nullable Broker given;
  private final transient PeerJsSettings settings;
  private final transient Object lock = new Object();

  /** The clients, from the first request on. Written under the lock. */
  private transient volatile @Nullable Peers peers;

  /** Serves the broker of the servlet context with the default settings. */
  public PeerJsServlet() {
    this(PeerJsSettings.defaults());
  }

  /**
   * Serves the broker that the servlet context has at the first request: that of a {@link
   * BrokerServlet}, or the application's ({@link BrokerServlet#BROKER_ATTRIBUTE}).
   *
   * @throws IllegalArgumentException if the settings ask for a list of ids and have no tag
   */
  public PeerJsServlet(PeerJsSettings settings) {
    given = null;
    this.settings = checked(settings);
  }

  /**
   * Serves a broker, which its owner must close.
   *
   * @param broker not a view ({@link Broker#forCaller})
   * @throws IllegalArgumentException if the settings ask for a list of ids and have no tag
   */
  public PeerJsServlet(Broker broker, PeerJsSettings settings) {
    given = Objects.requireNonNull(broker, "broker");
    this.settings = checked(settings);
  }

  /** Refuses settings that cannot be together; here, since each may be made before the other. */
  private static PeerJsSettings checked(PeerJsSettings settings) {
    Objects.requireNonNull(settings, "settings");
    if (settings.discovery() && settings.tag() == null) {
      throw new IllegalArgumentException(
          "withDiscovery(true) lists the sessions with the tag, and there is none: add"
              + " withTag(\"peerjs\").");
    }
    return settings;
  }

  private @Nullable Broker broker() {
    return given == null
            && getServletContext().getAttribute(BrokerServlet.BROKER_ATTRIBUTE)
                instanceof Broker shared
        ? shared
        : given;
  }

  /**
   * Returns the channel of the client that has an id now, to send to it or to close it; null if
   * nobody has the id. For the application: it has no key. This is how to know who has an id, since
   * others may host sessions with the same tag and metadata ({@link PeerJsSettings#withTag}).
   */
  public @Nullable Channel findChannel(String id) {
    Objects.requireNonNull(id, "id");
    Peers all = peers;
    return all == null ? null : all.findChannel(id);
  }

  /** Serves a route of PeerServer, or a handshake. */
  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response)
      throws IOException, ServletException {
    allowOrigin(request, response);
    response.setHeader("Cache-Control", "no-store");
    String info = request.getPathInfo();
    String path = info == null ? "/" : info;
    if (path.equals("/")) {
      write(response, 200, "application/json", ABOUT);
    } else if (path.equals("/peerjs")) {
      upgrade(request, response);
    } else if (path.matches("/[^/]*/id")) {
      write(response, 200, "text/html", running().unusedId().getBytes(UTF_8));
    } else if (path.matches("/[^/]*/peers")) {
      list(request, response);
    } else {
      refuse(response, 404, "There are /, /<key>/id, /<key>/peers and /peerjs here.");
    }
  }

  /**
   * Returns the clients of the broker, which a servlet that is initialized later may have made.
   *
   * @throws ServletException if there is no broker
   */
  private Peers running() throws ServletException {
    Peers all = peers;
    if (all != null) {
      return all;
    }
    Broker found = broker();
    if (found == null) {
      throw new ServletException(
          "Servlet "
              + getServletName()
              + ": There is no broker. Mount the BrokerServlet too, or give this servlet a"
              + " broker.");
    }
    synchronized (lock) {
      if (peers == null) {
        peers = new Peers(found, settings);
      }
      return Objects.requireNonNull(peers);
    }
  }

  /** Lets pages of other origins read an answer (WHATWG Fetch, section 3.2). */
  private void allowOrigin(HttpServletRequest request, HttpServletResponse response) {
    Set<String> allowed = settings.http().allowedOrigins();
    String origin = request.getHeader("Origin");
    if (allowed.contains("*")) {
      response.setHeader("Access-Control-Allow-Origin", "*");
    } else if (!allowed.isEmpty()) {
      response.addHeader("Vary", "Origin");
      if (origin != null && allowed.contains(origin)) {
        response.setHeader("Access-Control-Allow-Origin", origin);
      }
    }
  }

  private void list(HttpServletRequest request, HttpServletResponse response)
      throws IOException, ServletException {
    if (!settings.discovery()) {
      refuse(response, 401, "Unauthorized");
      return;
    }
    try {
      write(response, 200, "application/json", Frames.array(running().list(caller(request))));
    } catch (RefusedException refused) {
      refuse(response, refused.refusal());
    }
  }

  private Caller caller(HttpServletRequest request) throws ServletException {
    return running().policy() == AccessPolicy.allowAll() && !settings.hasIds()
        ? Caller.of(request.getUserPrincipal())
        : HttpCaller.of(request);
  }

  private void upgrade(HttpServletRequest request, HttpServletResponse response)
      throws IOException, ServletException {
    if (!SocketUpgrade.isHandshake(request)) {
      refuse(response, 426, "This path is for WebSockets over HTTP/1.1 (RFC 6455, section 4.1).");
      return;
    }
    if (!settings.http().admits(request)) {
      refuse(
          response,
          403,
          "WebSockets are for pages of this origin, and of those in the setting allowedOrigins; '*'"
              + " there admits others only without a cookie, Authorization or a login.");
      return;
    }
    String id = last(request, "id");
    String token = last(request, "token");
    String wrong = wrong(id, token, last(request, "key"));
    PeerSocket socket = running().connect(id, token);
    boolean entered = false;
    try {
      if (wrong == null) {
        running().enter(socket, caller(request));
      } else {
        socket.refuse(Frames.error(wrong));
      }
      entered = true;
      Upgrades.upgrade(request, response, List.of(), socket.connection());
    } catch (RefusedException refused) {
      refuse(response, refused.refusal());
    } finally {
      if (!entered) {
        socket.connection().abort();
      }
    }
  }

  /** Returns what is wrong with a handshake's parameters, or null. */
  private @Nullable String wrong(String id, String token, String key) {
    if (id.isEmpty() || token.isEmpty() || key.isEmpty()) {
      return "No id, token, or key supplied to websocket server";
    }
    if (settings.key() != null && !settings.key().equals(key)) {
      return "Invalid key provided";
    }
    // The length first: what matches may be as long as a request's head.
    if (id.length() > MAX_ID || token.length() > MAX_ID || !ID.matcher(id).matches()) {
      return "The id must be up to "
          + MAX_ID
          + " letters and digits, with single spaces, hyphens or underscores inside, and the token"
          + " no longer.";
    }
    return null;
  }

  /**
   * Returns the last value of a parameter, which counts with PeerServer; empty if there is none.
   */
  private static String last(HttpServletRequest request, String name) {
    String[] values = request.getParameterValues(name);
    return values == null || values.length == 0 ? "" : values[values.length - 1];
  }

  private static void refuse(HttpServletResponse response, Refusal why) throws IOException {
    switch (why.code()) {
      // As PeerServer answers, whose clients know this status.
      case DENIED -> refuse(response, 401, "Unauthorized");
      case TOO_LARGE -> refuse(response, 413, why.detail());
      case AT_CAPACITY, SHUTTING_DOWN -> refuse(response, 503, why.detail());
      default -> refuse(response, 500, why.detail());
    }
  }

  private static void refuse(HttpServletResponse response, int status, String why)
      throws IOException {
    write(response, status, "text/plain", why.getBytes(UTF_8));
  }

  private static void write(HttpServletResponse response, int status, String type, byte[] body)
      throws IOException {
    response.setStatus(status);
    response.setContentType(type + ";charset=utf-8");
    response.setContentLength(body.length);
    response.getOutputStream().write(body);
  }

  /** Cuts all WebSockets that are still open. Close the broker first: that notifies their pages. */
  @Override
  public void destroy() {
    Peers all = peers;
    if (all != null) {
      all.close();
    }
  }
}
