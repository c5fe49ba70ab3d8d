package io.peerbroker.servlet;

import io.peerbroker.json.RequestPath;
import jakarta.servlet.http.HttpServletRequest;
import java.util.List;
import java.util.Locale;

/**
 * The media types that a request's body may have: application/json in UTF-8, without a content
 * coding; for a farewell and a ping also text/plain.
 */
final class ContentType {

  private static final String TEXT = "text/plain";

  private ContentType() {}

  /**
   * Checks the headers Content-Type and Content-Encoding.
   *
   * @throws Problem {@code unsupported_media_type}
   */
  static void require(HttpServletRequest request, RequestPath.Action action) {
    if (request.getHeader("Content-Encoding") != null) {
      throw unsupported("A body must come without a Content-Encoding.");
    }
    String type = request.getHeader("Content-Type");
    if (type == null) {
      throw unsupported("A body needs a Content-Type: application/json.");
    }
    List<String> parts = AcceptHeader.split(type.toLowerCase(Locale.ROOT), ';');
    String media = parts.get(0).strip();
    if (!media.equals(AcceptHeader.JSON) && !(media.equals(TEXT) && takesText(action))) {
      throw unsupported(
          "The Content-Type of a body must be application/json"
              + (takesText(action) ? " or text/plain." : "."));
    }
    for (String part : parts.subList(1, parts.size())) {
      String[] parameter = part.split("=", 2);
      if (parameter[0].strip().equals("charset")) {
        String charset = parameter.length == 2 ? parameter[1].strip().replace("\"", "") : "";
        if (!charset.equals("utf-8") && !charset.equals("utf8")) {
          throw unsupported("The charset of a body must be UTF-8.");
        }
      }
    }
  }

  /**
   * Whether a body may be text/plain, which a page may send to another origin without a preflight.
   * A page that goes away has no time for one, and {@code navigator.sendBeacon} sends nothing else.
   */
  private static boolean takesText(RequestPath.Action action) {
    return action == RequestPath.Action.PING || action == RequestPath.Action.CLOSE_CHANNEL;
  }

  private static Problem unsupported(String detail) {
    return new Problem(415, "unsupported_media_type", detail);
  }
}
