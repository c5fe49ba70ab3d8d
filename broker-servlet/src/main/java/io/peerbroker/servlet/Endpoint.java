package io.peerbroker.servlet;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.MappingMatch;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The paths of the protocol, and the methods that each takes. */
enum Endpoint {
  CHANNEL(true),
  LIST(true),
  CLIENT(true),
  PING(false),
  ICE(false),
  WATCH(false),
  UNWATCH(false),
  CLOSE_CHANNEL(false),
  OPEN_SESSION(false),
  UPDATE_SESSION(false),
  CLOSE_SESSION(false),
  SEND(false);

  /** Whether its method is GET (and HEAD), or POST. */
  private final boolean got;

  Endpoint(boolean got) {
    this.got = got;
  }

  boolean takes(String method) {
    return got ? method.equals("GET") || method.equals("HEAD") : method.equals("POST");
  }

  /**
   * Whether its body may be text/plain, which a page may send to another origin without a
   * preflight. A page that goes away has no time for one, and {@code navigator.sendBeacon} sends
   * nothing else.
   */
  boolean takesText() {
    return this == PING || this == CLOSE_CHANNEL;
  }

  /** The methods as the header Allow names them. */
  String allow() {
    return got ? "GET, HEAD, OPTIONS" : "POST, OPTIONS";
  }

  /**
   * The endpoint that a path leads to.
   *
   * @param id the cid, sid or target in the path, percent-decoded, or the client's file; empty if
   *     there is none
   */
  record Route(Endpoint endpoint, String id) {

    /**
     * Finds the endpoint of a path below the mount.
     *
     * @param given the path below that, or null for the servlet's
     * @param files the paths of the client's files
     * @throws Problem {@code unknown_path}
     */
    static Route of(HttpServletRequest request, @Nullable String given, Set<String> files) {
      if (isStrange(request.getRequestURI())) {
        throw unknown();
      }
      String path = given == null ? pathOf(request) : given;
      Route route = ofProtocol(path);
      if (route != null) {
        return route;
      }
      if (files.contains(path)) {
        return new Route(CLIENT, path);
      }
      throw unknown();
    }

    private static @Nullable Route ofProtocol(String path) {
      String[] parts = path.split("/", -1);
      if (parts.length < 2 || !parts[0].isEmpty()) {
        return null;
      }
      String last = parts[parts.length - 1];
      if (parts.length == 2) {
        return switch (last) {
          case "channel" -> new Route(CHANNEL, "");
          case "list" -> new Route(LIST, "");
          case "session" -> new Route(OPEN_SESSION, "");
          default -> null;
        };
      }
      String id = parts[2];
      if (id.isEmpty()) {
        return null;
      }
      if (parts.length == 3 && parts[1].equals("send")) {
        return new Route(SEND, id);
      }
      if (parts.length == 4) {
        return switch (parts[1] + "/" + last) {
          case "channel/ping" -> new Route(PING, id);
          case "channel/ice" -> new Route(ICE, id);
          case "channel/watch" -> new Route(WATCH, id);
          case "channel/unwatch" -> new Route(UNWATCH, id);
          case "channel/close" -> new Route(CLOSE_CHANNEL, id);
          case "session/update" -> new Route(UPDATE_SESSION, id);
          case "session/close" -> new Route(CLOSE_SESSION, id);
          default -> null;
        };
      }
      return null;
    }

    /**
     * The path below the mount: for a servlet mapped to /, the container has it all in the servlet
     * path, else in the path info.
     */
    private static String pathOf(HttpServletRequest request) {
      try {
        String path =
            request.getHttpServletMapping().getMappingMatch() == MappingMatch.DEFAULT
                ? request.getServletPath()
                : request.getPathInfo();
        return path == null ? "" : path;
      } catch (IllegalArgumentException ambiguous) {
        // Jetty 12 does not return such a path even if it is configured to accept it.
        return "";
      }
    }

    /**
     * Whether containers differ about the meaning of a path: none of the broker's paths is written
     * so.
     */
    private static boolean isStrange(String rawPath) {
      String path = rawPath.toLowerCase(Locale.ROOT);
      return path.contains(";")
          || path.contains("//")
          || (path + "/").contains("/./")
          || (path + "/").contains("/../")
          || path.contains("%2e")
          || path.contains("%2f")
          || path.contains("%5c")
          || path.contains("%00");
    }

    private static Problem unknown() {
      return new Problem(
          404,
          "unknown_path",
          "There are /channel, /channel/<cid>/ping, /channel/<cid>/ice, /channel/<cid>/watch,"
              + " /channel/<cid>/unwatch, /channel/<cid>/close, /session, /session/<sid>/update,"
              + " /session/<sid>/close, /send/<target> and /list here, without a slash behind them.");
    }
  }
}
