package io.peerbroker.servlet;

import io.peerbroker.json.RequestPath;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.MappingMatch;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The paths of the protocol, and the methods that each takes. */
enum Endpoint {
  CHANNEL(true),
  LIST(true),
  CLIENT(true),
  SOCKET(true),
  POST(false);

  /** Whether its method is GET (and HEAD), or POST. */
  private final boolean got;

  Endpoint(boolean got) {
    this.got = got;
  }

  boolean takes(String method) {
    return got ? method.equals("GET") || method.equals("HEAD") : method.equals("POST");
  }

  /** The methods as the header Allow names them. */
  String allow() {
    return got ? "GET, HEAD, OPTIONS" : "POST, OPTIONS";
  }

  /**
   * The endpoint that a path leads to.
   *
   * @param path the path below the mount, percent-decoded
   * @param request what the path of a POST is for; null for the others
   */
  record Route(Endpoint endpoint, String path, @Nullable RequestPath request) {

    /**
     * Finds the endpoint of a path below the mount.
     *
     * @param given the path below that, or null for the servlet's
     * @param files the paths of the client's files
     * @param withSockets whether WebSockets are served
     * @throws Problem {@code unknown_path}
     */
    static Route of(
        HttpServletRequest request,
        @Nullable String given,
        Set<String> files,
        boolean withSockets) {
      if (isStrange(request.getRequestURI())) {
        throw unknown(withSockets);
      }
      String path = given == null ? pathOf(request) : given;
      if (path.equals("/channel")) {
        return new Route(CHANNEL, path, null);
      }
      if (path.equals("/list")) {
        return new Route(LIST, path, null);
      }
      if (withSockets && path.equals("/socket")) {
        return new Route(SOCKET, path, null);
      }
      RequestPath posted = RequestPath.of(path);
      if (posted != null) {
        return new Route(POST, path, posted);
      }
      if (files.contains(path)) {
        return new Route(CLIENT, path, null);
      }
      throw unknown(withSockets);
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
      for (int i = 0; i < rawPath.length(); i++) {
        boolean strange =
            switch (rawPath.charAt(i)) {
              case ';' -> true;
              case '/' -> isStrangeSegment(rawPath, i + 1);
              case '%' -> isStrangeOctet(rawPath, i + 1);
              default -> false;
            };
        if (strange) {
          return true;
        }
      }
      return false;
    }

    /** Whether a segment that begins here is empty, with another behind it, or one of dots. */
    private static boolean isStrangeSegment(String path, int start) {
      int end = start;
      while (end < path.length() && path.charAt(end) == '.') {
        end++;
      }
      boolean isWhole = end == path.length() || path.charAt(end) == '/';
      return isWhole
          && (end - start == 1 || end - start == 2 || (end == start && end < path.length()));
    }

    /** Whether this octet is a dot, a slash, a backslash or NUL. */
    private static boolean isStrangeOctet(String path, int start) {
      return Stream.of("2e", "2f", "5c", "00")
          .anyMatch(octet -> path.regionMatches(/* ignoreCase= */ true, start, octet, 0, 2));
    }

    private static Problem unknown(boolean withSockets) {
      return new Problem(
          404,
          "unknown_path",
          "There are /channel, /channel/<cid>/ping, /channel/<cid>/ice, /channel/<cid>/watch,"
              + " /channel/<cid>/unwatch, /channel/<cid>/close, /session, /session/<sid>/update,"
              + " /session/<sid>/close, /send/<target>"
              + (withSockets ? ", /list and /socket" : " and /list")
              + " here, without a slash behind them.");
    }
  }
}
